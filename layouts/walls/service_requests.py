"""Service requests on a wall: four figures, how old the open ones are, who has the overdue, and where."""

from __future__ import annotations

from functools import partial
from typing import Any

from dash import html
from dash.development.base_component import Component

from kpis.types import Snapshot
from kpis.views import RequestsView
from layouts.marks import short
from layouts.panels.bars import Bar, age_bars, bars
from layouts.panels.columns import day_columns
from layouts.panels.kelurahan_map import kelurahan_map
from layouts.panels.urgent import ABBREVIATION, brief
from layouts.svg import Svg, drawing, element
from layouts.walls.wall_page import Block, domain_page
from layouts.words import Words, msg

OPDS, TALL_OPDS = 8, 6
BOX = partial(element, "rect", x=1, y=1, width=10, height=10)


def _ages(snapshot: Snapshot, view: RequestsView, w: Words, tall: bool) -> Any:
    return with_key(age_bars(w.t("Age"), view.ages, w), w)


def _opds(snapshot: Snapshot, view: RequestsView, w: Words, tall: bool) -> Any:
    """The OPD with the most overdue requests."""
    rows = [row for row in view.by_opd if row.open][: TALL_OPDS if tall else OPDS]
    found = [Bar(brief(short(snapshot, row.opd), ABBREVIATION), row.open, row.overdue) for row in rows]
    return with_key(bars("OPD", found, w), w)


def with_key(inside: Component, w: Words) -> html.Div:
    """Bars with what their shapes and their two figures mean above them, where a head would be too wide."""
    keys = [
        html.Span([Svg(drawing(12, 12, [BOX(class_=kind)], ""), className="swatch"), word], className="key")
        for kind, word in (("c-hollow", w.t("open")), ("c-solid", w.t("overdue")))
    ]
    return html.Div([html.Div(keys, className="legend"), inside], className="keyed")


def _map(snapshot: Snapshot, view: RequestsView, w: Words, tall: bool) -> Any:
    return kelurahan_map(snapshot.city, view.by_kelurahan, w)


def _days(snapshot: Snapshot, view: RequestsView, w: Words, tall: bool) -> Any:
    return day_columns(view.days, w)


def _has_map(snapshot: Snapshot) -> bool:
    return snapshot.city.map_file is not None and not _tall(snapshot)


def _has_none(snapshot: Snapshot) -> bool:
    return snapshot.city.map_file is None and not _tall(snapshot)


def _tall(snapshot: Snapshot) -> bool:
    tall: bool = snapshot.detail.screen.layout == "portrait"
    return tall


PAGE = domain_page(
    "service_requests",
    msg("Service requests"),
    ("requests_open", "requests_overdue_share", "requests_close_days_p50_30d", "requests_on_time_share_30d"),
    (
        Block(name="ages", title=msg("Open requests by age"), draw=_ages),
        Block(name="by-opd", title=msg("Most overdue requests"), draw=_opds),
        Block(name="map", title=msg("Open requests by kelurahan"), draw=_map, when=_has_map),
        Block(name="days", title=msg("Opened and closed, 30 days"), draw=_days, when=_has_none),
    ),
)
