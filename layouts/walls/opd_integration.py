"""OPD integration on a wall: four figures, the ladder, and what the OPD on its lower steps lack."""

from __future__ import annotations

from typing import Any

from kpis.types import Snapshot
from kpis.views import IntegrationGlance
from layouts.panels.integration_tables import ladder
from layouts.panels.wall_rows import lacking
from layouts.walls.wall_page import Block, domain_page
from layouts.words import Words, msg

ROWS = 8


def _ladder(snapshot: Snapshot, view: IntegrationGlance, w: Words, tall: bool) -> Any:
    return ladder(view.steps, w)


def _lacking(snapshot: Snapshot, view: IntegrationGlance, w: Words, tall: bool) -> Any:
    return lacking(snapshot, view.steps, w, rows=ROWS, tall=tall)


PAGE = domain_page(
    "opd_integration",
    msg("Integration"),
    ("opd_integrated", "sync_success_share_24h", "data_age_hours_worst", "consistency_breaks"),
    (
        Block(name="ladder", title=msg("The ladder"), draw=_ladder),
        Block(name="lacking", title=msg("What the next step lacks"), draw=_lacking, wide=2),
    ),
)
