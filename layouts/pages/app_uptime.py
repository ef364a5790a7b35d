"""Applications: the whole inventory worst first, with its gaps counted on top."""

from __future__ import annotations

from collections import Counter
from typing import Any

from dash import html

from kpis.types import Domain, Snapshot
from kpis.views import AppState, UptimeView
from layouts.pages.page import Page, Panels, domain_keys, section, slot, with_shared
from layouts.panels.app_table import LOOKS, beat_keys, days_table, status_grid
from layouts.panels.kpi_tile import kpi_tile
from layouts.panels.opd_choice import opd_choice
from layouts.panels.screen_table import monitored_screens
from layouts.panels.tables import behind
from layouts.terms import APP_STATES
from layouts.words import Words, msg

PATH = "/app-uptime"
TITLE = msg("Applications")


def panels(snapshot: Snapshot, w: Words) -> Panels:
    """The domain's tiles, the counts, and the grid."""
    view: UptimeView = snapshot.detail
    own: Panels = {
        f"tile-{key}": kpi_tile(snapshot, key, w) for key in domain_keys(snapshot, Domain.APP_UPTIME)
    }
    own["apps-counts"] = counts(view, w)
    own["apps-screens"] = monitored_screens(snapshot, w)
    own["apps-grid"] = status_grid(snapshot, view.apps, w)
    own["apps-days"] = days_table(view.apps, w)
    return with_shared(snapshot, w, own)


def counts(view: UptimeView, w: Words) -> html.Ul:
    """How many are in which state, all five said even where nobody is, and how many have no owner."""
    found = Counter(row.state for row in view.apps)
    items: list[Any] = [
        html.Li(
            html.Span(
                [html.B(w.number(found[state])), w.t(APP_STATES[state])],
                className=f"state {LOOKS[state] if found[state] else 'up'}",
            )
        )
        for state in (AppState.DOWN, AppState.UNKNOWN, AppState.MAINTENANCE, AppState.NEVER, AppState.UP)
    ]
    ownerless = sum(row.owner is None for row in view.apps)
    items.append(html.Li(w.t("{n} without a named owner", n=w.number(ownerless))))
    items.append(html.Li(w.t("{n} without owner and OPD", n=w.number(view.without_owner))))
    return html.Ul(items, className="counts")


def frame(snapshot: Snapshot, w: Words) -> html.Div:
    """Tiles, counts, grid."""
    found = panels(snapshot, w)
    view: UptimeView = snapshot.detail
    keys = domain_keys(snapshot, Domain.APP_UPTIME)
    tiles = html.Div([slot(found, f"tile-{key}", "tile-slot") for key in keys], className="tiles")
    note = w.t(
        "Promised uptime {share}. Point at a day, touch it, or move along it with the arrow keys.",
        share=w.share(view.objective),
    )
    return html.Div(
        [
            html.H1(w.t(TITLE)),
            opd_choice(snapshot, PATH, w),
            tiles,
            section(
                w.t("All applications, worst first"),
                slot(found, "apps-counts"),
                slot(found, "apps-screens"),
                beat_keys(w),
                slot(found, "apps-grid"),
                behind(slot(found, "apps-days"), w),
                note=note,
            ),
        ],
        className="page",
    )


PAGE = Page(
    name="app_uptime",
    path=PATH,
    title=TITLE,
    detail=UptimeView,
    scope="city",
    wall=False,
    panels=panels,
    frame=frame,
    picks=("opd",),
)
