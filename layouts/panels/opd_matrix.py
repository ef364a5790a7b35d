"""All OPD at once: the strip under a wall, and the table of OPD by domain, worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from kpis.types import Domain, Reading, Snapshot
from kpis.views import OpdStanding
from layouts.marks import STATE_WORDS, Look, classes, full, look, opd_link, short, worst
from layouts.words import Words, msg

DOMAIN_WORDS = {
    Domain.SERVICE_REQUESTS: msg("Service requests"),
    Domain.APP_UPTIME: msg("Applications"),
    Domain.OPD_INTEGRATION: msg("Integration"),
    Domain.E_ATTENDANCE: msg("Attendance"),
}
STRIP_LETTERS = 46


def standing_kind(one: OpdStanding) -> str:
    """The loudest state among an OPD's figures."""
    if one.act:
        return "act"
    if one.watch:
        return "watch"
    return "on_target" if one.on_target else "no_data"


def opd_strip(snapshot: Snapshot, standings: Sequence[OpdStanding], w: Words) -> html.Div:
    """How many OPD stand where, and the worst by name, as many as one line of a wall takes."""
    kinds = [standing_kind(one) for one in standings]
    counts = [
        html.Span(
            [html.B(w.number(kinds.count(kind))), " ", w.t(STATE_WORDS[kind])], className=f"state {kind}"
        )
        for kind in ("act", "watch", "on_target", "no_data")
        if kind in kinds
    ]
    names, room = [], STRIP_LETTERS
    bad = [one for one in standings if standing_kind(one) in ("act", "watch")]
    for one in bad:
        name = short(snapshot, one.opd)
        if len(name) + 4 > room:
            break
        room -= len(name) + 4
        names.append(
            html.Span(name, className=f"state {standing_kind(one)}", title=full(snapshot, one.opd, w))
        )
    if len(bad) > len(names):
        names.append(html.Span(f"+{w.number(len(bad) - len(names))}", className="more"))
    head = html.H2(w.t("{n} OPD", n=w.number(len(standings))))
    return html.Div(
        [html.Div([head, *counts], className="strip-counts"), html.Div(names, className="strip-names")],
        className="opd-strip",
    )


def opd_matrix(snapshot: Snapshot, w: Words) -> Any:
    """A row per OPD, a cell per domain with the loudest state and how many figures share it."""
    codes = [opd.code for opd in snapshot.city.opds]
    cells = {code: _cells(snapshot, code) for code in codes}
    codes.sort(key=lambda code: _rank(cells[code]))
    head = html.Thead(html.Tr([html.Th("OPD"), *(html.Th(w.t(word)) for word in DOMAIN_WORDS.values())]))
    rows = [
        html.Tr(
            [
                html.Th(opd_link(snapshot, code, w), scope="row"),
                *(_cell(found, w) for found in cells[code].values()),
            ]
        )
        for code in codes
    ]
    return html.Div(
        dbc.Table([head, html.Tbody(rows)], className="matrix", hover=False), className="scroll-x"
    )


def _cells(snapshot: Snapshot, code: str) -> Mapping[Domain, list[Look]]:
    found: dict[Domain, list[Look]] = {domain: [] for domain in DOMAIN_WORDS}
    for key, readings in snapshot.by_opd.items():
        kpi = snapshot.kpis.get(key)
        reading: Reading | None = readings.get(code)
        if kpi is not None and reading is not None:
            found[kpi.domain].append(look(reading))
    return found


def _rank(cells: Mapping[Domain, list[Look]]) -> tuple[int, ...]:
    kinds = [one.kind for looks in cells.values() for one in looks]
    return tuple(-kinds.count(kind) for kind in ("act", "watch", "stale", "no_data"))


def _cell(found: list[Look], w: Words) -> html.Td:
    if not found:
        return html.Td("—", className="none")
    kind = worst(found)
    many = sum(one.kind == kind for one in found)
    word = w.t(STATE_WORDS[kind])
    text = word if kind in ("on_target", "no_data") else f"{word} {many}"
    return html.Td(html.Span(text, className=classes("state", kind)))
