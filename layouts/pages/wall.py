"""The wall: up to eight tiles, who has to look at what, and where the OPD stand."""

from __future__ import annotations

from dash import html

from kpis.types import Snapshot
from kpis.views import WallView
from layouts.pages.page import Page, Panels, slot, with_shared
from layouts.panels.attention_list import attention_list
from layouts.panels.kpi_tile import kpi_tile
from layouts.panels.opd_matrix import opd_strip
from layouts.words import Words, msg

ROWS = 3


def panels(snapshot: Snapshot, w: Words) -> Panels:
    """One panel a tile, the attention list and the OPD strip."""
    view: WallView = snapshot.detail
    own: Panels = {f"tile-{key}": kpi_tile(snapshot, key, w, wall=True) for key in view.tiles[:8]}
    own["attention"] = attention_list(snapshot, w, rows=ROWS)
    own["opd-strip"] = opd_strip(snapshot, view.standings, w)
    return with_shared(snapshot, w, own)


def frame(snapshot: Snapshot, w: Words) -> html.Div:
    """Tiles in two rows of four, then attention and OPD; nothing scrolls."""
    found = panels(snapshot, w)
    view: WallView = snapshot.detail
    tiles = html.Div([slot(found, f"tile-{key}", "tile-slot") for key in view.tiles[:8]], className="tiles")
    return html.Div([tiles, slot(found, "attention"), slot(found, "opd-strip")], className="wall-page")


PAGE = Page(
    name="wall",
    path="/wall",
    title=msg("Wall screen"),
    detail=WallView,
    scope="city",
    wall=True,
    panels=panels,
    frame=frame,
    ranged=False,
)
