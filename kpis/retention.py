"""From when on single records are kept: by the configuration, and by what has been removed already.

A horizon is where a month begins: of UTC for an instant, of the city's calendar for a day, as the
events are kept (`kpis.partitions`). Nothing older is taken in, since nobody could tell any more whether
it was counted before; roll-ups and readings stay for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.store import insert, metadata, micros

# Feeds whose records belong to a day of the city; all others belong to an instant.
BY_DAY = frozenset({"attendance", "attendance_day"})

# `month` (yyyymm) is the first that is whole; it is noted before anything older is removed, and
# `removed` after: below it nothing is left.
kept_from = sa.Table(
    "kept_from",
    metadata,
    sa.Column("feed", sa.Text, primary_key=True),
    sa.Column("month", sa.Integer, nullable=False),
    sa.Column("removed", sa.Integer, nullable=False, default=0),
)


def months_before(month: int, count: int) -> int:
    """The month (yyyymm) that lies `count` months before another."""
    whole = month // 100 * 12 + month % 100 - 1 - count
    return whole // 12 * 100 + whole % 12 + 1


def horizon_month(settings: Settings, feed: str, now: datetime) -> int | None:
    """The first month of which `feed` keeps its records at `now`; None when it keeps all."""
    months = settings.retention.get(feed)
    if months is None:
        return None
    today = now.astimezone(settings.zone if feed in BY_DAY else UTC)
    return months_before(today.year * 100 + today.month, months)


def first_us(settings: Settings, feed: str, month: int) -> int:
    """Where a month of `feed` begins, in microseconds since 1970 UTC."""
    zone = settings.zone if feed in BY_DAY else UTC
    return micros(datetime(month // 100, month % 100, 1, tzinfo=zone))


def first_day(month: int) -> date:
    return date(month // 100, month % 100, 1)


def horizon_us(settings: Settings, feed: str, now: datetime) -> int | None:
    """The first instant of which `feed` keeps its records at `now`; None when it keeps all."""
    month = horizon_month(settings, feed, now)
    return None if month is None else first_us(settings, feed, month)


def kept_months(conn: Connection) -> Mapping[str, int]:
    """The first whole month of every feed that records were ever removed of."""
    return {row.feed: row.month for row in conn.execute(sa.select(kept_from))}


def kept_since(conn: Connection, settings: Settings, feed: str) -> int | None:
    """From which instant on the facts of `feed` are whole; None when nothing was ever removed.

    A roll-up of an earlier time cannot be made again from the facts, and is right as it stands.
    """
    month = kept_months(conn).get(feed)
    return None if month is None else first_us(settings, feed, month)


def note(conn: Connection, feed: str, *, month: int, removed: int | None = None) -> None:
    """Notes that `feed` is whole from `month` on, and below which month nothing is left. Never goes back."""
    t = kept_from
    values = {"month": month, "removed": removed or 0}
    statement = insert(conn, t).values(feed=feed, **values)
    later = {name: sa.case((t.c[name] < value, value), else_=t.c[name]) for name, value in values.items()}
    conn.execute(statement.on_conflict_do_update(index_elements=["feed"], set_=later))


def removed_before(conn: Connection, feed: str) -> int:
    """The month below which nothing of `feed` is left; 0 when nothing was ever removed."""
    return conn.execute(sa.select(kept_from.c.removed).where(kept_from.c.feed == feed)).scalar() or 0
