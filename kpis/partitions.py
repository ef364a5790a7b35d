"""The months that events are kept under, and on PostgreSQL one partition for each.

A month is yyyymm: of UTC for an instant, of the calendar for a day. Partitions are made when the
first event of their month comes in, and are named after it: `uptime_check_202611`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.store import instant, lock, micros

Bound = int | date


def month_of(value: int | date | str) -> int:
    """The month of an instant in microseconds or of a day (also as ISO text)."""
    if isinstance(value, str):
        return int(value[:4]) * 100 + int(value[5:7])
    moment = instant(value) if isinstance(value, int) else value
    return moment.year * 100 + moment.month


def following(month: int) -> int:
    return month + 1 if month % 100 < 12 else month + 89


def first_of(month: int, column: sa.Column[object]) -> Bound:
    """Where a month begins, as the column says it: microseconds, or a day."""
    day = date(month // 100, month % 100, 1)
    if isinstance(column.type, sa.Date):
        return day
    return micros(datetime(day.year, day.month, 1, tzinfo=UTC))


def partition(fact: sa.Table, month: int) -> str:
    return f"{fact.name}_{month}"


def ensure(conn: Connection, fact: sa.Table, by: str, months: Iterable[int]) -> None:
    """Makes the partitions that are missing. Nothing to do on SQLite.

    Made apart and then attached, so that neither readers nor writers of the other months wait
    (PostgreSQL manual, "Partition Maintenance").
    """
    if conn.dialect.name != "postgresql":
        return
    for month in sorted(set(months)):
        if not _exists(conn, fact, month):
            lock(conn, f"partition.{fact.name}")
            if not _exists(conn, fact, month):
                _attach(conn, fact, by, month)


def of(conn: Connection, fact: sa.Table) -> list[tuple[int, str]]:
    """The months that have a partition, each with its name, the oldest first. None on SQLite."""
    if conn.dialect.name != "postgresql":
        return []
    names = sa.text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:name)")
    found = conn.scalars(names, {"name": fact.name})
    return sorted((int(name.rpartition("_")[2]), name) for name in found)


def _exists(conn: Connection, fact: sa.Table, month: int) -> bool:
    """Whether the partition is there and belongs to its table: one on its way out does not."""
    name = sa.text("SELECT relispartition FROM pg_class WHERE oid = to_regclass(:name)")
    return bool(conn.execute(name, {"name": partition(fact, month)}).scalar())


def _attach(conn: Connection, fact: sa.Table, by: str, month: int) -> None:
    column = fact.c[by]
    low, high = (_literal(first_of(m, column)) for m in (month, following(month)))
    name = partition(fact, month)
    for statement in (
        f"CREATE TABLE {name} (LIKE {fact.name} INCLUDING ALL)",
        f"ALTER TABLE {fact.name} ATTACH PARTITION {name} FOR VALUES FROM ({low}) TO ({high})",
    ):
        conn.exec_driver_sql(statement)


def _literal(bound: Bound) -> str:
    return f"'{bound}'" if isinstance(bound, date) else str(bound)
