"""One figure by itself: its course, every OPD's share in it, and the rows behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.engine import Connection

from kpis import app_uptime, opd_integration, service_requests
from kpis.catalogue import catalogue
from kpis.charts import Behind, KpiView
from kpis.config import Settings
from kpis.history import courses, kpi_trend
from kpis.judge import distance
from kpis.readings import Key, target_of
from kpis.spans import Span
from kpis.types import Better, Domain, Reading
from kpis.views import AppRow, InterfaceRow

ROWS = 50
"""As many rows as a page shows; it says how many more there are."""


def view(
    conn: Connection, settings: Settings, at: datetime, kpi: str, opd: str | None,
    found: Mapping[Key, Reading], span: Span, *, rows: bool,
) -> KpiView:  # fmt: skip
    """The view of `kpi` for the city or one OPD. `rows` says whether single rows may be shown."""
    order = worst_first(settings, kpi, found) if opd is None else ()
    small = courses(conn, [kpi], order, span, at, settings.zone) if order else {}
    return KpiView(
        kpi=kpi,
        target=target_of(settings, kpi, opd),
        trend=kpi_trend(conn, kpi, opd, span, at, settings.zone),
        opds=order,
        courses={code: points for (_, code), points in small.items()},
        behind=_behind(conn, settings, at, kpi, opd) if rows else None,
        kept_back=not rows,
    )


def worst_first(settings: Settings, kpi: str, found: Mapping[Key, Reading]) -> tuple[str, ...]:
    """The OPD by how far they are from their target, then by value; those without a value last."""

    def place(code: str) -> tuple[bool, float, float, str]:
        r = found.get((kpi, code))
        if r is None or r.value is None:
            return True, 0.0, 0.0, code
        far = distance(r.value, target_of(settings, kpi, code), r.better)
        return False, -far, -r.value if r.better is Better.LOWER else r.value, code

    return tuple(sorted((opd.code for opd in settings.city.opds), key=place))


def _behind(conn: Connection, settings: Settings, at: datetime, kpi: str, opd: str | None) -> Behind | None:
    domain = catalogue()[kpi].domain
    if domain is Domain.SERVICE_REQUESTS:
        word, total, rows = service_requests.behind(conn, at, kpi, opd, ROWS)
        return Behind(word=word, total=total, requests=rows)
    if domain is Domain.APP_UPTIME:
        apps: Sequence[AppRow] = app_uptime.app_rows(conn, settings, at, opd)
        return Behind(word="Applications, worst first", total=len(apps), apps=tuple(apps[:ROWS]))
    if domain is Domain.OPD_INTEGRATION and kpi != "consistency_breaks":
        runs: Sequence[InterfaceRow] = opd_integration.interface_rows(conn, settings, at, opd)
        return Behind(word="Interfaces, worst first", total=len(runs), interfaces=tuple(runs[:ROWS]))
    return None
