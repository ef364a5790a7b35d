"""Application uptime (ketersediaan aplikasi): checks, runs, inventory, figures, KPIs and the page's view."""

from kpis.app_uptime.figures import KPIS, UptimeFigures, figures
from kpis.app_uptime.inventory import inventory
from kpis.app_uptime.tables import FEED, INVENTORY, app_run, application, uptime_check
from kpis.app_uptime.view import app_rows, view

__all__ = [
    "FEED", "INVENTORY", "KPIS", "UptimeFigures", "app_rows", "app_run", "application", "figures",
    "inventory", "uptime_check", "view",
]  # fmt: skip
