"""One road from a publisher over a broker and ingest into a store: real processes, started and watched."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.events import CONFIG
from benchmarks.processes import cpu_s, peak_mib
from benchmarks.publisher import write_messages
from benchmarks.stores import BenchmarkError, Store
from tests.keeper import Keeper, wait_until
from tests.servers import Mosquitto

CLIENT = "pendopo"
_PATIENCE_S = 120.0
_STALLED_S = 30.0

_CONFIG = """\
extends = "{base}"

[store]
url = "{store}"

[broker]
url = "{broker}"
client_id = "{client}"

[[source]]
name = "city"
type = "mqtt"
topic = "city/v1/#"
"""


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU seconds used so far by each side of the road."""

    ingest: float
    store: float
    broker: float

    def per_event_us(self, before: Costs, events: int) -> dict[str, float]:
        """Microseconds an event since `before`."""
        spent = {name: getattr(self, name) - getattr(before, name) for name in ("ingest", "store", "broker")}
        return {name: round(seconds / events * 1e6, 1) for name, seconds in spent.items()}


class Ingest:
    """`python -m ingest` as a process, on a store and a broker of the benchmark's own."""

    def __init__(self, keeper: Keeper, store: Store, broker: Mosquitto) -> None:
        self._keeper, self._store, self._broker = keeper, store, broker
        self._folder = keeper.subfolder("ingest")
        self._log = self._folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns when records can come in."""
        self.launch()
        assert self._process is not None
        wait_until(lambda: b"ingest ready" in self._log.read_bytes(), self._process, self._log)

    def launch(self) -> None:
        """Starts the process and does not wait for it."""
        config = self._folder / "config.toml"
        words = {"base": CONFIG, "store": self._store.url, "broker": self._broker.url, "client": CLIENT}
        config.write_text(_CONFIG.format(**words))
        self._log.write_bytes(b"")
        argv = [sys.executable, "-m", "ingest", "--config", str(config)]
        self._process = self._keeper.start(argv, log=self._log, cwd=CONFIG.parent)

    def stop(self) -> None:
        if self._process is not None:
            self._keeper.end(self._process)
            self._process = None


class Road:
    """Broker, ingest and store, one after the other."""

    def __init__(self, keeper: Keeper, store: Store, broker: Mosquitto) -> None:
        self.store, self.broker = store, broker
        self.ingest = Ingest(keeper, store, broker)

    def fresh(self) -> None:
        """An empty store with ingest before it."""
        self.ingest.stop()
        self.store.fresh()
        self.ingest.start()

    def costs(self) -> Costs:
        return Costs(cpu_s(self.ingest.pid), self.store.cpu_s(), cpu_s(self.broker.pid))

    def peak_mib(self) -> float:
        """The most memory ingest has held since it started."""
        return peak_mib(self.ingest.pid)

    def committed(self, count: int) -> float:
        """Waits until `count` records are facts; the moment (time.monotonic) that was seen."""
        return reached(self.store.accepted, count)


def reached(done: Callable[[], int], count: int) -> float:
    """Looks every 50 ms, near the end every 5 ms, until `done()` is `count`; when that was.

    Raises BenchmarkError when nothing moves for half a minute, or more than `count` are there.
    """
    before, moved = -1, time.monotonic()
    while (found := done()) < count:
        now = time.monotonic()
        if found != before:
            before, moved = found, now
        elif now - moved > _STALLED_S:
            raise BenchmarkError(f"only {found} of {count} records arrived")
        time.sleep(0.005 if found > 0.9 * count else 0.05)
    if found > count:
        raise BenchmarkError(f"{found} records arrived where {count} were published")
    return time.monotonic()


def connected(broker: Mosquitto, since: int, name: str) -> float:
    """When (time.monotonic) the broker's log, from byte `since`, first told of a client of that name.

    The broker's word is used because a session's backlog flows from there on, before the client
    itself knows that it is subscribed.
    """
    end = time.monotonic() + _PATIENCE_S
    needle = f" as {name}".encode()
    while time.monotonic() < end:
        with broker.log.open("rb") as log:
            log.seek(since)
            if needle in log.read():
                return time.monotonic()
        time.sleep(0.002)
    raise BenchmarkError(f"no client {name} connected to the broker")


def log_size(broker: Mosquitto) -> int:
    return broker.log.stat().st_size


def write_events(file: Path, events: Sequence[tuple[str, bytes]]) -> Path:
    write_messages(file, events)
    return file


@contextmanager
def publishing(broker: Mosquitto, file: Path, events: int) -> Iterator[float]:
    """Publishes a file from a process of its own; gives the moment it began to, and waits for its end.

    Raises BenchmarkError unless the broker acknowledged everything.
    """
    since = log_size(broker)
    argv = [sys.executable, "-m", "benchmarks.publisher", "--port", str(broker.port), "--file", str(file)]
    with subprocess.Popen(argv, cwd=CONFIG.parent, stdout=subprocess.PIPE) as publisher:
        try:
            yield connected(broker, since, "publisher")
            said, _ = publisher.communicate(timeout=_PATIENCE_S)
        finally:
            publisher.kill()
    if publisher.returncode or json.loads(said)["acknowledged"] != events:
        raise BenchmarkError("the broker did not acknowledge every event")


def publish_all(broker: Mosquitto, file: Path, events: int) -> None:
    """Publishes a file and returns when the broker has acknowledged all of it."""
    with publishing(broker, file, events):
        pass
