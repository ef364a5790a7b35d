"""The pages a wall screen can show, by the names `[[screen]]` gives them."""

from __future__ import annotations

from layouts.walls import app_uptime, e_attendance, opd, opd_integration, overview, service_requests
from layouts.walls.wall_page import WallPage

WALLS: dict[str, WallPage] = {
    page.name: page
    for page in (
        overview.PAGE,
        service_requests.PAGE,
        app_uptime.PAGE,
        opd_integration.PAGE,
        e_attendance.PAGE,
        opd.PAGE,
    )
}

__all__ = ["WALLS", "WallPage"]
