"""All OPD on a wall: a row each with its loudest state in every domain, worst first, in columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from kpis.types import Domain, Snapshot
from layouts.flat import flat
from layouts.marks import STATE_WORDS, Look, classes, short, worst
from layouts.panels.opd_matrix import matrix_rows
from layouts.panels.urgent import ABBREVIATION, brief
from layouts.words import MISSING, Words, msg

HEADS = {
    Domain.SERVICE_REQUESTS: msg("Requests"),
    Domain.APP_UPTIME: msg("Apps"),
    Domain.OPD_INTEGRATION: msg("Sync"),
    Domain.E_ATTENDANCE: msg("Presence"),
}
LEGEND = ("act", "watch", "stale", "no_data", "on_target")
_WEIGHT = {"act": 4, "watch": 3, "stale": 2, "no_data": 1}

Cells = Mapping[Domain, Sequence[Look]]


def wall_matrix(snapshot: Snapshot, w: Words, *, columns: int, rows: int) -> Component:
    """At most `columns` times `rows` OPD, the worst first; how many more there are is said."""
    found: dict[str, Cells] = {
        code: {domain: [mark[2] for mark in cell.marks] for domain, cell in row.items()}
        for code, row in matrix_rows(snapshot)
    }
    codes = sorted(found, key=lambda code: _rank(found[code]), reverse=True)
    shown = codes[: columns * rows]
    high = -(-len(shown) // columns) or 1
    tables = [_table(snapshot, shown[first : first + high], found, w) for first in range(0, len(shown), high)]
    foot: list[Any] = [_key(kind, w) for kind in LEGEND]
    if len(codes) > len(shown):
        foot.append(html.Span(w.t("+{n} more", n=w.number(len(codes) - len(shown))), className="more"))
    return flat(
        [html.Div(tables, className="matrix-columns"), html.Div(foot, className="matrix-key")], "wall-matrix"
    )


def _table(snapshot: Snapshot, codes: Sequence[str], found: Mapping[str, Cells], w: Words) -> html.Table:
    head = html.Thead(
        html.Tr([html.Th("OPD", scope="col"), *(html.Th(w.t(word), scope="col") for word in HEADS.values())])
    )
    rows = [
        html.Tr(
            [
                html.Th(brief(short(snapshot, code), ABBREVIATION), scope="row"),
                *(_cell(looks, w) for looks in found[code].values()),
            ]
        )
        for code in codes
    ]
    return html.Table([head, html.Tbody(rows)])


def _rank(cells: Cells) -> tuple[int, ...]:
    """Most ACT first, counting those that went stale, then most WATCH, stale, without data."""
    looks = [one for looks in cells.values() for one in looks]
    kinds = ["act" if one.was == "act" else one.kind for one in looks]
    return tuple(kinds.count(kind) for kind in _WEIGHT)


def _cell(looks: Sequence[Look], w: Words) -> html.Td:
    """The shape of the loudest state and how many figures share it; the word for a screen reader."""
    if not looks:
        return html.Td(MISSING, className="none")
    kind = worst(looks)
    same = [one for one in looks if one.kind == kind]
    was = "act" if any(one.was == "act" for one in looks) else None
    word = html.Span(w.t(STATE_WORDS[kind]), className="visually-hidden")
    count = w.number(len(same)) if kind in ("act", "watch", "stale") else ""
    inside = html.Span([count, word], className=f"state {kind}")
    return html.Td(inside, className=classes(kind, kind == "stale" and was and f"was-{was}"))


def _key(kind: str, w: Words) -> html.Span:
    mark = html.Span(html.Span("", className=f"state {kind}"), className=f"mark {kind}")
    return html.Span([mark, w.t(STATE_WORDS[kind])], className="key")
