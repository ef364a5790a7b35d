"""One interface: what its step stands on, its ninety days, and the runs of the days looked at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from urllib.parse import quote, unquote

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.days import day_start, local_day
from kpis.opd_integration.ladder import interface_rows
from kpis.opd_integration.seen import Key
from kpis.opd_integration.tables import sync_day as d
from kpis.opd_integration.tables import sync_run as s
from kpis.partitions import first_of, following, month_of
from kpis.spans import Span
from kpis.store import instant, maybe_instant, micros
from kpis.views import InterfaceView, SyncDay, SyncRun

MOST_RUNS = 200
HEARTBEAT_DAYS = 90


def spelled(key: Key) -> str:
    """An interface as an address names it: "bkad/sipd/realisasi", slashes of its own escaped."""
    return "/".join(quote(part, safe="") for part in key)


def named(text: str) -> Key | None:
    """The interface an address names; None for what names none."""
    parts = text.split("/")
    if len(parts) != 3 or not all(parts):
        return None
    opd, system, interface = (unquote(part) for part in parts)
    return opd, system, interface


def sync_days(
    conn: Connection, settings: Settings, at: datetime, opd: str | None = None, only: Key | None = None
) -> Mapping[Key, tuple[SyncDay, ...]]:
    """The last ninety days of each interface, oldest first; a day without a run stands there with none."""
    today = local_day(at, settings.zone)
    days = [today - timedelta(days=n) for n in range(HEARTBEAT_DAYS - 1, -1, -1)]
    c = d.c
    query = sa.select(c.opd, c.system, c.interface, c.day, c.runs, c.ok).where(
        c.day >= days[0], c.day <= today
    )
    if only is not None:
        query = query.where(c.opd == only[0], c.system == only[1], c.interface == only[2])
    elif opd is not None:
        query = query.where(c.opd == opd)
    found: dict[Key, dict[date, tuple[int, int]]] = {}
    for code, system, interface, day, runs, ok in conn.execute(query):
        found.setdefault((code, system, interface), {})[day] = runs, ok
    return {
        key: tuple(
            SyncDay(day=day, runs=runs, ok=ok) for day in days for runs, ok in (cells.get(day, (0, 0)),)
        )
        for key, cells in found.items()
    }


def interface_view(
    conn: Connection, settings: Settings, at: datetime, asked: str, span: Span
) -> InterfaceView:
    """One interface's page for the days of `span`; `row` is None for one that nobody knows."""
    key = named(asked)
    rows = interface_rows(conn, settings, at, key[0]) if key else ()
    row = next((r for r in rows if (r.opd, r.system, r.interface) == key), None)
    if key is None or row is None:
        return InterfaceView(asked=asked, row=None, days=(), runs=(), run_count=0, ok_count=0)
    c = d.c
    same = (c.opd == key[0], c.system == key[1], c.interface == key[2])
    sums = sa.select(sa.func.coalesce(sa.func.sum(c.runs), 0), sa.func.coalesce(sa.func.sum(c.ok), 0))
    count, ok = conn.execute(sums.where(c.day >= span.first, c.day <= span.last, *same)).one()
    return InterfaceView(
        asked=asked, row=row, days=sync_days(conn, settings, at, only=key).get(key, ()),
        runs=_runs(conn, settings, at, key, span), run_count=int(count), ok_count=int(ok),
    )  # fmt: skip


def _runs(conn: Connection, settings: Settings, at: datetime, key: Key, span: Span) -> tuple[SyncRun, ...]:
    """The newest runs of the days, a month at a time so that only their partitions are looked at."""
    low = day_start(span.first, settings.zone)
    high = min(day_start(span.last + timedelta(days=1), settings.zone) - 1, micros(at))
    found: list[SyncRun] = []
    month = month_of(high)
    while len(found) < MOST_RUNS and month >= month_of(low):
        begin, end = _bounds(month)
        query = sa.select(s).where(
            s.c.opd == key[0], s.c.system == key[1], s.c.interface == key[2],
            s.c.started_at >= max(begin, low), s.c.started_at <= min(end - 1, high),
        )  # fmt: skip
        newest = query.order_by(s.c.started_at.desc()).limit(MOST_RUNS - len(found))
        found += [
            SyncRun(
                started_at=instant(row.started_at), finished_at=maybe_instant(row.finished_at),
                ok=bool(row.ok), rows_read=row.rows_read, rows_rejected=row.rows_rejected,
                matched=row.matched, unmatched=row.unmatched, data_as_of=maybe_instant(row.data_as_of),
                error=row.error,
            )
            for row in conn.execute(newest)
        ]  # fmt: skip
        month = _before(month)
    return tuple(found)


def _bounds(month: int) -> tuple[int, int]:
    """Where a month begins and ends in microseconds, its end excluded."""
    begin, end = (first_of(m, s.c.started_at) for m in (month, following(month)))
    assert isinstance(begin, int)
    assert isinstance(end, int)
    return begin, end


def _before(month: int) -> int:
    return month - 1 if month % 100 > 1 else month - 89
