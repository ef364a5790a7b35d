"""The view behind each page, by its name, and the standings that several pages share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from kpis import (
    app_uptime,
    e_attendance,
    mayor,
    opd_integration,
    opd_page,
    readings,
    service_requests,
    sources,
)
from kpis.config import WALL, Settings
from kpis.judge import distance
from kpis.readings import Key
from kpis.spans import Span
from kpis.types import Domain, Freshness, Reading, Severity
from kpis.views import OpdStanding, OpdsView, WallView


def standings(settings: Settings, found: Mapping[Key, Reading]) -> tuple[OpdStanding, ...]:
    """Every OPD over all its KPIs, worst first: most acts, then most watches, then how far."""
    heard: dict[str | None, list[Reading]] = {}
    for (_, code), r in found.items():
        if r.freshness is not Freshness.NEVER:
            heard.setdefault(code, []).append(r)
    rows = []
    for opd in settings.city.opds:
        own = heard.get(opd.code, [])
        far = [
            (distance(r.value, readings.target_of(settings, r.kpi, opd.code), r.better), r.kpi) for r in own
        ]
        worst = max(far, default=(0.0, ""))
        count = Counter(r.severity for r in own)
        rows.append(
            OpdStanding(
                opd=opd.code, on_target=count[Severity.ON_TARGET], watch=count[Severity.WATCH],
                act=count[Severity.ACT], unknown=count[Severity.UNKNOWN],
                worst_kpi=worst[1] if worst[0] > 0 else None, distance=worst[0],
            )
        )  # fmt: skip
    return tuple(sorted(rows, key=lambda s: (-s.act, -s.watch, -s.distance, s.opd)))


_GLANCES = {
    "service_requests": service_requests.glance,
    "app_uptime": app_uptime.glance,
    "opd_integration": opd_integration.glance,
    "e_attendance": e_attendance.glance,
}


def _wall(
    conn: Connection, settings: Settings, at: datetime, found: Mapping[Key, Reading], name: str | None
) -> WallView:
    rows = sources.source_rows(conn, settings, at)
    screen = settings.screen(name or WALL)
    assert screen is not None
    shown = {page for field in screen.fields for page in field}
    return WallView(
        screen=screen,
        views={page: view(conn, settings, at) for page, view in _GLANCES.items() if page in shown},
        tiles=settings.tiles,
        standings=standings(settings, found),
        sources_silent=sources.silent(rows),
        sources=len(rows),
    )


def detail(
    conn: Connection, settings: Settings, page: str, opd: str | None, at: datetime,
    found: Mapping[Key, Reading], span: Span, reject: int | None = None, screen: str | None = None,
    pick: str | None = None, since: datetime | None = None,
) -> Any:  # fmt: skip
    """The page's own view (`kpis.views`) at `at` over the days of `span`. `found` are all readings now,
    `pick` is what the address picks ("opd:dlh"), `since` the last look of whoever is shown what changed."""
    if page == "wall":
        return _wall(conn, settings, at, found, screen)
    if page == "mayor":
        return mayor.view(conn, settings, at, found, since)
    if page == "opd":
        assert opd is not None
        return opd_page.view(conn, settings, at, opd, found)
    if page == "sources":
        return sources.view(conn, settings, at, reject)
    if page == "app":
        return app_uptime.app_view(conn, settings, at, picked("app", pick) or "", span)
    if page == "interface":
        return opd_integration.interface_view(conn, settings, at, picked("of", pick) or "", span)
    if page == "integration":
        return opd_integration.view(conn, settings, at, opd or picked("opd", pick), span)
    if page == "attendance":
        return e_attendance.view(conn, settings, at, opd or picked("opd", pick), span)
    if page == "opds":
        domain = picked("domain", pick)
        return OpdsView(domain=None if domain is None else Domain(domain))
    views = {
        "service_requests": service_requests.view,
        "app_uptime": app_uptime.view,
    }
    return views[page](conn, settings, at, opd or picked("opd", pick))


def picked(name: str, pick: str | None) -> str | None:
    """What an address picks under a name: "dlh" of "opd:dlh"; None for anything else."""
    chosen, _, value = (pick or "").partition(":")
    return value if chosen == name and value else None
