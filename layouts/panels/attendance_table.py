"""Every OPD's day: the rate with what it was divided by, and what stands behind it. No person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash.development.base_component import Component

from kpis.types import Snapshot
from kpis.views import OpdAttendance
from layouts.marks import opd_link
from layouts.panels.arrival_curve import rate
from layouts.panels.tables import Column, gap, nothing, table
from layouts.words import MISSING, Words


def attendance_table(snapshot: Snapshot, rows: Sequence[OpdAttendance], w: Words) -> Component:
    """A row per OPD in the order given."""
    if not any(row.expected for row in rows):
        return nothing(w.t("Nobody is expected today."))
    columns = [
        Column("OPD"),
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
        return [opd_link(snapshot, row.opd, w), gap(w.t("no data")), *[MISSING] * 7]
    attended = row.present + row.off_site
    due = max(row.expected - row.leave, 0)
    return [
        opd_link(snapshot, row.opd, w),
        w.share(rate(attended, due)),
        w.t("{n} of {all}", n=w.number(attended), all=w.number(due)),
        w.number(row.off_site),
        w.number(row.leave),
        part(row.late, row.present, w),
        w.number(row.left_early),
        w.number(row.unexplained),
        part(row.doubtful, row.checkins, w),
    ]


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
