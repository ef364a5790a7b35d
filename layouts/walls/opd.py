"""All OPD on one page of a wall, each with its loudest state in every domain, worst first."""

from __future__ import annotations

from dash import html

from kpis.types import Snapshot
from layouts.panels.wall_matrix import wall_matrix
from layouts.walls.wall_page import Found, Panels, WallPage, place
from layouts.words import Words, msg

COLUMNS, ROWS = 2, 15
TALL_ROWS = 30


def panels(snapshot: Snapshot, w: Words, tall: bool) -> Panels:
    """The matrix alone."""
    columns, rows = (1, TALL_ROWS) if tall else (COLUMNS, ROWS)
    return {"opd-matrix": wall_matrix(snapshot, w, columns=columns, rows=rows)}


def frame(found: Found, snapshot: Snapshot, w: Words) -> html.Div:
    """The matrix fills the page."""
    return html.Div(place(found, "opd-matrix"), className="all-opd")


PAGE = WallPage(name="opd", title=msg("All OPD"), panels=panels, frame=frame)
