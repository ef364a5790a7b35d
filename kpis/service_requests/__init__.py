"""Service requests (layanan pengaduan): facts, day cells, figures, KPIs and the page's view."""

from kpis.service_requests.figures import KPIS, RequestFigures, figures
from kpis.service_requests.tables import FEED, request_day, service_request
from kpis.service_requests.view import due_soon, glance, oldest_overdue, view

__all__ = [
    "FEED",
    "KPIS",
    "RequestFigures",
    "due_soon",
    "figures",
    "glance",
    "oldest_overdue",
    "request_day",
    "service_request",
    "view",
]
