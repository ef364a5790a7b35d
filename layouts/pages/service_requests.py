"""Service requests: how many are open and overdue, where they lie, and which wait longest."""

from __future__ import annotations

from dash import html

from kpis.types import Domain, Snapshot
from kpis.views import RequestsView
from layouts.pages.page import Page, Panels, domain_keys, section, slot, with_shared
from layouts.panels.bars import age_bars, count_bars
from layouts.panels.columns import day_columns
from layouts.panels.kelurahan_map import kelurahan_map
from layouts.panels.kpi_tile import kpi_tile
from layouts.panels.request_table import request_table
from layouts.panels.request_tables import kelurahan_table, opd_requests
from layouts.terms import CHANNELS, STATUSES, plain, term
from layouts.words import Words, msg

TITLE = msg("Service requests")


def panels(snapshot: Snapshot, w: Words) -> Panels:
    """The domain's tiles, then one panel a question."""
    view: RequestsView = snapshot.detail
    own: Panels = {
        f"tile-{key}": kpi_tile(snapshot, key, w) for key in domain_keys(snapshot, Domain.SERVICE_REQUESTS)
    }
    own["requests-days"] = day_columns(view.days, w)
    own["requests-ages"] = age_bars(w.t("Age"), view.ages, w)
    own["requests-status"] = count_bars(w.t("Status"), view.by_status, lambda c: term(STATUSES, c, w), w)
    own["requests-channel"] = count_bars(w.t("Channel"), view.by_channel, lambda c: term(CHANNELS, c, w), w)
    own["requests-category"] = count_bars(w.t("Category"), view.by_category, plain, w)
    own["requests-opd"] = opd_requests(snapshot, view.by_opd, w)
    own["requests-map"] = kelurahan_map(snapshot.city, view.by_kelurahan, w)
    own["requests-kelurahan"] = kelurahan_table(view.by_kelurahan, w)
    own["requests-oldest"] = request_table(snapshot, view.oldest, w)
    return with_shared(snapshot, w, own)


def frame(snapshot: Snapshot, w: Words) -> html.Div:
    """Tiles, thirty days, where the open ones lie, and the oldest of them."""
    found = panels(snapshot, w)
    keys = domain_keys(snapshot, Domain.SERVICE_REQUESTS)
    tiles = html.Div([slot(found, f"tile-{key}", "tile-slot") for key in keys], className="tiles")
    pairs = (
        ("requests-ages", msg("Open requests by age")),
        ("requests-status", msg("Open requests by status")),
        ("requests-channel", msg("Open requests by channel")),
        ("requests-category", msg("Open requests by category")),
    )
    return html.Div(
        [
            html.H1(w.t(TITLE)),
            tiles,
            section(
                w.t("Opened and closed, 30 days"),
                slot(found, "requests-days"),
                note=w.t("The last day is today, so far."),
            ),
            html.Div([section(w.t(title), slot(found, name)) for name, title in pairs], className="halves"),
            section(w.t("By OPD"), slot(found, "requests-opd")),
            section(
                w.t("By kelurahan"),
                slot(found, "requests-map"),
                slot(found, "requests-kelurahan"),
                className="short",
            ),
            section(w.t("Waiting longest"), slot(found, "requests-oldest")),
        ],
        className="page",
    )


PAGE = Page(
    name="service_requests",
    path="/service-requests",
    title=TITLE,
    detail=RequestsView,
    scope="city",
    wall=False,
    panels=panels,
    frame=frame,
)
