"""The reading side of `./run bench database`, a process of its own: polls once for each line on stdin.

`python -m benchmarks.database_reader CONFIG [discard]` prints one JSON object a poll. With `discard` the
rows go nowhere, which leaves what reading alone costs; else they go into the configured store.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from benchmarks.processes import peak_mib
from ingest.arrivals import Arrival, Outcome, Position
from ingest.pipeline import Pipeline
from ingest.sources.database import DatabaseSource
from ingest.sources.sink import Sink
from kpis.config import load
from kpis.store import open_store


class Discard:
    """A sink that keeps only the position."""

    def __init__(self) -> None:
        self._position: str | None = None

    def prepare(self, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
        return arrivals

    def gather(self, parts: Sequence[Sequence[Arrival]]) -> Sequence[Arrival]:
        return [arrival for part in parts for arrival in part]

    def take(self, arrivals: Sequence[Arrival], position: Position | None = None) -> Outcome:
        if position is not None:
            self._position = position.value
        return Outcome(accepted=len(arrivals))

    def position(self, source: str) -> str | None:
        return self._position

    def heard(self, source: str, door: str, error: str | None, behind_s: int | None = None) -> None:
        return


class Stopwatch:
    """How long statements and transactions on MySQL and MariaDB took, in seconds."""

    def __init__(self) -> None:
        self.pages: list[float] = []
        self.transactions: list[float] = []
        self._statement = self._transaction = 0.0
        sa.event.listen(Engine, "before_cursor_execute", self._before)
        sa.event.listen(Engine, "after_cursor_execute", self._after)
        sa.event.listen(Engine, "begin", self._begin)
        sa.event.listen(Engine, "rollback", self._end)
        sa.event.listen(Engine, "commit", self._end)

    def _before(self, conn: Connection, *_: Any) -> None:
        if conn.dialect.name == "mysql":
            self._statement = time.perf_counter()

    def _after(self, conn: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if conn.dialect.name == "mysql" and "LIMIT" in statement:
            self.pages.append(time.perf_counter() - self._statement)

    def _begin(self, conn: Connection) -> None:
        if conn.dialect.name == "mysql":
            self._transaction = time.perf_counter()

    def _end(self, conn: Connection) -> None:
        if conn.dialect.name == "mysql":
            self.transactions.append(time.perf_counter() - self._transaction)


def main(argv: list[str]) -> None:
    settings = load(Path(argv[0]))
    store = None if "discard" in argv else open_store(settings)
    sink: Sink = Discard() if store is None else Pipeline(store, settings, settings.clock.now)
    (configured,) = (source for source in settings.sources if source.type == "database")
    source = DatabaseSource(configured, sink, lambda: datetime.now(UTC), settings.path.parent)
    watch = Stopwatch()
    for _ in sys.stdin:
        watch.pages.clear()
        watch.transactions.clear()
        began = time.perf_counter()
        rows = source.poll()
        said = {
            "rows": rows,
            "seconds": time.perf_counter() - began,
            "pages": len(watch.pages),
            "page_ms_p50": median(watch.pages) * 1000,
            "page_ms_max": max(watch.pages) * 1000,
            "longest_source_transaction_s": max(watch.transactions),
            "rss_mib": peak_mib(os.getpid()),
        }
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
