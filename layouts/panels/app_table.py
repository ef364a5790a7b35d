"""Every application with its state: what it is, who answers for it, since when, and thirty days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from kpis.types import Snapshot
from kpis.views import AppRow, AppState
from layouts.marks import ago, classes, opd_link
from layouts.panels.heartbeat import heartbeat
from layouts.panels.tables import Column, gap, nothing, table, two_lines
from layouts.terms import APP_STATES, CHECK_ERRORS, term
from layouts.words import MISSING, Words

# The look of each state: an application that is down is what somebody has to act on.
LOOKS = {
    AppState.UP: "up",
    AppState.DOWN: "act",
    AppState.UNKNOWN: "no_data",
    AppState.MAINTENANCE: "maintenance",
    AppState.NEVER: "never",
}


def status_grid(snapshot: Snapshot, rows: Sequence[AppRow], w: Words) -> Component:
    """A row per application in the order given."""
    if not rows:
        return nothing(w.t("No application is in the inventory."))
    columns = [
        Column(w.t("State")),
        Column(w.t("Application")),
        Column(w.t("Owner")),
        Column(w.t("Since"), number=True),
        Column(w.t("Latency"), number=True),
        Column(w.t("24 hours"), number=True),
        Column(w.t("30 days"), number=True),
        Column(w.t("30 days, by day")),
        Column(w.t("Certificate"), number=True),
    ]
    cells = [_row(snapshot, row, w) for row in rows]
    return table(
        w.t("Applications"), columns, cells, kinds=[f"app {LOOKS[row.state]}" for row in rows], first=1
    )


def state_of(state: AppState, w: Words) -> html.Span:
    """The word of a state; its shape comes from the class."""
    return html.Span(w.t(APP_STATES[state]), className=classes("state", LOOKS[state]))


def _row(snapshot: Snapshot, row: AppRow, w: Words) -> list[Any]:
    now = snapshot.at
    # What an application in silence or maintenance was like before is not what it is like now.
    heard = row.state in (AppState.UP, AppState.DOWN)
    beats = heartbeat(row.days, now, w) if row.days else MISSING
    return [
        two_lines(state_of(row.state, w), _why(row, snapshot, w)),
        two_lines(_address(row), None if row.name == row.app else row.name),
        _owner(snapshot, row, w),
        ago(row.since if heard else None, now, w),
        f"{w.number(row.latency_ms)}\u00a0ms" if heard and row.latency_ms is not None else MISSING,
        w.share(row.uptime_24h),
        w.share(row.uptime_30d),
        beats,
        _certificate(row, snapshot, w),
    ]


def _address(row: AppRow) -> Any:
    """The address, as a link when it is one: a name out of an inventory may be anything."""
    if row.url is None or not row.url.startswith(("https://", "http://")):
        return row.app
    return html.A(row.app, href=row.url, target="_blank", rel="noopener noreferrer")


def _owner(snapshot: Snapshot, row: AppRow, w: Words) -> Any:
    who: Any = row.owner or gap(w.t("no owner"))
    opd: Any = opd_link(snapshot, row.opd, w) if row.opd else gap(w.t("no OPD"))
    return two_lines(opd, who)


def _why(row: AppRow, snapshot: Snapshot, w: Words) -> Any | None:
    """Why the latest check failed; how long ago it was where nothing was heard since."""
    if row.state is AppState.UNKNOWN:
        return ago(row.observed_at, snapshot.at, w, w.t("last check {age} ago"), kind="observed")
    if row.state is not AppState.DOWN:
        return None
    if row.status_code is not None and (row.error is None or row.error.startswith("http")):
        return f"HTTP\u00a0{row.status_code}"
    return term(CHECK_ERRORS, row.error, w) if row.error else None


def _certificate(row: AppRow, snapshot: Snapshot, w: Words) -> Any:
    """Whole days left; a certificate that ran out says so."""
    if row.cert_expires_at is None:
        return MISSING
    left = row.cert_expires_at - snapshot.at
    if left.total_seconds() < 0:
        return html.Span(w.t("expired"), className="state act")
    return w.t("{n} d", n=w.number(left.days))
