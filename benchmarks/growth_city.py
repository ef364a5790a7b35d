"""Fills a store with a past and makes its roll-ups as `./run rebuild` does."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from benchmarks.growth_facts import Facts
from benchmarks.growth_shape import Shape, settings_for
from ingest.rebuild import rebuild
from kpis import partitions
from kpis.catalogue import FEED_TABLES, catalogue
from kpis.config import Settings
from kpis.store import Store, open_store

Note = Callable[[str], None]
_OWN_TABLES = (
    "SELECT string_agg(relname, ', ') FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)
_FACTS = ("uptime_check", "attendance", "attendance_day", "sync_run", "service_request", "ledger")


@dataclass(slots=True)
class Grown:
    """A city with its past: the facts by feed, and how long the filling took."""

    shape: Shape
    settings: Settings
    store: Store
    facts: dict[str, int] = field(default_factory=dict)
    fill_s: float = 0.0
    rebuild_s: float = 0.0

    @property
    def total(self) -> int:
        return sum(self.facts.values())


def grow(shape: Shape, url: str, note: Note) -> Grown:
    """The city in the empty store at `url`; its `store` is the caller's to close."""
    settings = settings_for(shape, url)
    grown = Grown(shape, settings, open_store(settings))
    began = time.monotonic()
    with grown.store.write() as conn:
        for feed in FEED_TABLES.values():
            if feed.by is not None:
                partitions.ensure(conn, feed.table, feed.by, shape.months)
    opds = [opd.code for opd in settings.city.opds]
    facts = Facts(shape, "sqlite" if grown.store.embedded else "postgresql", opds, list(catalogue()))
    with closing(connect(url)) as connection:
        for table, statement in facts.statements():
            at = time.monotonic()
            rows = _run(connection, statement)
            note(f"{table}: {rows} rows in {time.monotonic() - at:.1f} s")
            if table in _FACTS:
                grown.facts[table] = rows
        grown.fill_s = time.monotonic() - began
        note(f"{grown.total} facts in {grown.fill_s:.0f} s")
    rebuild(grown.store, settings)
    _tidy(url)
    grown.rebuild_s = time.monotonic() - began - grown.fill_s
    note(f"roll-ups in {grown.rebuild_s:.0f} s")
    return grown


def connect(url: str) -> Any:
    """A driver's own connection to the store, each statement its own transaction."""
    if url.startswith("sqlite"):
        return sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30, isolation_level=None)
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    connection.autocommit = True
    return connection


def _run(connection: Any, statement: str) -> int:
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)


def _tidy(url: str) -> None:
    """What autovacuum does in its own time: PostgreSQL's own tables, not the parents of partitions."""
    if url.startswith("sqlite"):
        return
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(_OWN_TABLES)
        cursor.execute(f"VACUUM (ANALYZE) {cursor.fetchone()[0]}")
        cursor.execute("CHECKPOINT")


def size_bytes(grown: Grown) -> int:
    """What the store takes on the disk."""
    url = grown.settings.store.url
    if url.startswith("sqlite"):
        return Path(url.removeprefix("sqlite:///")).stat().st_size
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])
