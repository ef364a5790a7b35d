"""Every OPD's day: the rate with what it was divided by, and what stands behind it. No person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from kpis.types import Snapshot
from kpis.views import OpdAttendance
from layouts.marks import opd_link
from layouts.panels.arrival_curve import rate
from layouts.panels.tables import Column, gap, nothing, table
from layouts.svg import Svg, drawing, element
from layouts.words import MISSING, Words, msg


def attendance_table(snapshot: Snapshot, rows: Sequence[OpdAttendance], w: Words) -> Component:
    """A row per OPD in the order given."""
    if not any(row.expected for row in rows):
        return nothing(w.t("Nobody is expected today."))
    columns = [
        Column("OPD"),
        Column(w.t("Where its people are")),
        Column(w.t("Attendance rate"), number=True),
        Column(w.t("Attended of due"), number=True),
        Column(w.t("On duty elsewhere"), number=True),
        Column(w.t("On approved leave"), number=True),
        Column(w.t("Late"), number=True),
        Column(w.t("Left early"), number=True),
        Column(w.t("Unexplained"), number=True),
        Column(w.t("Doubtful check-ins"), number=True),
    ]
    return table(w.t("Attendance by OPD"), columns, [_row(snapshot, row, w) for row in rows])


def _row(snapshot: Snapshot, row: OpdAttendance, w: Words) -> list[Any]:
    if not heard(row):
        return [opd_link(snapshot, row.opd, w), MISSING, gap(w.t("no data")), *[MISSING] * 7]
    attended = row.present + row.off_site
    due = max(row.expected - row.leave, 0)
    return [
        opd_link(snapshot, row.opd, w),
        share_bar(row, w),
        w.share(rate(attended, due)),
        w.t("{n} of {all}", n=w.number(attended), all=w.number(due)),
        w.number(row.off_site),
        w.number(row.leave),
        part(row.late, row.present, w),
        w.number(row.left_early),
        w.number(row.unexplained),
        part(row.doubtful, row.checkins, w),
    ]


SHARES = (
    ("a-present", msg("in time")),
    ("a-late", msg("late")),
    ("a-away", msg("on duty elsewhere")),
    ("a-leave", msg("on approved leave")),
    ("a-none", msg("not there")),
)


def share_bar(row: OpdAttendance, w: Words) -> Any:
    """All people of an OPD as one bar: present in time, late, elsewhere, on leave, and the rest."""
    if row.expected <= 0:
        return MISSING
    rest = max(row.expected - row.present - row.off_site - row.leave, 0)
    counts = (row.present - row.late, row.late, row.off_site, row.leave, rest)
    whole = sum(counts) or 1
    shapes, x, said = [], 0.0, []
    for (kind, word), count in zip(SHARES, counts, strict=True):
        wide = count / whole * 200
        if count > 0:
            shapes.append(element("rect", x=x, y=1, width=wide, height=10, class_=kind))
            said.append(f"{w.t(word)} {w.share(count / whole)}")
        x += wide
    label = w.list(said)
    return Svg(drawing(200, 12, shapes, label, stretch=True), className="share-bar")


def share_keys(w: Words) -> html.Div:
    """What the parts of the bars mean."""
    keys = [
        html.Span(
            [
                Svg(
                    drawing(12, 12, [element("rect", x=1, y=1, width=10, height=10, class_=kind)], ""),
                    className="swatch",
                ),
                w.t(word),
            ],
            className="key",
        )
        for kind, word in SHARES
    ]
    return html.Div(keys, className="legend share-keys")


def heard(row: OpdAttendance) -> bool:
    """Whether a clock of this OPD was heard today: silence is not an attendance of 0 %, whatever leave
    was told of."""
    return row.present > 0 or row.checkins > 0


def part(count: int, whole: int, w: Words) -> str:
    """ "22 of 190 (11,6 %)": a count with what it is a part of."""
    if not whole:
        return w.number(count)
    return w.t(
        "{n} of {all} ({share})",
        n=w.number(count), all=w.number(whole), share=w.share(rate(count, whole)),
    )  # fmt: skip
