"""Short lists for a wall: few rows, few words, nothing that has to be scrolled or cut off by its box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from kpis.types import Reading, Snapshot
from kpis.views import AppGlance, AppState, OpdStep, UptimeGlance
from layouts.flat import flat
from layouts.marks import ago, look, short
from layouts.panels.app_table import state_of
from layouts.panels.tables import nothing
from layouts.panels.urgent import ABBREVIATION, brief
from layouts.words import MISSING, Words

APP, LACK, TALL_LACK = 24, 52, 40


def wall_rows(
    rows: Sequence[Sequence[Any]], more: int, w: Words, className: str, head: Sequence[str] = ()
) -> Component:
    """A row a thing, its first cell its head; how many more there are is said under them."""
    body = [html.Tr([html.Th(row[0], scope="row"), *(html.Td(cell) for cell in row[1:])]) for row in rows]
    parts: list[Any] = [html.Tbody(body)]
    if head:
        parts.insert(0, html.Thead(html.Tr([html.Th(text, scope="col") for text in head])))
    inside: list[Any] = [html.Table(parts, className="wall-rows")]
    if more > 0:
        inside.append(html.P(w.t("+{n} more", n=w.number(more)), className="more"))
    return flat(inside, className)


def troubled_apps(snapshot: Snapshot, view: UptimeGlance, w: Words, *, rows: int, tall: bool) -> Component:
    """The applications that are not up, then those below the promised uptime; worst first. A `tall` screen
    leaves the OPD out."""
    found = [app for app in view.apps if _in_trouble(app, view.objective)]
    if not found:
        return nothing(w.t("All applications are up and keep the promised uptime."))
    cells = [
        [
            state_of(app.state, w),
            html.Span(_host(app), className="app-name"),
            *([] if tall else [brief(short(snapshot, app.opd), ABBREVIATION) if app.opd else w.t("no OPD")]),
            _since(app, snapshot, w),
            w.share(app.uptime_30d),
        ]
        for app in found[:rows]
    ]
    head = [w.t("State"), w.t("Application"), *([] if tall else ["OPD"]), w.t("Since"), w.t("30 days")]
    return wall_rows(cells, len(found) - rows, w, "troubled", head)


def _since(app: AppGlance, snapshot: Snapshot, w: Words) -> Any:
    """How long it is down, or unheard; nothing of an application that is up."""
    if app.state is AppState.UNKNOWN:
        return ago(app.observed_at, snapshot.at, w)
    return ago(app.since if app.state is AppState.DOWN else None, snapshot.at, w)


def _in_trouble(app: AppGlance, objective: float) -> bool:
    if app.state is AppState.NEVER:
        return False
    return app.state is not AppState.UP or (app.uptime_30d is not None and app.uptime_30d < objective)


def _host(app: AppGlance) -> str:
    """An address without the city's part, which all of them share: `layanan.dinkes` of …kota.go.id."""
    name = app.app.removeprefix("https://").removeprefix("http://").strip("/")
    return brief(".".join(name.split(".")[:2]) if name.endswith(".go.id") else name, APP)


def lacking(snapshot: Snapshot, steps: Sequence[OpdStep], w: Words, *, rows: int, tall: bool) -> Component:
    """The OPD below the top step, lowest first, with what each lacks for its next one."""
    found = [one for one in steps if one.lacks]
    if not found:
        return nothing(w.t("Every OPD stands on the top step."))
    cells = [
        [
            brief(short(snapshot, one.opd), ABBREVIATION),
            w.t("{n} of {all}", n=w.number(one.integrated), all=w.number(one.interfaces)),
            brief(w.t(one.lacks or ""), TALL_LACK if tall else LACK),
        ]
        for one in found[:rows]
    ]
    return wall_rows(cells, len(found) - rows, w, "lacking-rows")


def lowest_rates(snapshot: Snapshot, w: Words, *, rows: int) -> Component:
    """The OPD with the lowest attendance, after those whose clocks are silent, which are said as such."""
    found = snapshot.by_opd.get("attendance_rate_today", {})
    if snapshot.day_off is not None or not found:
        return nothing(w.t("Nobody is expected today."))
    ordered = sorted(found.items(), key=lambda one: (heard(one[1]), one[1].value or 0.0, one[0]))
    cells = [
        [brief(short(snapshot, code), ABBREVIATION), *_rate(reading, w)] for code, reading in ordered[:rows]
    ]
    return wall_rows(cells, len(ordered) - rows, w, "rates-rows")


def heard(reading: Reading) -> bool:
    """Whether an OPD's rate is one of today: silence is not an attendance of 0 %."""
    return look(reading).kind not in ("no_data", "stale")


def _rate(reading: Reading, w: Words) -> list[str]:
    """The rate and what it was divided by."""
    if not heard(reading):
        return [MISSING, w.t("no data")]
    if reading.numerator is None or reading.denominator is None:
        return [w.share(reading.value), ""]
    n, everyone = w.number(reading.numerator), w.number(reading.denominator)
    return [w.share(reading.value), w.t("{n} of {all}", n=n, all=everyone)]
