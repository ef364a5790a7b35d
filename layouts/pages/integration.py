"""OPD integration: where the OPD stand on the ladder, their interfaces, and the budget chain's breaks."""

from __future__ import annotations

from dash import html

from kpis.types import Domain, Snapshot
from kpis.views import IntegrationView
from layouts.pages.page import Page, Panels, domain_keys, section, slot, with_shared
from layouts.panels.integration_tables import break_table, ladder, step_table
from layouts.panels.interface_table import interface_table
from layouts.panels.kpi_tile import kpi_tile
from layouts.words import Words, msg

TITLE = msg("Integration")


def panels(snapshot: Snapshot, w: Words) -> Panels:
    """The domain's tiles, then one panel a question."""
    view: IntegrationView = snapshot.detail
    own: Panels = {
        f"tile-{key}": kpi_tile(snapshot, key, w) for key in domain_keys(snapshot, Domain.OPD_INTEGRATION)
    }
    own["integration-ladder"] = ladder(view.steps, w)
    own["integration-steps"] = step_table(snapshot, view.steps, w)
    own["integration-interfaces"] = interface_table(snapshot, view.interfaces, w)
    own["integration-breaks"] = break_table(snapshot, view.breaks, view.codes, w)
    return with_shared(snapshot, w, own)


def frame(snapshot: Snapshot, w: Words) -> html.Div:
    """Tiles, the ladder, who lacks what, the evidence, the breaks."""
    found = panels(snapshot, w)
    keys = domain_keys(snapshot, Domain.OPD_INTEGRATION)
    tiles = html.Div([slot(found, f"tile-{key}", "tile-slot") for key in keys], className="tiles")
    return html.Div(
        [
            html.H1(w.t(TITLE)),
            tiles,
            section(
                w.t("The ladder"),
                slot(found, "integration-ladder"),
                note=w.t("Each step is earned by what machines saw, not by what was reported."),
            ),
            section(w.t("OPD, lowest step first"), slot(found, "integration-steps")),
            section(w.t("Interfaces"), slot(found, "integration-interfaces")),
            section(
                w.t("Budget chain breaks"),
                slot(found, "integration-breaks"),
                note=w.t("Plan, budget, procurement, contract, realisation: the first break of each code."),
            ),
        ],
        className="page",
    )


PAGE = Page(
    name="integration",
    path="/integration",
    title=TITLE,
    detail=IntegrationView,
    scope="city",
    wall=False,
    panels=panels,
    frame=frame,
    picks=("opd",),
)
