"""A sink that remembers what it was given, and settings made from a few lines of TOML."""

from __future__ import annotations

import threading
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from ingest.arrivals import Arrival, Outcome, Position
from kpis.config import Settings, parse
from kpis.errors import StoreUnavailable

CITY = """
[city]
name = "Kota Uji"
timezone = "Asia/Jakarta"
opd = [{ code = "diskominfo", name = "Dinas Kominfo" }, { code = "dlh", name = "Dinas Lingkungan Hidup" }]
"""


def settings_of(text: str, folder: Path) -> Settings:
    return parse(tomllib.loads(CITY + text), folder / "config.toml", {})


class Recorder:
    """Keeps every arrival in the order it came; `away` makes it answer as a store that cannot be reached.

    Like the pipeline it counts the same payload from the same source again as already known.
    """

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.batches: list[int] = []
        self.positions: dict[str, str] = {}
        self.notes: list[tuple[str, str, str | None]] = []
        self.behind: list[int | None] = []
        self.newest: int | None = None
        self.away = False
        self.fail_after: int | None = None
        self.tried = 0
        self._seen: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def prepare(self, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
        return arrivals

    def gather(self, parts: Sequence[Sequence[Arrival]]) -> Sequence[Arrival]:
        return [arrival for part in parts for arrival in part]

    def take(self, arrivals: Sequence[Arrival], position: Position | None = None) -> Outcome:
        with self._lock:
            self.tried += 1
            if self.away or (self.fail_after is not None and len(self.batches) >= self.fail_after):
                raise StoreUnavailable("the store cannot be reached: pretended")
            self.arrivals.extend(arrivals)
            self.batches.append(len(arrivals))
            if position is not None:
                self.positions[position.source] = position.value
            outcome = Outcome(newest=self.newest)
            for arrival in arrivals:
                key = (arrival.source, repr(arrival.payload))
                if key in self._seen:
                    outcome.known += 1
                else:
                    outcome.accepted += 1
                self._seen.add(key)
            return outcome

    def position(self, source: str) -> str | None:
        return self.positions.get(source)

    def heard(self, source: str, door: str, error: str | None, behind_s: int | None = None) -> None:
        self.notes.append((source, door, error))
        self.behind.append(behind_s)

    @property
    def payloads(self) -> list[Any]:
        return [arrival.payload for arrival in self.arrivals]

    @property
    def errors(self) -> list[str]:
        return [error for _, _, error in self.notes if error is not None]


def eventually(condition: Callable[[], bool], what: str = "", within_s: float = 15) -> None:
    """Waits for a condition; AssertionError when it does not come."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError(f"not within {within_s} s: {what or condition}")


class Running:
    """A source in its own thread, as a context; leaving it stops the source and raises what it raised."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.stop = threading.Event()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self.source.run(self.stop)
        except BaseException as error:
            self.error = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._thread.join(15)
        assert not self._thread.is_alive(), "the source did not stop"
        if self.error is not None:
            raise self.error
