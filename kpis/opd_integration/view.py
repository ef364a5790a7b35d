"""What the integration page shows beside its KPIs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.days import local_day
from kpis.opd_integration.chain import chain
from kpis.opd_integration.interface import sync_days
from kpis.opd_integration.ladder import interface_rows, opd_steps
from kpis.opd_integration.roadmap import connected, road_map
from kpis.spans import Span, widened
from kpis.views import IntegrationGlance, IntegrationView

LEAST_DAYS = 90

__all__ = ["interface_rows", "opd_steps", "view"]


def view(
    conn: Connection, settings: Settings, at: datetime, opd: str | None = None, span: Span | None = None
) -> IntegrationView:
    """The page's view for the city, or for one OPD, over the days of `span`, a quarter at least."""
    today = local_day(at, settings.zone)
    days = widened(span or Span(first=today, last=today, name="today"), LEAST_DAYS)
    rows = interface_rows(conn, settings, at, opd)
    now = chain(conn, settings, at)
    return IntegrationView(
        steps=tuple(s for s in opd_steps(settings, rows) if opd in (None, s.opd)),
        interfaces=rows,
        breaks=tuple(b for b in now.breaks if opd in (None, b.opd)),
        codes=sum(now.codes.values()) if opd is None else now.codes.get(opd, 0),
        chain=now.stages(opd),
        days=sync_days(conn, settings, at, opd),
        road_map=road_map(conn, settings, at, opd),
        connected=connected(conn, settings, at, days, opd),
        opds=len(settings.city.opds) if opd is None else 1,
        matched_rule=settings.opd_integration.matched,
        rejected_rule=settings.opd_integration.rejected,
    )


def glance(conn: Connection, settings: Settings, at: datetime) -> IntegrationGlance:
    """What a wall shows: the ladder alone."""
    return IntegrationGlance(steps=tuple(opd_steps(settings, interface_rows(conn, settings, at, None))))
