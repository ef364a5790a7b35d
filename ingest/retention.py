"""Removes single records that are older than `[retention]` keeps; roll-ups and readings stay.

Once at the start and once a day, by one ingest at a time. On PostgreSQL whole months go by dropping
their partition, which takes a moment; everything else goes in small pieces, so that neither pages nor
ingest wait. What is removed is noted first: a pass that was cut short is gone on with by the next.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ingest.election import RETENTION, Election
from kpis import partitions
from kpis.announce import announce
from kpis.app_uptime.tables import app_run
from kpis.catalogue import FEED_TABLES
from kpis.clock import Now
from kpis.config import Settings
from kpis.e_attendance.tables import attendance_person
from kpis.errors import StoreUnavailable
from kpis.feeds import FeedTable
from kpis.messages import message
from kpis.opd_integration.seen import OLD_RUNS
from kpis.opd_integration.tables import sync_day
from kpis.retention import first_us, horizon_month, note, removed_before
from kpis.service_requests.tables import request_day, service_request
from kpis.sources import reject, source_hour
from kpis.store import Store, instant, lock

log = logging.getLogger(__name__)

_EVERY_S = 86_400.0
_PIECE = 10_000
# Between two pieces others get their turn.
_BREATH_S = 0.02
# How long a drop may make others wait, and after which time it tries again.
_LOCK = "200ms"
_AGAIN_S = 1.0
_TRIES = 600
# A record is refused a day before its month is removed: no batch is ever between the two.
_MARGIN = timedelta(days=1)
# How far the clock may run ahead of the newest record of any feed.
_AHEAD = timedelta(days=31)


class Retention:
    """Runs until told to stop."""

    def __init__(self, store: Store, settings: Settings, now: Now, piece: int = _PIECE) -> None:
        self._store = store
        self._settings = settings
        self._now = now
        self._piece = piece

    def run(self, stop: threading.Event) -> None:
        """Blocks until `stop`. Raises StoreUnavailable; the next run goes on where this one ended."""
        while not stop.is_set():
            with Election(self._store, RETENTION) as elected:
                if elected.won:
                    self.once(stop)
            stop.wait(_EVERY_S)

    def once(self, stop: threading.Event | None = None) -> dict[str, int]:
        """One pass; the number of rows (on PostgreSQL: partitions) removed, by what they belong to."""
        stop = stop or threading.Event()
        found = {}
        for name in self._settings.retention:
            month = self._horizon(name)
            if month is None or stop.is_set():
                continue
            found[name] = self._remove(name, month, stop)
            if not stop.is_set():
                with self._store.write() as conn:
                    note(conn, name, month=month, removed=month)
                    if name == "sync_run":
                        announce(conn, [OLD_RUNS])  # what others remember of removed runs
                log.info("retention: %s begins with %d now", name, month)
        return found

    def _horizon(self, name: str) -> int | None:
        """The month before which records go now; None when there is nothing to do.

        A machine that starts with a wrong clock must not cost a city its records: time is believed as
        far as what came in bears it out, and after the first pass one month goes at a time.
        """
        now = self._now() - _MARGIN
        with self._store.read() as conn:
            newest, removed = _newest(conn), removed_before(conn, name)
        if newest is not None and now > newest + _AHEAD:
            log.warning(
                "retention: the clock says %s, and the newest record is of %s; it counts from there",
                now.date(),
                newest.date(),
            )
            now = newest + _AHEAD
        month = horizon_month(self._settings, name, now)
        if month is None or month <= removed:
            return None
        return min(month, partitions.following(removed)) if removed else month

    def _remove(self, name: str, month: int, stop: threading.Event) -> int:
        bound = first_us(self._settings, name, month)
        if name == "rejects":
            return self._pieces(
                stop, lambda conn: _some(conn, reject.c.id, reject.c.last_at < bound, self._piece)
            )
        if name == "source_hour":
            with self._store.write() as conn:
                return conn.execute(source_hour.delete().where(source_hour.c.hour < bound)).rowcount
        with self._store.write() as conn:
            note(conn, name, month=month)
        if name == service_request.name:
            return self._pieces(stop, lambda conn: _some_requests(conn, bound, self._piece))
        feed = FEED_TABLES[name]
        self._remove_keys(feed, month, stop)
        if self._store.embedded:
            return self._remove_facts(feed, month, stop)
        return self._drop(feed, month, stop)

    def _pieces(self, stop: threading.Event, some: Callable[[Connection], int]) -> int:
        """Calls `some`, each in a transaction of its own, until it has nothing left to remove."""
        total = 0
        while not stop.is_set():
            with self._store.write() as conn:
                count = some(conn)
            if count == 0:
                break
            total += count
            stop.wait(_BREATH_S)
        return total

    def _remove_keys(self, feed: FeedTable, month: int, stop: threading.Event) -> None:
        """Walks the key table once along its primary key: it has no index by month, and needs none."""
        assert feed.key is not None
        key = feed.key
        pair = sa.tuple_(key.c.source, key.c.id)
        low: tuple[str, str] | None = ("", "")
        while low is not None and not stop.is_set():
            rest = pair > sa.tuple_(*map(sa.literal, low))
            with self._store.write() as conn:
                end = sa.select(key.c.source, key.c.id).where(rest).order_by(key.c.source, key.c.id)
                high = conn.execute(end.limit(1).offset(self._piece - 1)).first()
                upto = sa.true() if high is None else pair <= sa.tuple_(*map(sa.literal, high))
                conn.execute(key.delete().where(rest, upto, key.c.month < month))
            low = None if high is None else (high.source, high.id)
            stop.wait(_BREATH_S)

    def _remove_facts(self, feed: FeedTable, month: int, stop: threading.Event) -> int:
        """Walks the facts once in the order they came in."""
        fact, by = feed.table, feed.table.c[feed.by or feed.moment]
        row = sa.literal_column("rowid", sa.Integer)
        bound = partitions.first_of(month, by)
        with self._store.read() as conn:
            last = conn.execute(sa.select(sa.func.max(row)).select_from(fact)).scalar() or 0
        total = 0
        for low in range(0, last, self._piece):
            if stop.wait(_BREATH_S):
                break
            with self._store.write() as conn:
                some = fact.delete().where(row > low, row <= low + self._piece, by < bound)
                total += conn.execute(some).rowcount
        return total

    def _drop(self, feed: FeedTable, month: int, stop: threading.Event) -> int:
        """Drops the partitions of the months before `month`."""
        with self._store.read() as conn:
            names = [name for found, name in partitions.of(conn, feed.table) if found < month]
        for name in names:
            if not self._drop_one(name, stop):
                break
        return len(names)

    def _drop_one(self, name: str, stop: threading.Event) -> bool:
        """Tries until nobody is at work on the table for a moment; False when told to stop."""
        for attempt in range(1, _TRIES + 1):
            try:
                with self._store.write() as conn:
                    conn.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK}'")
                    conn.exec_driver_sql(f'DROP TABLE IF EXISTS "{name}"')
                return True
            except StoreUnavailable:
                if attempt == _TRIES:
                    raise
            if stop.wait(_AGAIN_S):
                break
        return False


def _newest(conn: Connection) -> datetime | None:
    """The newest moment that any roll-up tells of: those outlive what is removed. Leave is known ahead."""
    last = conn.execute(sa.select(sa.func.max(app_run.c.last_at))).scalar()
    days = [
        conn.execute(sa.select(sa.func.max(t.c.day))).scalar()
        for t in (attendance_person, sync_day, request_day)
    ]
    found = [datetime.combine(day, time(), UTC) for day in days if day is not None]
    return max([*found, *([instant(last)] if last is not None else [])], default=None)


def _some(conn: Connection, key: sa.Column[int], old: sa.ColumnElement[bool], piece: int) -> int:
    some = sa.select(key).where(old).limit(piece)
    return conn.execute(key.table.delete().where(key.in_(some))).rowcount


def _some_requests(conn: Connection, bound: int, piece: int) -> int:
    """Removes ended requests that nothing was heard of since `bound`, with what was said on them."""
    r, m = service_request.c, message.c
    # A newer version of a request must not come in between the look and the removal.
    lock(conn, service_request.name)
    old = sa.select(r.source, r.id).where(r.ended_at < bound, r.updated_at < bound).limit(piece)
    found = [tuple(row) for row in conn.execute(old)]
    for start in range(0, len(found), 500):
        some = found[start : start + 500]
        conn.execute(message.delete().where(sa.tuple_(m.source, m.request).in_(some)))
        conn.execute(service_request.delete().where(sa.tuple_(r.source, r.id).in_(some)))
    return len(found)
