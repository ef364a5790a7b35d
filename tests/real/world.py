"""A city made for one set of real data: its configuration in a file, its store, and its facts read back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import sqlalchemy as sa
from paho.mqtt.enums import CallbackAPIVersion

from ingest.pipeline import Pipeline
from kpis import sources
from kpis.catalogue import FEED_TABLES
from kpis.clock import Now
from kpis.config import Settings, load
from kpis.store import Store, open_store

ROOT = Path(__file__).resolve().parents[2]


def now() -> datetime:
    """The real present; all the real data lies in its past."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class World:
    """A configured city whose tables are open."""

    settings: Settings
    store: Store
    pipeline: Pipeline

    def facts(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every fact and roll-up, in an order that does not depend on how they came in.

        Where a new time alone is no news (the inventory has none but that of its arrival), it is left out.
        """
        columns = {t.name: list(t.columns) for feed in FEED_TABLES.values() for t in feed.rollups}
        for feed in FEED_TABLES.values():
            ignored = None if feed.versioned else feed.newest
            columns[feed.table.name] = [c for c in feed.table.columns if c.name != ignored]
        with self.store.read() as conn:
            return {
                name: sorted((tuple(row) for row in conn.execute(sa.select(*found))), key=repr)
                for name, found in sorted(columns.items())
            }

    def counts(self, source: str) -> tuple[int, int, int]:
        """Accepted, known and rejected of one source so far."""
        s = sources.source_state.c
        with self.store.read() as conn:
            query = sa.select(s.accepted, s.known, s.rejected).where(s.source == source)
            row = conn.execute(query).first()
        return (0, 0, 0) if row is None else (row.accepted, row.known, row.rejected)

    def rejects(self) -> list[tuple[str, str | None, int]]:
        """Reason, field and how often it came, of each reject that is kept."""
        r = sources.reject.c
        with self.store.read() as conn:
            return [tuple(row) for row in conn.execute(sa.select(r.reason, r.field, r.times))]


def open_world(folder: Path, text: str, now: Now = now) -> World:
    """The city that `text` describes, with its tables; the configuration stays in the folder."""
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    settings = load(file)
    store = open_store(settings)
    return World(settings, store, Pipeline(store, settings, now))


def city(store_url: str, timezone: str, opds: Iterable[str]) -> str:
    """The first tables of a configuration: a city, its OPD by code, its store."""
    listed = ", ".join(f'{{ code = "{code}", name = "{code}" }}' for code in opds)
    return f"""
[city]
name = "Kota Uji"
timezone = "{timezone}"
opd = [{listed}]

[store]
url = "{store_url}"
"""


def run(world: World, *arguments: str | Path) -> str:
    """What `python -m …` prints with the world's configuration; fails with what it says on an error."""
    environ = {**os.environ, "PENDOPO_CONFIG": str(world.settings.path)}
    command = [sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def publish(port: int, messages: Sequence[tuple[str, Any]]) -> None:
    """Publishes (topic, value as JSON) at QoS 1 and returns when the broker has acknowledged all."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
    client.max_queued_messages_set(0)
    client.max_inflight_messages_set(1000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        sent = [client.publish(topic, json.dumps(value), qos=1) for topic, value in messages]
        for info in sent:
            info.wait_for_publish(30)
            assert info.is_published()
    finally:
        client.disconnect()
        client.loop_stop()
