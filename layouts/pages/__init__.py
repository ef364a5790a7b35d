"""Every page. A page is a title, a view and two pure functions."""

from __future__ import annotations

from layouts.pages import (
    app,
    app_uptime,
    attendance,
    integration,
    interface,
    kpi,
    mayor,
    opd,
    opds,
    service_requests,
    sources,
    wall,
)
from layouts.pages.page import Page

PAGES: tuple[Page, ...] = (
    wall.PAGE,
    mayor.PAGE,
    service_requests.PAGE,
    app_uptime.PAGE,
    app.PAGE,
    integration.PAGE,
    interface.PAGE,
    attendance.PAGE,
    opds.PAGE,
    opd.PAGE,
    kpi.PAGE,
    kpi.OF_OPD,
    sources.PAGE,
)

__all__ = ["PAGES", "Page"]
