"""Application uptime (ketersediaan aplikasi): checks, runs, inventory, figures, KPIs and the page's view."""

from kpis.app_uptime.figures import KPIS, UptimeFigures, figures
from kpis.app_uptime.inventory import inventory
from kpis.app_uptime.outages import MOST_OUTAGES, app_view
from kpis.app_uptime.tables import FEED, INVENTORY, app_run, application, uptime_check
from kpis.app_uptime.view import app_rows, glance, view

__all__ = [
    "FEED", "INVENTORY", "KPIS", "MOST_OUTAGES", "UptimeFigures", "app_rows", "app_run", "app_view",
    "application", "figures", "glance", "inventory", "uptime_check", "view",
]  # fmt: skip
