"""Every application with its state: what it is, who answers for it, since when, and ninety days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component

from kpis.types import Snapshot
from kpis.views import AppDay, AppRow, AppState
from layouts.flat import flat
from layouts.marks import ago, classes, href, opd_link
from layouts.panels.heartbeat import HEIGHT, beat_axis, heartbeat, remarks, span, unobserved, uptime, wide
from layouts.panels.tables import Column, gap, nothing, table, two_lines
from layouts.svg import Svg, drawing, element
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
    """A row per application in the order given; on a phone each row is a card of its own.

    The browser (`assets/heartbeat.js`) tells day by day what a heartbeat says, from `data-first`, the
    heartbeat's `data-days` and its `data-said`.
    """
    if not rows:
        return nothing(w.t("No application is in the inventory."))
    first = next((row.days[0].day for row in rows if row.days), None)
    titles = (
        w.t("State"), w.t("Application"), w.t("Owner"), beat_axis(first, w), w.t("24 hours"), w.t("30 days"),
        w.t("Latency"), w.t("Certificate"),
    )  # fmt: skip
    heads = [html.Th(title, scope="col") for title in titles]
    attributes: dict[str, Any] = {
        "data-first": first.isoformat() if first else "", "data-plain": w.t("up all day"),
    }  # fmt: skip
    body = [_row(snapshot, row, w) for row in rows]
    inside = [html.Thead(html.Tr(heads)), html.Tbody(body)]
    return flat(html.Table(inside, className="table apps", **attributes), "scroll", w.t("Applications"))


def state_of(state: AppState, w: Words) -> html.Span:
    """The word of a state; its shape comes from the class."""
    return html.Span(w.t(APP_STATES[state]), className=classes("state", LOOKS[state]))


def _row(snapshot: Snapshot, row: AppRow, w: Words) -> html.Tr:
    now = snapshot.at
    # What an application in silence or maintenance was like before is not what it is like now.
    heard = row.state in (AppState.UP, AppState.DOWN)
    since = ago(row.since, now, w, w.t("for {age}")) if heard and row.since else None
    reason = why(row, snapshot, w)
    latency = f"{w.number(row.latency_ms)}\u00a0ms" if heard and row.latency_ms is not None else MISSING
    notes = [html.Div(one, className="small-print") for one in (since, reason) if one]
    cells = [
        _cell([state_of(row.state, w), *notes]),
        html.Th(_name(row, w), scope="row"),
        _cell(owner(snapshot, row, w)),
        _cell(_beats(row, now, w), "beat"),
        _cell(w.share(row.uptime_24h), "num", w.t("24 hours")),
        _cell(w.share(row.uptime_30d), "num", w.t("30 days")),
        _cell(latency, "num", w.t("Latency")),
        _cell(certificate(row, snapshot, w), "num", w.t("Certificate")),
    ]
    return html.Tr(cells, className=f"app {LOOKS[row.state]}")


def _cell(inside: Any, kind: str | None = None, label: str | None = None) -> html.Td:
    """A cell; `label` stands before a figure where a phone shows no head."""
    attributes: dict[str, Any] = {} if label is None else {"data-label": label}
    return html.Td(inside, className=kind, **attributes)


def _beats(row: AppRow, now: datetime, w: Words) -> Any:
    if not row.days:
        return MISSING
    attributes: dict[str, Any] = {"data-days": len(row.days), "data-said": remarks(row.days, now, w)}
    return html.Div(heartbeat(row.days, now, w), className="beats", **attributes)


def beats(row: AppRow, now: datetime, w: Words) -> Component:
    """The heartbeat of one application alone."""
    days = row.days
    said = remarks(days, now, w)
    return wide(heartbeat(days, now, w), days[0].day, len(days), said, w.t("up all day"), w)


def _name(row: AppRow, w: Words) -> Any:
    """The address, which leads to the application's own page, and its name under it."""
    link = html.A(row.app, href=app_href(row.app, w))
    return two_lines(link, None if row.name == row.app else row.name)


def app_href(app: str, w: Words) -> str:
    """Where an application's own page is."""
    return href("/application", w, app=app)


def address(row: AppRow) -> Any | None:
    """A link to the application when its address is one: a name out of an inventory may be anything."""
    if row.url is None or not row.url.startswith(("https://", "http://")):
        return None
    return html.A(row.url, href=row.url, target="_blank", rel="noopener noreferrer")


def owner(snapshot: Snapshot, row: AppRow, w: Words) -> Any:
    who: Any = row.owner or gap(w.t("no owner"))
    opd: Any = opd_link(snapshot, row.opd, w) if row.opd else gap(w.t("no OPD"))
    return two_lines(opd, who)


def why(row: AppRow, snapshot: Snapshot, w: Words) -> Any | None:
    """Why the latest check failed; how long ago it was where nothing was heard since."""
    if row.state is AppState.UNKNOWN:
        return ago(row.observed_at, snapshot.at, w, w.t("last check {age} ago"), kind="observed")
    if row.state is not AppState.DOWN:
        return None
    if row.status_code is not None and (row.error is None or row.error.startswith("http")):
        return f"HTTP\u00a0{row.status_code}"
    return term(CHECK_ERRORS, row.error, w) if row.error else None


def certificate(row: AppRow, snapshot: Snapshot, w: Words) -> Any:
    """Whole days left; a certificate that ran out says so."""
    if row.cert_expires_at is None:
        return MISSING
    left = row.cert_expires_at - snapshot.at
    if left.total_seconds() < 0:
        return html.Span(w.t("expired"), className="state act")
    return w.t("{n} d", n=w.number(left.days))


def beat_keys(w: Words) -> html.Div:
    """What the marks of a heartbeat mean, each drawn as it is drawn there."""
    marks = (
        ("h-flat", "M0 18H3", w.t("no downtime")),
        ("h-down", "M0 20v-16h3v16z", w.t("down, the higher the longer")),
        ("h-hollow", "M0.5 .5h2v19h-2z", w.t("not observed")),
        ("h-kept", "M0 23h3", w.t("declared maintenance")),
        ("h-now", "M0 16.5h3v3h-3z", w.t("today, so far")),
    )
    keys = [
        html.Span(
            [Svg(drawing(4, HEIGHT, [element("path", d=d, class_=name)], ""), className="swatch"), meaning],
            className="key",
        )
        for name, d, meaning in marks
    ]
    return html.Div(keys, className="beat-keys")


def days_table(rows: Sequence[AppRow], w: Words) -> Component:
    """The figures of the heartbeats: a row per application that was down or unobserved."""
    columns = [
        Column(w.t("Application")),
        Column(w.t("90 days"), number=True),
        Column(w.t("Downtime"), number=True),
        Column(w.t("Days with downtime"), number=True),
        Column(w.t("Worst day")),
        Column(w.t("Days unobserved"), number=True),
    ]
    cells = [_days_row(row, w) for row in rows if row.days and any(_told(day) for day in row.days)]
    if not cells:
        return nothing(w.t("No application was down or unobserved in these days."))
    return table(w.t("Downtime by application, 90 days"), columns, cells)


def _told(day: AppDay) -> bool:
    return bool(day.down_s) or unobserved(day) > 0


def _days_row(row: AppRow, w: Words) -> list[Any]:
    bad = [day for day in row.days if day.down_s]
    worst = max(bad, key=lambda day: day.down_s, default=None)
    return [
        row.app,
        w.share(uptime(row.days)),
        span(sum(day.down_s for day in bad), w) if bad else MISSING,
        w.number(len(bad)),
        f"{w.day(worst.day)}: {span(worst.down_s, w)}" if worst else MISSING,
        w.number(sum(unobserved(day) >= 0.5 for day in row.days)),
    ]
