"""What the fault benchmark runs: broker, network, PostgreSQL, ingest and a source that publishes."""

from __future__ import annotations

import json
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg2

from benchmarks.brokers import READER, READER_PASSWORD, WRITER, WRITER_PASSWORD, Broker
from benchmarks.fault_disk import DiskPostgres
from benchmarks.fault_events import Event, topics
from benchmarks.proxy import Proxy
from benchmarks.publisher import shared_bytes, write_messages
from tests.keeper import Keeper, wait_until

ROOT = Path(__file__).resolve().parent.parent
_TAKEN = "SELECT coalesce(sum(accepted + known + rejected), 0) FROM source_state"


class BenchmarkError(RuntimeError):
    """The benchmark itself came to nothing: what it needs did not start, or did not end."""


class Ingest:
    """`python -m ingest` on a configuration of its own; `ends` counts how often it ended by itself."""

    def __init__(self, keeper: Keeper, broker_port: int, store_url: str) -> None:
        self._keeper = keeper
        folder = keeper.subfolder("ingest")
        self.config = folder / "config.toml"
        self.log = folder / "log"
        self.ends = 0
        self.config.write_text(
            f'extends = "{ROOT / "config.toml"}"\n[store]\nurl = "{store_url}"\n[broker]\n'
            f'url = "mqtt://{READER}:{READER_PASSWORD}@127.0.0.1:{broker_port}"\n'
        )

    def start(self) -> None:
        """Starts it and returns when it says that it is ready."""
        heard = self.log.stat().st_size if self.log.exists() else 0
        argv: list[str | Path] = [sys.executable, "-m", "ingest", "--config", self.config]
        self._process = self._keeper.start(argv, log=self.log, cwd=ROOT)
        wait_until(lambda: b"ingest ready" in self.log.read_bytes()[heard:], self._process, self.log)

    def keep_running(self) -> None:
        """Starts it again when it has ended by itself, as systemd would."""
        if self._process.poll() is not None:
            self.ends += 1
            self._keeper.end(self._process)
            self.start()

    def kill(self) -> None:
        self._keeper.end(self._process, signal.SIGKILL)

    def stop(self) -> None:
        if self._keeper.end(self._process):
            raise BenchmarkError(f"ingest did not end in order\n{self.tail()}")

    def tail(self) -> str:
        """The end of what it logged."""
        return self.log.read_text()[-2_000:]


class Source:
    """The publisher as a process of its own, which sends as far as it is released."""

    def __init__(self, keeper: Keeper, broker: Broker, events: Sequence[Event], rate: float) -> None:
        folder = keeper.subfolder("source")
        messages, flags, gate = folder / "messages", folder / "flags", folder / "gate"
        write_messages(messages, zip(topics(events, WRITER), (e.payload for e in events), strict=True))
        self.flags = shared_bytes(flags, len(events))
        self._gate = shared_bytes(gate, 8)
        self._keeper = keeper
        self._out = folder / "out"
        # On a cluster the source begins at another node than ingest.
        (host, port), *others = [*broker.doors[1:], *broker.doors[:1]]
        argv: list[str | Path] = [sys.executable, "-m", "benchmarks.publisher", "--host", host]
        argv += ["--port", str(port), "--file", messages, "--rate", str(rate), "--lanes", str(broker.lanes)]
        argv += ["--username", WRITER, "--password", WRITER_PASSWORD, "--flags", flags, "--gate", gate]
        argv += [f"--other={host}:{port}" for host, port in others]
        self._process = keeper.start(argv, log=self._out, cwd=ROOT)

    def release(self, count: int) -> None:
        """Lets the first `count` events go."""
        self._gate[:8] = struct.pack("<q", count)

    @property
    def acknowledged(self) -> int:
        return self.flags[:].count(1)

    def wait_for(self, count: int, keep: Callable[[], None]) -> None:
        """Returns when so many events are acknowledged; calls `keep` meanwhile."""
        while self.acknowledged < count and self._process.poll() is None:
            keep()
            time.sleep(0.01)
        if self.acknowledged < count:
            raise BenchmarkError(f"the source gave up\n{self._out.read_text()[-2000:]}")

    def done(self) -> dict[str, float]:
        """What it printed at its end."""
        try:
            code = self._process.wait(60)
        except subprocess.TimeoutExpired:
            code = -1
        self._keeper.end(self._process, signal.SIGKILL)
        if code:
            raise BenchmarkError(f"the source did not end\n{self._out.read_text()[-2000:]}")
        found: dict[str, float] = json.loads(self._out.read_text().splitlines()[-1])
        return found


class Rig:
    """Everything together. `broker_net` and `store_net` are the stretches of network before ingest."""

    def __init__(
        self, keeper: Keeper, broker: Broker, events: Sequence[Event], rate: float, disk_mib: int
    ) -> None:
        self.broker = broker
        with ExitStack() as opened:
            self.postgres = opened.enter_context(closing(DiskPostgres(keeper, disk_mib)))
            self.broker_net = opened.enter_context(closing(Proxy(broker.doors)))
            self.store_net = opened.enter_context(closing(Proxy([("127.0.0.1", self.postgres.port)])))
            self._start(keeper, events, rate)
            self._opened = opened.pop_all()

    def _start(self, keeper: Keeper, events: Sequence[Event], rate: float) -> None:
        self.store_url = self.postgres.fresh()
        far = self.store_url.replace(f":{self.postgres.port}/", f":{self.store_net.port}/")
        self.ingest = Ingest(keeper, self.broker_net.port, far)
        self.ingest.start()
        self.source = Source(keeper, self.broker, events, rate)

    def connect(self) -> psycopg2.extensions.connection:
        """A connection to the store past the network that is cut."""
        return psycopg2.connect(self.store_url.replace("+psycopg2", ""))

    def taken(self) -> int:
        """Records ingest has committed so far, the known ones among them."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(_TAKEN)
                row = cursor.fetchone()
            assert row is not None
            return int(row[0])
        finally:
            connection.close()

    def close(self) -> None:
        self._opened.close()
