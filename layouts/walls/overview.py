"""The overview: up to eight tiles, who has to look at what, and where the OPD stand."""

from __future__ import annotations

from dash import html

from kpis.types import Snapshot
from layouts.panels.attention_list import attention_list
from layouts.panels.kpi_tile import kpi_tile
from layouts.panels.opd_matrix import opd_strip
from layouts.walls.wall_page import Found, Panels, WallPage, place
from layouts.words import Words, msg

ROWS, SMALL_ROWS = 4, 3


def panels(snapshot: Snapshot, w: Words, tall: bool) -> Panels:
    """One panel a tile, the attention list and the OPD strip."""
    tiles, screen = tiles_of(snapshot), snapshot.detail.screen
    rows = SMALL_ROWS if tall or len(screen.fields) > 1 else ROWS
    own: Panels = {f"tile-{key}": kpi_tile(snapshot, key, w, wall=True) for key in tiles}
    own["attention"] = attention_list(snapshot, w, rows=rows, tiles=tiles)
    own["opd-strip"] = opd_strip(snapshot, snapshot.detail.standings, w)
    return own


def tiles_of(snapshot: Snapshot) -> tuple[str, ...]:
    """Eight at most: more cannot be taken in at a glance."""
    found: tuple[str, ...] = snapshot.detail.tiles[:8]
    return found


def frame(found: Found, snapshot: Snapshot, w: Words) -> html.Div:
    """Tiles in rows of four; under them the list, with the OPD counted beside its head."""
    tiles = [place(found, f"tile-{key}", "tile-slot") for key in tiles_of(snapshot)]
    below = html.Div([place(found, "attention"), place(found, "opd-strip")], className="overview-list")
    return html.Div([html.Div(tiles, className="tiles"), below], className="overview")


PAGE = WallPage(name="overview", title=msg("Overview"), panels=panels, frame=frame)
