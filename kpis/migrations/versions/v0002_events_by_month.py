"""keep events by month, their ids in tables of their own

Until now each event feed was one table whose primary key said what is known. Every row is moved once;
indexes are made after it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic import op
from sqlalchemy.engine import Connection

revision = "2"
down_revision = None


class _Events(NamedTuple):
    """One feed as schema 2 keeps it: its columns after `source` and `id`, its indexes then and now."""

    name: str
    by: str
    columns: Callable[[], tuple[sa.Column[Any], ...]]
    indexes: dict[str, tuple[str, ...]]


def _needed(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


_FEEDS = (
    _Events(
        "uptime_check",
        "observed_at",
        lambda: (
            _needed("app", sa.Text),
            _needed("observed_at", sa.BigInteger),
            _needed("up", sa.Boolean),
            sa.Column("latency_ms", sa.Float(53)),
            sa.Column("status_code", sa.Integer),
            sa.Column("error", sa.Text),
            sa.Column("probe", sa.Text),
            sa.Column("cert_expires_at", sa.BigInteger),
            sa.Column("content_changed_at", sa.BigInteger),
        ),
        {"uptime_check_app": ("app", "observed_at")},
    ),
    _Events(
        "sync_run",
        "started_at",
        lambda: (
            _needed("opd", sa.Text),
            _needed("system", sa.Text),
            _needed("interface", sa.Text),
            _needed("started_at", sa.BigInteger),
            _needed("ok", sa.Boolean),
            sa.Column("finished_at", sa.BigInteger),
            sa.Column("rows_read", sa.BigInteger),
            sa.Column("rows_rejected", sa.BigInteger),
            sa.Column("data_as_of", sa.BigInteger),
            sa.Column("matched", sa.BigInteger),
            sa.Column("unmatched", sa.BigInteger),
            sa.Column("error", sa.Text),
            _needed("day", sa.Date),
        ),
        {
            "sync_run_interface": ("opd", "system", "interface", "started_at"),
            "sync_run_started": ("started_at",),
        },
    ),
    _Events(
        "attendance",
        "day",
        lambda: (
            _needed("opd", sa.Text),
            _needed("employee", sa.Text),
            _needed("at", sa.BigInteger),
            _needed("kind", sa.Text),
            sa.Column("device", sa.Text),
            sa.Column("doubtful", sa.Boolean),
            sa.Column("reason", sa.Text),
            _needed("day", sa.Date),
        ),
        {"attendance_on_day": ("day", "opd", "at")},
    ),
    _Events(
        "attendance_day",
        "day",
        lambda: (
            _needed("opd", sa.Text),
            _needed("day", sa.Date),
            _needed("employee", sa.Text),
            _needed("category", sa.Text),
            sa.Column("shift", sa.Text),
        ),
        {"attendance_day_on_day": ("day", "opd", "employee")},
    ),
)


def upgrade(say: Callable[[str], None]) -> None:
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        op.execute("SET LOCAL maintenance_work_mem = '256MB'")
    for feed in _FEEDS:
        for index in feed.indexes:
            op.drop_index(index, feed.name)
        op.rename_table(feed.name, "moved")
        _make(conn, feed)
        _move(feed)
        count = _fill_key(conn, feed)
        op.drop_table("moved")
        for index, columns in feed.indexes.items():
            op.create_index(index, feed.name, list(columns))
        say(f"{feed.name}: {count:,} rows")
    if conn.dialect.name == "postgresql":
        op.execute("ANALYZE")


def _make(conn: Connection, feed: _Events) -> None:
    """The new table, on PostgreSQL with a partition for each month that rows are there for."""
    column = next(c for c in feed.columns() if c.name == feed.by)
    op.create_table(
        feed.name,
        _needed("source", sa.Text),
        _needed("id", sa.Text),
        *feed.columns(),
        postgresql_partition_by=f"RANGE ({feed.by})",
    )
    if conn.dialect.name != "postgresql":
        return
    found = sa.text(f"SELECT DISTINCT {_month(conn, feed)} FROM moved")  # noqa: S608  own names
    months = conn.scalars(found).all()
    for month in months:
        low, high = _first(month, column), _first(month + 1 if month % 100 < 12 else month + 89, column)
        op.execute(
            f"CREATE TABLE {feed.name}_{month} PARTITION OF {feed.name} FOR VALUES FROM ({low}) TO ({high})"
        )


def _first(month: int, column: sa.Column[Any]) -> str:
    """Where a month begins: a day, or microseconds of UTC."""
    day = date(month // 100, month % 100, 1)
    if isinstance(column.type, sa.Date):
        return f"'{day}'"
    return str(int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()) * 1_000_000)


def _month(conn: Connection, feed: _Events) -> str:
    """yyyymm of a row, in the store's own words."""
    by = feed.by
    if conn.dialect.name == "sqlite":
        text = f"strftime('%Y%m', {by})" if by == "day" else f"strftime('%Y%m', {by} / 1000000, 'unixepoch')"
        return f"CAST({text} AS INTEGER)"
    moment = by if by == "day" else f"to_timestamp({by} / 1000000) AT TIME ZONE 'UTC'"
    return f"CAST(to_char({moment}, 'YYYYMM') AS INTEGER)"


def _move(feed: _Events) -> None:
    names = ", ".join(f'"{name}"' for name in ("source", "id", *(c.name for c in feed.columns())))
    op.execute(f'INSERT INTO "{feed.name}" ({names}) SELECT {names} FROM moved')  # noqa: S608  own names


def _fill_key(conn: Connection, feed: _Events) -> int:
    """Which ids are known; sorted first, so that SQLite writes its tree from left to right."""
    name = f"{feed.name}_key"
    sqlite = conn.dialect.name == "sqlite"
    op.create_table(
        name,
        sa.Column("source", sa.Text, primary_key=sqlite, nullable=False),
        sa.Column("id", sa.Text, primary_key=sqlite, nullable=False),
        _needed("month", sa.Integer),
        sqlite_with_rowid=False,
    )
    columns = f"source, id, {_month(conn, feed)}"
    order = "ORDER BY source, id" if sqlite else ""
    rows = f'INSERT INTO "{name}" SELECT {columns} FROM "{feed.name}" {order}'  # noqa: S608  own names
    count = conn.execute(sa.text(rows)).rowcount
    if not sqlite:
        op.execute(f'ALTER TABLE "{name}" ADD PRIMARY KEY (source, id)')
    return count
