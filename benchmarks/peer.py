"""Node-RED as a peer: the same events from the same kind of broker into the same PostgreSQL.

Two flows of benchmarks/node_red: `single` inserts each message by itself, as most people wire it, and
`batched` collects rows by hand and inserts them together. Neither keeps roll-ups, validates, or waits
for the commit before it acknowledges; the table has one key and no other index.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks import rig
from benchmarks.npm import install
from benchmarks.processes import cpu_s, peak_mib
from benchmarks.stores import BenchmarkError, PostgresStore
from tests.keeper import Keeper
from tests.servers import Mosquitto
from tests.sources.publisher import publish

FLOWS = ("single", "batched")
_HERE = Path(__file__).resolve().parent / "node_red"
_READY_WITHIN_S = 60.0
_TABLE = """\
CREATE TABLE node_red_check (
    source text, id text, app text NOT NULL, observed_at timestamptz NOT NULL, up boolean NOT NULL,
    latency_ms float8, status_code integer, error text, probe text, cert_expires_at timestamptz,
    content_changed_at timestamptz, PRIMARY KEY (source, id))
"""


class Peer:
    """Both flows, on a broker of their own and the PostgreSQL that Pendopo is measured on."""

    def __init__(self, keeper: Keeper, store: PostgresStore) -> None:
        self._keeper, self._store = keeper, store
        self._folder = install("node_red", "--node-red", ["settings.js"])
        self._broker = Mosquitto(keeper)

    def round(self, file: Path, events: int) -> dict[str, float]:
        """For each flow its events a second, the most MiB it held, and microseconds of CPU an event.

        `file` holds uptime checks as `benchmarks.events` numbers them.
        """
        found: dict[str, float] = {}
        for flow in FLOWS:
            running = _NodeRed(self._keeper, self._folder, flow, self._broker, self._store)
            figures = _round(running, file, events)
            found |= {f"node_red_{flow}_{key}": value for key, value in figures.items()}
        return found


class _NodeRed:
    """One Node-RED with one flow, on an empty table."""

    def __init__(
        self, keeper: Keeper, folder: Path, flow: str, broker: Mosquitto, store: PostgresStore
    ) -> None:
        self.keeper, self.broker = keeper, broker
        store.fresh()
        self.table = store.connect()
        self.table.autocommit = True
        self.ask(_TABLE)
        home = keeper.subfolder("node-red")
        shutil.copy(_HERE / f"{flow}.json", home / "flows.json")
        arch = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        node = folder / "node_modules" / f"node-linux-{arch}" / "bin" / "node"
        if not node.exists():
            raise BenchmarkError(f"--node-red: there is no Node.js package for {platform.machine()}")
        argv: list[str | Path] = [node, folder / "node_modules/node-red/red.js", "--userDir", home]
        argv += ["--settings", folder / "settings.js", home / "flows.json"]
        url = store.url.replace("+psycopg2", "")
        env = {**os.environ, "BROKER_PORT": str(broker.port), "DATABASE_URL": url}
        self.process = keeper.start(argv, log=home / "log", env=env, cwd=home)
        self.log = home / "log"

    def ask(self, statement: str) -> Any:
        with self.table.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone() if cursor.description else None

    def wait(self) -> None:
        """Returns when a message has come through, with the table empty again."""
        end = time.monotonic() + _READY_WITHIN_S
        sent = 0
        while not self.ask("SELECT count(*) FROM node_red_check")[0]:
            if self.process.poll() is not None or time.monotonic() > end:
                raise BenchmarkError(f"Node-RED does not start: {self.log.read_text()[-1000:]}")
            sent += 1
            hello = {"id": f"hello-{sent}", "app": "a", "observed_at": "2026-01-01T00:00:00Z", "up": True}
            publish(self.broker.port, "city/v1/uptime_check/hello", [json.dumps(hello)])
            time.sleep(0.2)
        self.ask("DELETE FROM node_red_check")

    def arrived(self, events: int) -> int:
        """How far it has come: the newest number while it works, the count of rows at the end."""
        newest = self.ask("SELECT max(id) FROM node_red_check WHERE source = 'benchmark'")[0]
        number = 0 if newest is None else int(newest.rpartition("-")[2]) + 1
        if number < events:
            return number
        return int(self.ask("SELECT count(*) FROM node_red_check WHERE source = 'benchmark'")[0])

    def close(self) -> None:
        self.keeper.end(self.process)
        self.table.close()


def _round(peer: _NodeRed, file: Path, events: int) -> dict[str, float]:
    with closing(peer):
        peer.wait()
        before = cpu_s(peer.process.pid)
        with rig.publishing(peer.broker, file, events) as began:
            took = rig.reached(lambda: peer.arrived(events), events) - began
        cpu = (cpu_s(peer.process.pid) - before) / events * 1e6
        rss = peak_mib(peer.process.pid)
    return {"per_s": events / took, "rss_mib": rss, "us": cpu}
