"""Service requests on a wall: four figures, how old the open ones are, who has the overdue, and where."""

from __future__ import annotations

from functools import partial
from typing import Any

from dash import html
from dash.development.base_component import Component

from kpis.types import Reading, Snapshot
from kpis.views import RequestsGlance
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


def _ages(snapshot: Snapshot, view: RequestsGlance, w: Words, tall: bool) -> Any:
    return with_key(age_bars(w.t("Age"), view.ages, w), w)


def _opds(snapshot: Snapshot, view: RequestsGlance, w: Words, tall: bool) -> Any:
    """The OPD with the most overdue requests, by their own readings."""
    opened = snapshot.by_opd.get("requests_open", {})
    late = snapshot.by_opd.get("requests_overdue_share", {})
    found = [
        Bar(brief(short(snapshot, code), ABBREVIATION), int(one.value), overdue(late.get(code)))
        for code, one in opened.items()
        if one.value
    ]
    found.sort(key=lambda bar: (-bar.overdue, -bar.count, bar.name))
    return with_key(bars("OPD", found[: TALL_OPDS if tall else OPDS], w), w)


def overdue(reading: Reading | None) -> int:
    """How many of an OPD's open requests are overdue."""
    return int(reading.numerator or 0) if reading is not None else 0


def with_key(inside: Component, w: Words) -> html.Div:
    """Bars with what their shapes and their two figures mean above them, where a head would be too wide."""
    keys = [
        html.Span([Svg(drawing(12, 12, [BOX(class_=kind)], ""), className="swatch"), word], className="key")
        for kind, word in (("c-hollow", w.t("open")), ("c-solid", w.t("overdue")))
    ]
    return html.Div([html.Div(keys, className="legend"), inside], className="keyed")


def _map(snapshot: Snapshot, view: RequestsGlance, w: Words, tall: bool) -> Any:
    return kelurahan_map(snapshot.city, view.by_kelurahan, w)


def _days(snapshot: Snapshot, view: RequestsGlance, w: Words, tall: bool) -> Any:
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
