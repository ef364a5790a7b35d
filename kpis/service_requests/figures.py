"""What is measured of service requests at one moment, for the city and every OPD at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.feeds import flag_sum
from kpis.percentile import percentile, share
from kpis.service_requests.tables import service_request as r
from kpis.store import maybe_instant, micros
from kpis.types import Better, Domain, Kpi, Measurement, Unit

_DAY_US = 86_400_000_000
_HOUR_US = 3_600_000_000
WINDOW_US = 30 * _DAY_US


@dataclass(slots=True)
class RequestFigures:
    """Counts and durations of one scope. Durations are sorted; days and hours as the KPI asks."""

    observed_at: datetime | None = None
    reporting: int = 0
    expected: int = 0
    open: int = 0
    open_due: int = 0
    overdue: int = 0
    closed: int = 0
    closed_due: int = 0
    on_time: int = 0
    reopened: int = 0
    confirmed: int = 0
    close_days: list[float] = field(default_factory=list)
    response_hours: list[float] = field(default_factory=list)


def figures(conn: Connection, settings: Settings, at: datetime) -> dict[str | None, RequestFigures]:
    """Figures by OPD code, None for the city, as they were at `at` by the times in the facts."""
    t = micros(at)
    found: dict[str | None, RequestFigures] = {None: RequestFigures()}
    found.update({opd.code: RequestFigures() for opd in settings.city.opds})
    _waiting(conn, t, found)
    _closed(conn, t, found)
    _answered(conn, t, found)
    _observed(conn, t, found)
    return found


def _both(found: dict[str | None, RequestFigures], opd: str) -> tuple[RequestFigures, ...]:
    own = found.get(opd)
    return (found[None],) if own is None else (found[None], own)


def _waiting(conn: Connection, t: int, found: dict[str | None, RequestFigures]) -> None:
    due = r.c.due_at.is_not(None)
    counts = (r.c.opd, sa.func.count(), sa.func.sum(flag_sum(due)), sa.func.sum(flag_sum(r.c.due_at < t)))
    # Two index ranges instead of one OR: what waits still, and what ended only after `t`.
    for still in (r.c.ended_at.is_(None), r.c.ended_at > t):
        for opd, count, with_due, overdue in conn.execute(
            sa.select(*counts).where(still, r.c.opened_at <= t).group_by(r.c.opd)
        ):
            for scope in _both(found, opd):
                scope.open += count
                scope.open_due += with_due
                scope.overdue += overdue


def _closed(conn: Connection, t: int, found: dict[str | None, RequestFigures]) -> None:
    columns = (r.c.opd, r.c.opened_at, r.c.closed_at, r.c.due_at, r.c.reopened, r.c.confirmed)
    query = sa.select(*columns).where(
        r.c.closed_at > t - WINDOW_US, r.c.closed_at <= t, r.c.status == "closed"
    )
    for opd, opened, closed, due, reopened, confirmed in conn.execute(query):
        for scope in _both(found, opd):
            scope.closed += 1
            scope.close_days.append((closed - opened) / _DAY_US)
            if due is not None:
                scope.closed_due += 1
                scope.on_time += closed <= due
            scope.reopened += (reopened or 0) > 0
            scope.confirmed += bool(confirmed)
    for scope in found.values():
        scope.close_days.sort()


def _answered(conn: Connection, t: int, found: dict[str | None, RequestFigures]) -> None:
    query = sa.select(r.c.opd, r.c.answered_at - r.c.opened_at).where(
        r.c.answered_at > t - WINDOW_US, r.c.answered_at <= t
    )
    for opd, waited in conn.execute(query):
        for scope in _both(found, opd):
            scope.response_hours.append(waited / _HOUR_US)
    for scope in found.values():
        scope.response_hours.sort()


def _observed(conn: Connection, t: int, found: dict[str | None, RequestFigures]) -> None:
    """One channel carries all OPD, so the newest word from it is how fresh every OPD's figures are."""
    newest = conn.execute(sa.select(sa.func.max(r.c.updated_at)).where(r.c.updated_at <= t)).scalar()
    if newest is None:
        # Every record was updated since: that it was opened is what was known of it then.
        newest = conn.execute(sa.select(sa.func.max(r.c.opened_at)).where(r.c.opened_at <= t)).scalar()
    for scope in found.values():
        scope.observed_at = maybe_instant(newest)


def _count(value: float, f: RequestFigures) -> Measurement:
    return Measurement(value=value if f.observed_at else None, observed_at=f.observed_at, numerator=value)


def _share(part: float, whole: float, f: RequestFigures) -> Measurement:
    return Measurement(value=share(part, whole), observed_at=f.observed_at, numerator=part, denominator=whole)


def _percentile(values: list[float], fraction: float, f: RequestFigures) -> Measurement:
    return Measurement(value=percentile(values, fraction), observed_at=f.observed_at, denominator=len(values))


_D = Domain.SERVICE_REQUESTS
KPIS: tuple[Kpi, ...] = (
    Kpi(
        key="requests_open",
        domain=_D,
        title="Open requests",
        unit=Unit.COUNT,
        better=Better.LOWER,
        take=lambda f: _count(f.open, f),
    ),
    Kpi(
        key="requests_overdue_share",
        domain=_D,
        title="Overdue requests",
        unit=Unit.SHARE,
        better=Better.LOWER,
        take=lambda f: _share(f.overdue, f.open_due, f),
    ),
    Kpi(
        key="requests_on_time_share_30d",
        domain=_D,
        title="Closed on time, 30 days",
        unit=Unit.SHARE,
        better=Better.HIGHER,
        take=lambda f: _share(f.on_time, f.closed_due, f),
    ),
    Kpi(
        key="requests_close_days_p50_30d",
        domain=_D,
        title="Days to close, median 30 days",
        unit=Unit.DAYS,
        better=Better.LOWER,
        take=lambda f: _percentile(f.close_days, 0.5, f),
    ),
    Kpi(
        key="requests_close_days_p90_30d",
        domain=_D,
        title="Days to close, 90th percentile",
        unit=Unit.DAYS,
        better=Better.LOWER,
        take=lambda f: _percentile(f.close_days, 0.9, f),
    ),
    Kpi(
        key="requests_first_response_hours_p50_30d",
        domain=_D,
        title="Hours to first answer, median",
        unit=Unit.HOURS,
        better=Better.LOWER,
        take=lambda f: _percentile(f.response_hours, 0.5, f),
    ),
    Kpi(
        key="requests_reopened_share_30d",
        domain=_D,
        title="Reopened, 30 days",
        unit=Unit.SHARE,
        better=Better.LOWER,
        take=lambda f: _share(f.reopened, f.closed, f),
    ),
    Kpi(
        key="requests_confirmed_share_30d",
        domain=_D,
        title="Confirmed by citizens, 30 days",
        unit=Unit.SHARE,
        better=Better.HIGHER,
        take=lambda f: _share(f.confirmed, f.closed, f),
    ),
)
