"""All OPD at once: the strip under a wall, and the table of OPD by domain, worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from kpis.types import Domain, Kpi, Reading, Snapshot
from kpis.views import OpdStanding
from layouts.flat import flat
from layouts.marks import STATE_WORDS, Look, ago, classes, href, look, opd_link, worst
from layouts.panels.marks_bar import resting
from layouts.words import MISSING, Words, msg

DOMAIN_WORDS = {
    Domain.SERVICE_REQUESTS: msg("Service requests"),
    Domain.APP_UPTIME: msg("Applications"),
    Domain.OPD_INTEGRATION: msg("Integration"),
    Domain.E_ATTENDANCE: msg("Attendance"),
}
_ARROWS: dict[str, Any] = {"data-arrows": "yes"}


def standing_kind(one: OpdStanding) -> str:
    """The loudest state among an OPD's figures."""
    if one.act:
        return "act"
    if one.watch:
        return "watch"
    return "on_target" if one.on_target else "no_data"


def opd_strip(snapshot: Snapshot, standings: Sequence[OpdStanding], w: Words) -> html.Div:
    """How many OPD stand where, by the shapes of the states; the words are for a screen reader."""
    kinds = [standing_kind(one) for one in standings]
    counts = [
        html.Span(
            [
                html.B(w.number(kinds.count(kind))),
                html.Span(w.t(STATE_WORDS[kind]), className="visually-hidden"),
            ],
            className=f"state {kind}",
            title=w.t(STATE_WORDS[kind]),
        )
        for kind in ("act", "watch", "no_data")
        if kind in kinds
    ]
    head = html.Span(w.t("{n} OPD", n=w.number(len(standings))), className="strip-head")
    return html.Div([head, *counts], className="opd-strip")


@dataclass(frozen=True, slots=True)
class Cell:
    """One OPD in one domain: its figures with their looks in the catalogue's order, the loudest first
    in `worst`. Nothing is known of the OPD where `marks` is empty."""

    marks: tuple[tuple[Kpi, Reading | None, Look], ...]

    @property
    def kind(self) -> str:
        return worst([found for _, _, found in self.marks])

    @property
    def worst(self) -> tuple[Kpi, Reading | None, Look] | None:
        """The figure that decides the cell; among quiet ones the first that has a value."""
        alike = [mark for mark in self.marks if mark[2].kind == self.kind]
        return next((mark for mark in alike if mark[1] is not None and mark[1].value is not None), None) or (
            alike[0] if alike else None
        )

    @property
    def many(self) -> int:
        """How many figures are as loud as the cell."""
        return sum(found.kind == self.kind for _, _, found in self.marks)


Row = Mapping[Domain, Cell]


def matrix_keys(w: Words) -> html.Div:
    """What the small marks mean."""
    kinds = ("act", "watch", "stale", "no_data", "on_target")
    keys = [
        html.Span([html.Span("", className=f"dot {kind}"), w.t(STATE_WORDS[kind])], className="key")
        for kind in kinds
    ]
    return html.Div(keys, className="legend")


def matrix_rows(snapshot: Snapshot) -> list[tuple[str, Row]]:
    """Every OPD with a cell per domain, worst first: most ACT, then WATCH, stale and missing."""
    rows = [(opd.code, _row(snapshot, opd.code)) for opd in snapshot.city.opds]
    return sorted(rows, key=lambda row: (_rank(row[1]), row[0]))


def opd_matrix(snapshot: Snapshot, w: Words) -> Component:
    """A row per OPD and a cell per domain: the loudest state, the figure it stands on and its age, and a
    small mark for each of the domain's figures. Each cell leads to the OPD's own page."""
    heads = [html.Th(_domain_link(domain, w), scope="col") for domain in DOMAIN_WORDS]
    body = [
        html.Tr(
            [
                html.Th(_opd(snapshot, code, w), scope="row"),
                *(_cell(snapshot, code, domain, cell, w) for domain, cell in row.items()),
            ]
        )
        for code, row in matrix_rows(snapshot)
    ]
    inside = [html.Thead(html.Tr([html.Th("OPD", scope="col"), *heads])), html.Tbody(body)]
    return flat(html.Table(inside, className="table matrix", **_ARROWS), "scroll", w.t("OPD by domain"))


def domain_matrix(snapshot: Snapshot, domain: Domain, w: Words) -> Component:
    """A row per OPD and a column per figure of one domain, worst first."""
    rows = [(code, row[domain]) for code, row in matrix_rows(snapshot)]
    rows.sort(key=lambda row: _loud([found.kind for _, _, found in row[1].marks]))
    kpis = [kpi for kpi in snapshot.kpis.values() if kpi.domain is domain]
    heads = [html.Th(w.t(kpi.title), scope="col") for kpi in kpis]
    body = [
        html.Tr(
            [
                html.Th(_opd(snapshot, code, w), scope="row"),
                *(_figure(snapshot, code, mark, w) for mark in cell.marks),
            ]
        )
        for code, cell in rows
    ]
    inside = [html.Thead(html.Tr([html.Th("OPD", scope="col"), *heads])), html.Tbody(body)]
    label = w.t(DOMAIN_WORDS[domain])
    return flat(html.Table(inside, className="table matrix figures", **_ARROWS), "scroll", label)


def _row(snapshot: Snapshot, code: str) -> Row:
    found: dict[Domain, list[tuple[Kpi, Reading | None, Look]]] = {domain: [] for domain in DOMAIN_WORDS}
    for kpi in snapshot.kpis.values():
        reading = snapshot.by_opd.get(kpi.key, {}).get(code)
        rests = reading is not None and resting(snapshot, reading)
        found[kpi.domain].append((kpi, reading, Look("day_off") if rests else look(reading)))
    return {domain: Cell(tuple(marks)) for domain, marks in found.items()}


def _rank(row: Row) -> tuple[int, ...]:
    return _loud([found.kind for cell in row.values() for _, _, found in cell.marks])


def _loud(kinds: Sequence[str]) -> tuple[int, ...]:
    return tuple(-kinds.count(kind) for kind in ("act", "watch", "stale", "no_data"))


def _opd(snapshot: Snapshot, code: str, w: Words) -> Any:
    return opd_link(snapshot, code, w)


def _domain_link(domain: Domain, w: Words) -> html.A:
    return html.A(w.t(DOMAIN_WORDS[domain]), href=href("/opd", w, domain=domain.value))


def _cell(snapshot: Snapshot, code: str, domain: Domain, cell: Cell, w: Words) -> html.Td:
    named: dict[str, Any] = {"data-label": w.t(DOMAIN_WORDS[domain])}
    mark = cell.worst
    if mark is None:
        return html.Td(MISSING, className="none", **named)
    kpi, reading, found = mark
    word = w.t(STATE_WORDS[found.kind])
    if found.kind in ("act", "watch", "stale") and cell.many > 1:
        word = f"{word} {w.number(cell.many)}"
    inside = [
        html.Span(word, className=classes("state", found.kind)),
        html.Span(_said(snapshot, kpi, reading, w), className="matrix-said"),
        html.Span([_dot(one.title, look_, w) for one, _, look_ in cell.marks], className="dots"),
    ]
    link = html.A(inside, href=f"{href(f'/opd/{quote(code)}', w)}#{domain.value}")
    return html.Td(link, className=classes("matrix-cell", found.kind), **named)


def _said(snapshot: Snapshot, kpi: Kpi, reading: Reading | None, w: Words) -> Any:
    """The figure the cell stands on, and how old it is when it says anything."""
    if reading is None or reading.value is None:
        return w.t(kpi.title)
    form = f"{w.t(kpi.title)} {w.figure(reading.value, reading.unit)} · {{age}}"
    return ago(reading.observed_at, snapshot.at, w, form, kind="observed")


def _dot(title: str, found: Look, w: Words) -> html.Span:
    return html.Span("", className=f"dot {found.kind}", title=f"{w.t(title)}: {w.t(STATE_WORDS[found.kind])}")


def _figure(snapshot: Snapshot, code: str, mark: tuple[Kpi, Reading | None, Look], w: Words) -> html.Td:
    kpi, reading, found = mark
    named: dict[str, Any] = {"data-label": w.t(kpi.title)}
    if reading is None or reading.value is None:
        word = html.Span(w.t(STATE_WORDS[found.kind]), className=classes("state", found.kind))
        return html.Td(word, className=f"matrix-cell {found.kind}", **named)
    quiet = found.kind in ("on_target", "no_target")
    state = None if quiet else html.Span(w.t(STATE_WORDS[found.kind]), className=classes("state", found.kind))
    inside = [
        html.Span(w.figure(reading.value, reading.unit), className="matrix-value"),
        state,
        html.Span(ago(reading.observed_at, snapshot.at, w, kind="observed"), className="matrix-said"),
    ]
    link = html.A(inside, href=kpi_href(code, kpi, w))
    return html.Td(link, className=classes("matrix-cell", found.kind), **named)


def kpi_href(code: str, kpi: Kpi, w: Words) -> str:
    """Where one figure of one OPD is shown."""
    return f"{href(f'/opd/{quote(code)}', w)}#tile-{kpi.key}"
