"""The ladder: how many OPD stand on each step and what each lacks; and the breaks of the budget chain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from kpis.types import Snapshot
from kpis.views import LedgerBreak, OpdStep, Step
from layouts.flat import flat
from layouts.marks import ago, opd_link
from layouts.panels.tables import Column, nothing, table, two_lines
from layouts.svg import Svg, drawing, element
from layouts.terms import BREAK_REASONS, STAGES, STEPS, term
from layouts.words import MISSING, Words, msg

BREAKS = 40
# What `kpis.opd_integration.ladder` says an OPD lacks.
LACKS = (
    msg("register an interface"),
    msg("bring every interface to the top step"),
    msg("match reference codes and lower rejected rows"),
    msg("sync successfully within the interval"),
)


def ladder(steps: Sequence[OpdStep], w: Words) -> Component:
    """A row per step from the lowest, with its OPD as a bar of all; the picture repeats the figures."""
    if not steps:
        return nothing(w.t("The city has no OPD yet."))
    count = Counter(one.step for one in steps)
    rows = [
        html.Tr(
            [
                html.Th(w.t(STEPS[step]), scope="row"),
                html.Td(_bar(count[step] / len(steps)), className="bar"),
                html.Td(w.number(count[step]), className="num"),
            ]
        )
        for step in Step
    ]
    head = html.Thead(
        html.Tr(
            [html.Th(w.t("Step"), scope="col"), html.Td(""), html.Th("OPD", scope="col", className="num")]
        )
    )
    return flat(html.Table([head, html.Tbody(rows)], className="bars"))


def _bar(share: float) -> Svg:
    shapes = [element("rect", x=0, y=0, width=100.0 * share, height=12, class_="c-solid")] if share else []
    return Svg(drawing(100, 12, shapes, "", stretch=True), className="bar-plot")


def step_table(snapshot: Snapshot, steps: Sequence[OpdStep], w: Words) -> Component:
    """A row per OPD in the order given, with what its next step lacks."""
    if not steps:
        return nothing(w.t("The city has no OPD yet."))
    columns = [
        Column("OPD"),
        Column(w.t("Step")),
        Column(w.t("Interfaces at the top"), number=True),
        Column(w.t("What the next step lacks")),
    ]
    rows = [
        [
            opd_link(snapshot, one.opd, w),
            w.t(STEPS[one.step]),
            w.t("{n} of {all}", n=w.number(one.integrated), all=w.number(one.interfaces)),
            w.t(one.lacks) if one.lacks else MISSING,
        ]
        for one in steps
    ]
    return table(w.t("Steps by OPD"), columns, rows)


def break_table(snapshot: Snapshot, breaks: Sequence[LedgerBreak], codes: int, w: Words) -> Component:
    """The first `BREAKS` breaks in the order given; how many more there are is said."""
    if not codes:
        return nothing(w.t("No activity code is known yet."))
    if not breaks:
        return nothing(w.t("No break among {n} activity codes.", n=w.number(codes)))
    columns = [
        Column(w.t("Activity code")),
        Column("OPD"),
        Column(w.t("Stage")),
        Column(w.t("What is wrong")),
        Column(w.t("Amount"), number=True),
        Column(w.t("Stage before"), number=True),
        Column(w.t("Since"), number=True),
    ]
    inside: list[Any] = [
        table(w.t("Budget chain breaks"), columns, [_break(snapshot, one, w) for one in breaks[:BREAKS]])
    ]
    if len(breaks) > BREAKS:
        inside.append(html.P(w.t("+{n} more", n=w.number(len(breaks) - BREAKS)), className="more"))
    return html.Div(inside)


def _break(snapshot: Snapshot, one: LedgerBreak, w: Words) -> list[Any]:
    return [
        two_lines(f"{one.code} · {one.year}", one.name),
        opd_link(snapshot, one.opd, w),
        term(STAGES, one.stage, w),
        term(BREAK_REASONS, one.reason, w),
        w.money(one.amount),
        w.money(one.against),
        ago(one.since, snapshot.at, w),
    ]
