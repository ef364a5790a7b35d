"""An OPD's figures: each against its target and against itself thirty days ago."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html

from kpis.ranks import few_cases
from kpis.types import Better, Reading, Severity, Snapshot, Unit
from kpis.views import Past
from layouts.flat import Flat, flat
from layouts.marks import Look, ago, classes, href, look, state, target
from layouts.panels.kpi_tile import kpi_path
from layouts.panels.marks_bar import resting
from layouts.panels.tables import gap, nothing
from layouts.panels.trend import trend
from layouts.words import MISSING, Words, msg

ORDER = ("act", "watch", "stale", "no_data", "late", "no_target", "on_target", "day_off")
COURSES = {"better": msg("better"), "worse": msg("worse"), "same": msg("unchanged")}
_ARROWS = {1: "↑", -1: "↓", 0: "="}


def figure_list(snapshot: Snapshot, before: Mapping[str, Past], w: Words) -> Flat | html.P:
    """A row per figure, those to act on first; narrow screens show each as a card."""
    rows = [(_look(snapshot, r), r) for r in snapshot.readings.values()]
    if not rows:
        return nothing(w.t("No data yet"))
    rows.sort(key=lambda row: ORDER.index(row[0].kind))
    titles = [
        w.t("Figure"), w.t("Now"), w.t("Target"), w.t("State"),
        w.t("30 days ago"), w.t("Since then"), w.t("24 hours"),
    ]  # fmt: skip
    head = html.Thead(html.Tr([html.Th(title, scope="col") for title in titles]))
    body = html.Tbody([_row(snapshot, r, found, before.get(r.kpi), titles, w) for found, r in rows])
    return flat(html.Table([head, body], className="table figures"), "scroll", w.t("Figures of this OPD"))


def _look(snapshot: Snapshot, r: Reading) -> Look:
    return Look("day_off") if resting(snapshot, r) else look(r)


def _row(
    snapshot: Snapshot, r: Reading, found: Look, past: Past | None, titles: list[str], w: Words
) -> html.Tr:
    kpi = snapshot.kpis[r.kpi]
    name = html.A(w.t(kpi.title), href=href(kpi_path(kpi.key, snapshot.opd), w))
    cells = [
        _now(snapshot, r, found, w),
        target(r, w),
        state(found, snapshot.at, w),
        _then(past, r, w),
        _course(past, r, found, w),
        trend(snapshot.trends.get(r.kpi, ()), r.target),
    ]
    row: list[Any] = [html.Th(name, scope="row")]
    row += [html.Td(cell, **_label(title)) for title, cell in zip(titles[1:], cells, strict=True)]
    return html.Tr(row, className=classes("of-figure", found.kind, found.was and f"was-{found.was}"))


def _label(title: str) -> dict[str, Any]:
    return {"data-label": title}


def _now(snapshot: Snapshot, r: Reading, found: Look, w: Words) -> html.Div:
    """The value, what it was counted from, how old it is."""
    missing = found.kind in ("no_data", "day_off")
    inside: list[Any] = [html.B(MISSING if missing else w.figure(r.value, r.unit), className="value")]
    cases = _cases(r, w)
    if cases and not missing:
        inside.append(html.Span(cases, className="small-print"))
    if few_cases(r) and not missing:
        inside.append(gap(w.t("few cases")))
    if r.observed_at is not None:
        old = ago(r.observed_at, snapshot.at, w, w.t("data {age} old"), kind="observed")
        inside.append(html.Span([old], className="small-print"))
    return html.Div(inside, className="now")


def _cases(r: Reading, w: Words) -> str | None:
    """The heads that were counted; seconds of uptime are not told in heads."""
    if r.denominator is None or r.kpi.startswith(("app_uptime", "error_budget")):
        return None
    if r.numerator is not None and r.unit is Unit.SHARE:
        return w.t("{n} of {all}", n=w.number(r.numerator), all=w.number(r.denominator))
    return w.t("of {all}", all=w.number(r.denominator)) if r.denominator else None


def _then(past: Past | None, r: Reading, w: Words) -> Any:
    if past is None or past.value is None:
        return gap(w.t("no figure"))
    return w.figure(past.value, r.unit)


def course(now: float, then: float, better: Better) -> tuple[str, int]:
    """(a key of `COURSES`, whether it rose 1, fell −1 or stayed 0) by the figure's own direction."""
    if now == then:
        return "same", 0
    rose = now > then
    return ("better" if rose is (better is Better.HIGHER) else "worse"), (1 if rose else -1)


def _course(past: Past | None, r: Reading, found: Look, w: Words) -> Any:
    """Shape and word of the direction; a figure that is stale or missing now is not compared."""
    if past is None or past.value is None or r.value is None or found.kind in ("stale", "no_data", "day_off"):
        return MISSING
    kind, way = course(r.value, past.value, r.better)
    if w.figure(r.value, r.unit) == w.figure(past.value, r.unit):
        kind, way = "same", 0  # what reads the same has not changed
    arrow = html.Span(_ARROWS[way] + " ", className="arrow", **_HIDDEN)
    met = past.severity == Severity.ON_TARGET.value
    inside: list[Any] = [arrow, w.t(COURSES[kind])]
    if met and r.severity in (Severity.ACT, Severity.WATCH):
        inside.append(html.Span(w.t("was on target"), className="small-print"))
    return html.Span(inside, className=f"course {kind}")


_HIDDEN: dict[str, Any] = {"aria-hidden": "true"}
