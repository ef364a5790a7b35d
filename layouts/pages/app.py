"""One application: what it is, who answers for it, its ninety days, the outages of the days looked at."""

from __future__ import annotations

from typing import Any

from dash import html

from kpis.types import Snapshot
from kpis.views import AppRow, AppView
from layouts.marks import ago, href
from layouts.pages.page import Page, Panels, section, slot, with_shared
from layouts.panels.app_table import address, beat_keys, beats, certificate, owner, state_of, why
from layouts.panels.heartbeat import remark
from layouts.panels.outage_table import duration, outage_table
from layouts.panels.range_switch import range_text
from layouts.panels.tables import Column, behind, nothing, table
from layouts.words import MISSING, Words, msg

TITLE = msg("Application")


def panels(snapshot: Snapshot, w: Words) -> Panels:
    """What it is, its heartbeat with the table behind it, its outages."""
    view: AppView = snapshot.detail
    own: Panels = {
        "app-facts": _facts(snapshot, view, w),
        "app-beats": _beats(snapshot, view, w),
        "app-days": _days(snapshot, view, w),
        "app-sum": _sum(snapshot, view, w),
        "app-outages": outage_table(view, snapshot.at, w),
    }
    return with_shared(snapshot, w, own)


def frame(snapshot: Snapshot, w: Words) -> html.Div:
    """The name, the facts, ninety days, the outages; a name the inventory does not have says so."""
    found = panels(snapshot, w)
    view: AppView = snapshot.detail
    back = html.P(html.A(w.t("All applications"), href=href("/app-uptime", w)), className="crumb")
    if view.row is None:
        said = w.t("The inventory has no application {app}.", app=view.app)
        return html.Div([back, html.H1(w.t(TITLE)), html.P(said, className="sentence")], className="page")
    return html.Div(
        [
            back,
            html.H1(view.row.name),
            section(w.t("What it is"), slot(found, "app-facts")),
            section(
                w.t("Ninety days"),
                beat_keys(w),
                slot(found, "app-beats"),
                behind(slot(found, "app-days"), w),
                note=w.t("Promised uptime {share}.", share=w.share(view.objective)),
            ),
            section(w.t("Downtime"), slot(found, "app-sum"), slot(found, "app-outages")),
        ],
        className="page",
    )


def _facts(snapshot: Snapshot, view: AppView, w: Words) -> Any:
    row = view.row
    if row is None:
        return ""
    listed = [item for name, value in _named(snapshot, row, w) for item in (html.Dt(name), html.Dd(value))]
    return html.Dl(listed, className="facts-list")


def _named(snapshot: Snapshot, row: AppRow, w: Words) -> list[tuple[str, Any]]:
    reason = why(row, snapshot, w)
    latency = MISSING if row.latency_ms is None else f"{w.number(row.latency_ms)}\u00a0ms"
    return [
        (w.t("State"), html.Span([state_of(row.state, w), *([" · ", reason] if reason else [])])),
        (w.t("Since"), ago(row.since, snapshot.at, w)),
        (w.t("Last check"), ago(row.observed_at, snapshot.at, w, kind="observed")),
        (w.t("Address"), address(row) or row.app),
        (w.t("Owner"), owner(snapshot, row, w)),
        (w.t("Hosting"), row.hosting or MISSING),
        (w.t("Latency"), latency),
        (w.t("Certificate"), certificate(row, snapshot, w)),
        (w.t("24 hours"), w.share(row.uptime_24h)),
        (w.t("30 days"), w.share(row.uptime_30d)),
    ]


def _beats(snapshot: Snapshot, view: AppView, w: Words) -> Any:
    if view.row is None or not view.row.days:
        return nothing(w.t("It was never checked."))
    return beats(view.row, snapshot.at, w)


def _days(snapshot: Snapshot, view: AppView, w: Words) -> Any:
    days = view.row.days if view.row else ()
    today = w.local(snapshot.at).date()
    told = [(day.day, remark(day, today, w)) for day in reversed(days)]
    cells = [[w.date(day), said] for day, said in told if said]
    if not cells:
        return nothing(w.t("No downtime in these days."))
    return table(
        w.t("Days that were not plainly up"), [Column(w.t("Day")), Column(w.t("What was seen"))], cells
    )


def _sum(snapshot: Snapshot, view: AppView, w: Words) -> html.P:
    """The sum of the days looked at: what the uptime of those days is made of."""
    observed = view.up_s + view.down_s
    if not observed:
        said = w.t("{days}: nobody checked it.", days=range_text(snapshot.span, w))
        return html.P(said, className="sentence")
    text = w.n(
        "{days}: up {share} of the time it was observed, down {down} in {n} outage.",
        "{days}: up {share} of the time it was observed, down {down} in {n} outages.",
        view.outage_count,
        days=range_text(snapshot.span, w), share=w.share(view.up_s / observed),
        down=duration(view.down_s, w) if view.down_s else w.t("0 min"),
    )  # fmt: skip
    return html.P(text, className="sentence")


PAGE = Page(
    name="app",
    path="/application",
    title=TITLE,
    detail=AppView,
    scope="city",
    wall=False,
    panels=panels,
    frame=frame,
    picks=("app",),
)
