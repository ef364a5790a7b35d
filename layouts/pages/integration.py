"""OPD integration: where the OPD stand on the ladder, their interfaces, and the budget chain's breaks."""

from __future__ import annotations

from dash import html

from kpis.types import Domain, Snapshot
from kpis.views import IntegrationView
from layouts.pages.page import Page, Panels, domain_keys, section, slot, with_shared
from layouts.panels.app_table import beat_keys
from layouts.panels.chain_funnel import chain_funnel
from layouts.panels.integration_tables import break_table, ladder, step_table
from layouts.panels.interface_table import interface_table
from layouts.panels.kpi_tile import kpi_tile
from layouts.panels.opd_choice import opd_choice
from layouts.panels.road_map import budget_burn_up, burn_up, connected_line, milestone_tables
from layouts.words import Words, msg

PATH = "/integration"
TITLE = msg("Integration")


def panels(snapshot: Snapshot, w: Words) -> Panels:
    """The domain's tiles, then one panel a question."""
    view: IntegrationView = snapshot.detail
    own: Panels = {
        f"tile-{key}": kpi_tile(snapshot, key, w) for key in domain_keys(snapshot, Domain.OPD_INTEGRATION)
    }
    own["integration-ladder"] = ladder(view.steps, w)
    own["integration-steps"] = step_table(snapshot, view.steps, w)
    own["integration-interfaces"] = interface_table(
        snapshot, view.interfaces, w,
        days=view.days, matched=view.matched_rule, rejected=view.rejected_rule,
    )  # fmt: skip
    today = w.local(snapshot.at).date()
    own["integration-road"] = burn_up(view.road_map, today, w)
    own["integration-budget"] = budget_burn_up(view.road_map, today, w)
    own["integration-milestones"] = milestone_tables(snapshot, view.road_map, w)
    own["integration-connected"] = connected_line(view.connected, view.opds, w)
    own["integration-chain"] = chain_funnel(view.chain, w)
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
            opd_choice(snapshot, PATH, w),
            tiles,
            section(
                w.t("The ladder"),
                slot(found, "integration-ladder"),
                note=w.t("Each step is earned by what machines saw, not by what was reported."),
            ),
            section(w.t("OPD, lowest step first"), slot(found, "integration-steps")),
            html.Div(
                [
                    section(w.t("Road map"), slot(found, "integration-road")),
                    section(w.t("Budget of the road map"), slot(found, "integration-budget")),
                ],
                className="halves",
            ),
            section(w.t("Milestones"), slot(found, "integration-milestones")),
            section(
                w.t("OPD connected"),
                slot(found, "integration-connected"),
                note=w.t("A day counts an OPD with a good sync within three expected intervals."),
            ),
            section(
                w.t("Interfaces, lowest step first"),
                beat_keys(w),
                slot(found, "integration-interfaces"),
                note=w.t("The age bar is solid while fresh, hollow when late, hatched when stale."),
            ),
            section(
                w.t("Budget chain"),
                slot(found, "integration-chain"),
                slot(found, "integration-breaks"),
                note=w.t("Plan, budget, procurement, contract, realisation: the first break of each code."),
            ),
        ],
        className="page",
    )


PAGE = Page(
    name="integration",
    path=PATH,
    title=TITLE,
    detail=IntegrationView,
    scope="city",
    wall=False,
    panels=panels,
    frame=frame,
    picks=("opd",),
)
