"""OPD integration (integrasi OPD): sync runs, the ladder, the budget chain, KPIs and the page's view."""

from kpis.opd_integration.figures import KPIS, IntegrationFigures, figures
from kpis.opd_integration.interface import MOST_RUNS, interface_view, spelled
from kpis.opd_integration.promises import promises
from kpis.opd_integration.tables import LEDGER, MILESTONE, SYNC, ledger, milestone, sync_day, sync_run
from kpis.opd_integration.trouble import troubles
from kpis.opd_integration.view import glance, interface_rows, opd_steps, view

__all__ = [
    "KPIS", "LEDGER", "MILESTONE", "MOST_RUNS", "SYNC", "IntegrationFigures", "figures", "glance",
    "interface_rows", "interface_view", "ledger", "milestone", "opd_steps", "promises", "spelled",
    "sync_day", "sync_run", "troubles", "view",
]  # fmt: skip
