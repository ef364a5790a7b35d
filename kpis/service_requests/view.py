"""What the service request page shows beside its KPIs. No text of a request leaves here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.days import day_start, local_day, working_day
from kpis.feeds import flag_sum
from kpis.percentile import percentile
from kpis.service_requests.figures import figures
from kpis.service_requests.tables import request_day
from kpis.service_requests.tables import service_request as r
from kpis.store import instant, maybe_instant, micros
from kpis.views import (
    AgeBand,
    Count,
    DueSoon,
    OpdRequests,
    RequestDay,
    RequestRow,
    RequestsGlance,
    RequestsView,
)

_DAY_US = 86_400_000_000
DUE_DAYS = (1, 3, 5)
BANDS = ((0, 3), (3, 7), (7, 14), (14, 30), (30, 60), (60, None))


def _waiting(t: int, opd: str | None) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [
        sa.or_(r.c.ended_at.is_(None), r.c.ended_at > t),
        r.c.opened_at <= t,
    ]
    return conditions if opd is None else [*conditions, r.c.opd == opd]


def _counts(
    conn: Connection, column: sa.ColumnElement[str], t: int, opd: str | None, most: int
) -> tuple[Count, ...]:
    query = (
        sa.select(column, sa.func.count().label("n"), sa.func.sum(flag_sum(r.c.due_at < t)))
        .where(*_waiting(t, opd), column.is_not(None))
        .group_by(column)
        .order_by(sa.desc("n"), column)
        .limit(most)
    )
    return tuple(Count(label=label, count=n, overdue=late) for label, n, late in conn.execute(query))


def _ages(conn: Connection, t: int, opd: str | None) -> tuple[AgeBand, ...]:
    found = []
    for low, high in BANDS:
        inside = [r.c.opened_at <= t - low * _DAY_US]
        if high is not None:
            inside.append(r.c.opened_at > t - high * _DAY_US)
        query = sa.select(sa.func.count(), sa.func.sum(flag_sum(r.c.due_at < t))).where(
            *_waiting(t, opd), *inside
        )
        count, overdue = conn.execute(query).one()
        found.append(AgeBand(from_days=low, to_days=high, count=count, overdue=overdue or 0))
    return tuple(found)


def _days(conn: Connection, settings: Settings, at: datetime, opd: str | None) -> tuple[RequestDay, ...]:
    today = local_day(at, settings.zone)
    first = today - timedelta(days=29)
    query = (
        sa.select(request_day.c.day, sa.func.sum(request_day.c.opened), sa.func.sum(request_day.c.closed))
        .where(request_day.c.day >= first, request_day.c.day <= today)
        .group_by(request_day.c.day)
    )
    if opd is not None:
        query = query.where(request_day.c.opd == opd)
    cells = {day: (int(opened), int(closed)) for day, opened, closed in conn.execute(query)}
    days = (first + timedelta(days=n) for n in range(30))
    return tuple(
        RequestDay(day=day, opened=cells.get(day, (0, 0))[0], closed=cells.get(day, (0, 0))[1])
        for day in days
    )


def _rows(rows: Iterable[sa.Row[tuple[object, ...]]]) -> tuple[RequestRow, ...]:
    return tuple(
        RequestRow(
            source=row.source,
            id=row.id,
            opd=row.opd,
            status=row.status,
            category=row.category,
            channel=row.channel,
            kelurahan=row.kelurahan,
            opened_at=instant(row.opened_at),
            due_at=maybe_instant(row.due_at),
        )
        for row in rows
    )


_ROW = (
    r.c.source,
    r.c.id,
    r.c.opd,
    r.c.status,
    r.c.category,
    r.c.channel,
    r.c.kelurahan,
    r.c.opened_at,
    r.c.due_at,
)


def oldest(conn: Connection, at: datetime, opd: str | None, most: int = 12) -> tuple[RequestRow, ...]:
    """The open requests that wait longest."""
    query = (
        sa.select(*_ROW)
        .where(*_waiting(micros(at), opd))
        .order_by(r.c.opened_at, r.c.source, r.c.id)
        .limit(most)
    )
    return _rows(conn.execute(query))


def oldest_overdue(conn: Connection, at: datetime, opd: str | None, most: int = 20) -> tuple[RequestRow, ...]:
    """The open requests past their due time, longest overdue first."""
    t = micros(at)
    query = sa.select(*_ROW).where(*_waiting(t, opd), r.c.due_at < t)
    return _rows(conn.execute(query.order_by(r.c.due_at, r.c.source, r.c.id).limit(most)))


def due_soon(conn: Connection, settings: Settings, at: datetime, opd: str) -> tuple[DueSoon, ...]:
    """How many open requests of an OPD fall due within `DUE_DAYS` working days, today not counted."""
    t = micros(at)
    today = local_day(at, settings.zone)
    limits = [(days, working_day(today, days, settings.e_attendance)) for days in DUE_DAYS]
    ends = [day_start(by + timedelta(days=1), settings.zone) for _, by in limits]
    sums = [sa.func.sum(flag_sum(r.c.due_at < end)) for end in ends]
    query = sa.select(*sums).where(*_waiting(t, opd), r.c.due_at >= t, r.c.due_at < ends[-1])
    counts = conn.execute(query).one()
    return tuple(
        DueSoon(days=days, by=by, count=int(count or 0))
        for (days, by), count in zip(limits, counts, strict=True)
    )


def view(conn: Connection, settings: Settings, at: datetime, opd: str | None = None) -> RequestsView:
    """The page's view for the city, or for one OPD."""
    t = micros(at)
    by_scope = figures(conn, settings, at)
    by_opd = tuple(
        OpdRequests(
            opd=o.code,
            open=f.open,
            overdue=f.overdue,
            closed_30d=f.closed,
            close_days_p50=percentile(f.close_days, 0.5),
            close_days_p90=percentile(f.close_days, 0.9),
        )
        for o in settings.city.opds
        if opd in (None, o.code)
        for f in (by_scope[o.code],)
    )
    return RequestsView(
        by_status=_counts(conn, r.c.status, t, opd, 12),
        by_channel=_counts(conn, r.c.channel, t, opd, 12),
        by_category=_counts(conn, r.c.category, t, opd, 12),
        by_kelurahan=_counts(conn, r.c.kelurahan, t, opd, 400),
        ages=_ages(conn, t, opd),
        by_opd=tuple(sorted(by_opd, key=lambda o: (-o.overdue, -o.open, o.opd))),
        days=_days(conn, settings, at, opd),
        oldest=oldest(conn, at, opd),
    )


def glance(conn: Connection, settings: Settings, at: datetime) -> RequestsGlance:
    """What a wall shows of the open requests; it is read at every change, so it asks for no more."""
    t = micros(at)
    return RequestsGlance(
        ages=_ages(conn, t, None),
        by_kelurahan=_counts(conn, r.c.kelurahan, t, None, 400) if settings.map_file else (),
        days=_days(conn, settings, at, None),
    )
