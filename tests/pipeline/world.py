"""A small city with an empty store: what the tests of the tables and of the pipeline stand on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import sqlalchemy as sa

import kpis.tables
from ingest.arrivals import Arrival, Outcome
from ingest.pipeline import Pipeline
from kpis import readings
from kpis.catalogue import FEED_TABLES
from kpis.config import Settings, parse
from kpis.sources import reject, source_state
from kpis.store import Store, metadata, open_store
from kpis.types import Reading

assert kpis.tables

WIB = "+07:00"
NOW = datetime(2026, 8, 19, 3, 0, tzinfo=UTC)


def configuration(store_url: str, **tables: Any) -> dict[str, Any]:
    """config.toml's tables for Kota Uji: three OPD of 10, 20 and an unknown number of employees."""
    data: dict[str, Any] = {
        "city": {
            "name": "Kota Uji",
            "timezone": "Asia/Jakarta",
            "opd": [
                {"code": "dinkes", "name": "Dinas Kesehatan", "employees": 10},
                {"code": "dishub", "name": "Dinas Perhubungan", "employees": 20},
                {"code": "damkar", "name": "Dinas Pemadam Kebakaran"},
            ],
        },
        "store": {"url": store_url},
        "e_attendance": {"grace": "15m"},
    }
    for name, table in tables.items():
        both = isinstance(table, dict) and name in data
        data[name] = {**data[name], **table} if both else table
    return data


def settings_for(store_url: str, **tables: Any) -> Settings:
    return parse(configuration(store_url, **tables), Path("/config.toml"), {})


def ago(now: datetime = NOW, **span: float) -> str:
    """RFC 3339 of an instant before `now`."""
    return (now - timedelta(**span)).isoformat()


_DEFAULTS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "service_request": lambda: {
        "id": "r1",
        "opd": "dinkes",
        "opened_at": ago(days=3),
        "updated_at": ago(days=1),
        "status": "received",
    },
    "uptime_check": lambda: {"id": "c1", "app": "web", "observed_at": ago(minutes=1), "up": True},
    "sync_run": lambda: {
        "id": "s1",
        "opd": "dinkes",
        "system": "simpus",
        "interface": "pasien",
        "started_at": ago(hours=1),
        "ok": True,
    },
    "attendance": lambda: {"id": "a1", "opd": "dinkes", "employee": "p01", "at": ago(hours=3), "kind": "in"},
    "attendance_day": lambda: {
        "id": "d1",
        "opd": "dinkes",
        "day": "2026-08-19",
        "employee": "p01",
        "category": "cuti",
    },
    "ledger": lambda: {
        "id": "l1",
        "opd": "dinkes",
        "year": 2026,
        "code": "1.02.01",
        "stage": "plan",
        "amount": 1000,
        "updated_at": ago(days=1),
    },
    "milestone": lambda: {
        "id": "m1",
        "opd": "dinkes",
        "title": "Sambung SIMPUS",
        "due_on": "2026-12-01",
        "updated_at": ago(days=1),
    },
    "message": lambda: {"id": "p1", "request": "r1", "at": ago(hours=1), "author": "citizen", "text": "Halo"},
    "application": lambda: {"id": "web", "name": "Situs kota", "updated_at": ago(days=1)},
}
FEEDS = tuple(_DEFAULTS)


def record(feed: str, **fields: Any) -> dict[str, Any]:
    """A good record of a feed with some fields replaced; `...` leaves a field out."""
    found = {**_DEFAULTS[feed](), **fields}
    return {name: value for name, value in found.items() if value is not ...}


class World:
    """A store, its settings and a pipeline whose clock is `now`."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self.settings = settings
        self.now = now
        self.store: Store = open_store(settings)
        self.pipeline = Pipeline(self.store, settings, now)

    def close(self) -> None:
        self.store.close()

    def with_settings(self, **tables: Any) -> None:
        """The same store under another configuration."""
        self.settings = settings_for(self.store.url, **tables)
        self.pipeline = Pipeline(self.store, self.settings, self.now)

    def arrival(self, feed: str | None, payload: Any, source: str = "asal", **more: Any) -> Arrival:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        values = {"config": source, "door": "mqtt", "place": f"city/v1/{feed}/{source}", **more}
        return Arrival(source, values["config"], feed, body, self.now(), values["door"], values["place"])

    def row(self, feed: str, values: Mapping[str, Any], source: str = "asal") -> Arrival:
        """A database row or a line of a file."""
        return Arrival(source, source, feed, values, self.now(), "database", "query")

    def take(self, feed: str | None, *payloads: Any, source: str = "asal") -> Outcome:
        """Everything in one batch, one arrival each."""
        return self.pipeline.take([self.arrival(feed, p, source) for p in payloads])

    def rows(self, table: sa.Table, *order: str) -> list[Any]:
        known = [n for n in ("source", "id") if n in table.c]
        names = order or tuple(c.name for c in table.primary_key) or tuple(known)
        with self.store.read() as conn:
            return list(conn.execute(sa.select(table).order_by(*(table.c[n] for n in names))))

    def facts(self, feed: str) -> list[Any]:
        return self.rows(FEED_TABLES[feed].table)

    def rejects(self) -> list[Any]:
        return self.rows(reject)

    def counts(self, source: str = "asal") -> tuple[int, int, int]:
        """Accepted, known and rejected of one source since the beginning."""
        for row in self.rows(source_state):
            if row.source == source:
                return row.accepted, row.known, row.rejected
        return 0, 0, 0

    def readings(self, at: datetime | None = None) -> dict[readings.Key, Reading]:
        with self.store.read() as conn:
            return readings.as_of(conn, self.settings, at or self.now())

    def reading(self, kpi: str, opd: str | None = None, at: datetime | None = None) -> Reading:
        return self.readings(at)[kpi, opd]

    def value(self, kpi: str, opd: str | None = None, at: datetime | None = None) -> float | None:
        return self.reading(kpi, opd, at).value

    def wipe(self) -> None:
        """Empties every table but the schema's own; versions only ever rise."""
        emptied = [t.name for t in metadata.sorted_tables if t.name not in ("schema_version", "change")]
        statements = [f'DELETE FROM "{name}"' for name in emptied]
        statements.append("UPDATE change SET version = version + 1")
        with self.store.write() as conn:
            for statement in statements if self.store.embedded else ["; ".join(statements)]:
                conn.exec_driver_sql(statement)

    def reset(self, now: Callable[[], datetime]) -> None:
        """An empty store, the usual configuration and another clock."""
        self.wipe()
        self.now = now
        self.with_settings()


@contextmanager
def city(store_url: str, now: Callable[[], datetime] = lambda: NOW, **tables: Any) -> Iterator[World]:
    """A world that is closed afterwards."""
    world = World(settings_for(store_url, **tables), now)
    try:
        yield world
    finally:
        world.close()


def property_of(examples: int) -> Callable[[Any], Any]:
    """Hypothesis settings for properties of a store: the same examples each time, as slow as they are."""
    return hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        derandomize=True,
    )
