"""What the integration page shows beside its KPIs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.opd_integration.chain import chain
from kpis.opd_integration.ladder import interface_rows, opd_steps
from kpis.views import IntegrationView

__all__ = ["interface_rows", "opd_steps", "view"]


def view(conn: Connection, settings: Settings, at: datetime, opd: str | None = None) -> IntegrationView:
    """The page's view for the city, or for one OPD."""
    rows = interface_rows(conn, settings, at, opd)
    now = chain(conn, settings, at)
    return IntegrationView(
        steps=tuple(s for s in opd_steps(settings, rows) if opd in (None, s.opd)),
        interfaces=rows,
        breaks=tuple(b for b in now.breaks if opd in (None, b.opd)),
        codes=sum(now.codes.values()) if opd is None else now.codes.get(opd, 0),
    )
