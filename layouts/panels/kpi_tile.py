"""One figure: title, value and unit, target, 24 hours, state and how long, as-of time and owner."""

from __future__ import annotations

from typing import Any

from dash import html

from kpis.types import Domain, Freshness, Kpi, Reading, Snapshot
from layouts.marks import Look, ago, classes, href, look, opd_link, owner, short, state, target
from layouts.panels.marks_bar import resting
from layouts.panels.trend import trend
from layouts.panels.urgent import ABBREVIATION, brief
from layouts.words import MISSING, Words, msg

PAGES = {
    Domain.SERVICE_REQUESTS: "/service-requests",
    Domain.APP_UPTIME: "/app-uptime",
    Domain.OPD_INTEGRATION: "/integration",
    Domain.E_ATTENDANCE: "/attendance",
}
NBSP = "\u00a0"
COUNTED = {
    Domain.SERVICE_REQUESTS: msg("{n} of {all} OPD reporting"),
    Domain.APP_UPTIME: msg("{n} of {all} applications heard"),
    Domain.OPD_INTEGRATION: msg("{n} of {all} interfaces heard"),
    Domain.E_ATTENDANCE: msg("{n} of {all} OPD reporting"),
}


def kpi_tile(snapshot: Snapshot, key: str, w: Words, *, wall: bool = False) -> Any:
    """The tile of one KPI in the snapshot's scope; `wall` leaves out what only a touch screen needs."""
    kpi = snapshot.kpis.get(key)
    if kpi is None:
        return html.Div(key, className="tile no_data")
    reading = snapshot.readings.get(key)
    found = look(reading)
    if reading is not None and resting(snapshot, reading):
        found = Look("day_off")
    title = w.t(kpi.title)
    inside = [
        html.Div(title, className="tile-title"),
        _figure(snapshot, kpi, reading, found, w),
        _target(snapshot, kpi, reading, w, wall),
        html.Div(state(found, snapshot.at, w), className="tile-state"),
        _foot(snapshot, reading, w, wall),
    ]
    kind = classes("tile", found.kind, found.was and f"was-{found.was}")
    if wall or snapshot.page in ("mayor", "opd"):
        return html.A(inside, className=kind, href=href(PAGES[kpi.domain], w))
    return html.Div(inside, className=kind)


def _figure(snapshot: Snapshot, kpi: Kpi, reading: Reading | None, found: Look, w: Words) -> html.Div:
    missing = found.kind in ("no_data", "day_off") or reading is None
    digits, unit = (MISSING, "") if missing or reading is None else w.value(reading.value, reading.unit)
    value: list[Any] = [html.Span(digits, className="tile-value")]
    if unit:
        value.append(html.Span(unit, className="tile-unit"))
    points = snapshot.trends.get(kpi.key, ())
    line = trend(points, reading.target if reading else None)
    return html.Div([html.Span(value, className="tile-number"), line], className="tile-figure")


def _target(snapshot: Snapshot, kpi: Kpi, reading: Reading | None, w: Words, wall: bool) -> html.Div:
    text = w.t("target {value}", value=target(reading, w) if reading else MISSING)
    heard = reporting(kpi, reading, w, wall)
    return html.Div([text, heard] if heard is not None else text, className="tile-target")


def reporting(kpi: Kpi, reading: Reading | None, w: Words, brief: bool) -> html.Span | None:
    """ "28 of 30 OPD reporting" where some are silent; `brief` is "28/30" with the sentence behind it."""
    if reading is None or reading.reporting is None or reading.expected is None:
        return None
    if reading.reporting >= reading.expected:
        return None
    n, everyone = w.number(reading.reporting), w.number(reading.expected)
    sentence = w.t(COUNTED[kpi.domain], n=n, all=everyone)
    if not brief:
        return html.Span(sentence, className="heard")
    noun = f"{NBSP}OPD" if kpi.domain in (Domain.SERVICE_REQUESTS, Domain.E_ATTENDANCE) else ""
    return html.Span(f"{n}/{everyone}{noun}", title=sentence, className="heard")


def _foot(snapshot: Snapshot, reading: Reading | None, w: Words, wall: bool) -> html.Div:
    """As-of time and owner. A wall shows the time alone; elsewhere the age stands beside it."""
    at = reading.observed_at if reading and reading.freshness is not Freshness.NEVER else None
    code = owner(snapshot, reading) if reading else None
    if wall:
        who: Any = brief(short(snapshot, code), ABBREVIATION)
    else:
        linked = snapshot.page not in ("mayor", "opd")
        who = opd_link(snapshot, code, w) if linked else short(snapshot, code)
    as_of = w.moment(at, snapshot.at) if at else MISSING
    if wall or at is None:
        time: Any = html.Span(as_of, className="as-of")
    else:
        time = ago(at, snapshot.at, w, w.t("as of {time}", time=as_of) + " · {age}", kind="observed")
    tight = wall and len(as_of) + len(who) > 21
    return html.Div(
        [time, html.Span(who, className="who")], className=classes("tile-foot", tight and "tight")
    )
