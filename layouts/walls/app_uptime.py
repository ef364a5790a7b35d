"""Applications on a wall: four figures, which are in trouble and since when, and all of them as cells."""

from __future__ import annotations

from typing import Any

from dash import html

from kpis.types import Snapshot
from kpis.views import UptimeGlance
from layouts.panels.app_cells import app_cells
from layouts.panels.wall_rows import troubled_apps
from layouts.walls.wall_page import Block, domain_page
from layouts.words import Words, msg

ROWS = 7


def _trouble(snapshot: Snapshot, view: UptimeGlance, w: Words, tall: bool) -> Any:
    return troubled_apps(snapshot, view, w, rows=ROWS, tall=tall)


def _all(snapshot: Snapshot, view: UptimeGlance, w: Words, tall: bool) -> html.Div:
    return app_cells(view.apps, w)


PAGE = domain_page(
    "app_uptime",
    msg("Applications"),
    ("apps_down_now", "app_uptime_24h", "app_uptime_30d", "error_budget_left_30d"),
    (
        Block(name="trouble", title=msg("Applications in trouble"), draw=_trouble, wide=2),
        Block(name="all", title=msg("All applications"), draw=_all),
    ),
)
