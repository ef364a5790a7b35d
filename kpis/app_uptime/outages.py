"""The down intervals of one application, as its uptime counts them: the rows behind the figure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.app_uptime.runs import longest_gap
from kpis.app_uptime.tables import app_run
from kpis.app_uptime.view import app_rows
from kpis.config import Settings
from kpis.days import day_start
from kpis.spans import Span
from kpis.store import instant, micros
from kpis.views import AppView, Outage

MOST_OUTAGES = 200


def app_view(conn: Connection, settings: Settings, at: datetime, app: str, span: Span) -> AppView:
    """One application's page for the days of `span`."""
    row = next(iter(app_rows(conn, settings, at, only=app)), None)
    low = day_start(span.first, settings.zone)
    high = day_start(span.last + timedelta(days=1), settings.zone)
    stretches = _stretches(conn, app, low, high, micros(at), longest_gap(settings))
    up, down, count = conn.execute(_sums(stretches, low, min(high, micros(at)))).one()
    return AppView(
        app=app,
        row=row,
        objective=settings.app_uptime.objective,
        outages=_outages(conn, stretches, low, micros(at)),
        outage_count=count,
        up_s=float(up) / 1e6,
        down_s=float(down) / 1e6,
    )


def _stretches(conn: Connection, app: str, low: int, high: int, t: int, gap: int) -> sa.CTE:
    """`started_at, ends_at, next_at, up` of each run that may reach into [low, high), as it stood at `t`:
    it lasts to the next one, and no longer than `gap` beyond its last check."""
    r = app_run.c
    held = sa.select(sa.func.max(r.started_at)).where(r.app == app, r.started_at <= low).scalar_subquery()
    after = sa.select(sa.func.min(r.started_at)).where(r.app == app, r.started_at >= high, r.started_at <= t)
    first, last = sa.func.coalesce(held, low), sa.func.coalesce(after.scalar_subquery(), t)
    mine = (r.app == app, r.started_at >= first, r.started_at <= last, r.started_at <= t)
    following = sa.func.lead(r.started_at).over(order_by=r.started_at)
    run = sa.select(r.started_at, r.last_at, r.up, following.label("next_at")).where(*mine).cte("run").c
    reached = _lesser(run.last_at + gap, sa.literal(t))
    ends = sa.func.coalesce(_lesser(reached, run.next_at), reached)
    return (
        sa.select(run.started_at, ends.label("ends_at"), run.next_at, run.up)
        .where(run.started_at < high)
        .cte("stretch")
    )


def _sums(stretches: sa.CTE, low: int, high: int) -> sa.Select[Any]:
    """Microseconds up and down within [low, high), and how many outages touch it."""
    s = stretches.c
    start = sa.case((s.started_at > low, s.started_at), else_=low)
    inside = _lesser(s.ends_at, sa.literal(high)) - start
    covered = sa.case((inside > 0, inside), else_=0)
    touched = sa.and_(sa.not_(s.up), s.ends_at > low)
    return sa.select(
        sa.func.coalesce(sa.func.sum(sa.case((s.up, covered), else_=0)), 0),
        sa.func.coalesce(sa.func.sum(sa.case((s.up, 0), else_=covered)), 0),
        sa.func.coalesce(sa.func.sum(sa.case((touched, 1), else_=0)), 0),
    )


def _outages(conn: Connection, stretches: sa.CTE, low: int, t: int) -> tuple[Outage, ...]:
    s = stretches.c
    query = sa.select(s.started_at, s.ends_at, s.next_at).where(sa.not_(s.up), s.ends_at > low)
    return tuple(
        Outage(
            started_at=instant(started),
            ended_at=None if ends == t and following is None else instant(ends),
            recovered=ends == following,
            down_s=(ends - started) / 1e6,
        )
        for started, ends, following in conn.execute(query.order_by(s.started_at.desc()).limit(MOST_OUTAGES))
    )


def _lesser(one: sa.ColumnElement[int], other: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """The smaller of two, `other` where they cannot be compared; the stores spell it differently."""
    return sa.case((one < other, one), else_=other)
