"""Short lists for a wall: few rows, few words, nothing that has to be scrolled or cut off by its box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from kpis.types import Snapshot
from kpis.views import AppRow, AppState, AttendanceView, OpdAttendance, OpdStep, UptimeView
from layouts.flat import flat
from layouts.marks import ago, short
from layouts.panels.app_table import state_of
from layouts.panels.arrival_curve import rate
from layouts.panels.attendance_table import heard
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


def troubled_apps(snapshot: Snapshot, view: UptimeView, w: Words, *, rows: int, tall: bool) -> Component:
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


def _since(app: AppRow, snapshot: Snapshot, w: Words) -> Any:
    """How long it is down, or unheard; nothing of an application that is up."""
    if app.state is AppState.UNKNOWN:
        return ago(app.observed_at, snapshot.at, w)
    return ago(app.since if app.state is AppState.DOWN else None, snapshot.at, w)


def _in_trouble(app: AppRow, objective: float) -> bool:
    if app.state is AppState.NEVER:
        return False
    return app.state is not AppState.UP or (app.uptime_30d is not None and app.uptime_30d < objective)


def _host(app: AppRow) -> str:
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


def lowest_rates(snapshot: Snapshot, view: AttendanceView, w: Words, *, rows: int) -> Component:
    """The OPD with the lowest attendance, and those whose clocks are silent said as such."""
    known = [row for row in view.by_opd if row.expected]
    if not known:
        return nothing(w.t("Nobody is expected today."))
    ordered = sorted(known, key=lambda row: (heard(row), _rate(row)))
    cells = [
        [
            brief(short(snapshot, row.opd), ABBREVIATION),
            w.share(_rate(row)) if heard(row) else MISSING,
            _of(row, w) if heard(row) else w.t("no data"),
        ]
        for row in ordered[:rows]
    ]
    return wall_rows(cells, len(ordered) - rows, w, "rates-rows")


def _rate(row: OpdAttendance) -> float:
    found = rate(row.present + row.off_site, max(row.expected - row.leave, 0))
    return 1.0 if found is None else found


def _of(row: OpdAttendance, w: Words) -> str:
    due = max(row.expected - row.leave, 0)
    return w.t("{n} of {all}", n=w.number(row.present + row.off_site), all=w.number(due))
