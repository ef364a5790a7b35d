"""A demo-like city in a store, and the hand that changes one reading of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from ingest.arrivals import Arrival
from ingest.demo.city import found
from ingest.demo.history import FILES, FOLDER, History
from ingest.demo.settle import settle
from ingest.evaluate import Evaluator
from ingest.pipeline import Pipeline
from kpis.announce import READINGS, Listener, versions
from kpis.config import Settings, load
from kpis.readings import reading_history
from kpis.store import open_store

_ROOT = Path(__file__).resolve().parent.parent
_BATCH = 5000
# A day's trend has one mark an hour; fewer are those the clock alone has made.
_TREND_MARKS = 20


@dataclass(frozen=True, slots=True)
class Change:
    """One record and the readings it changed. Moments are of CLOCK_MONOTONIC, the same in every process."""

    version: int
    recorded: float
    judged: float


class City:
    """The pretend city with `days` of past, its settings in `config`; close it to let go of the store.

    `note` hears what is being done. A city of one day has no trends: nothing of it is settled yet.
    """

    def __init__(self, folder: Path, store_url: str, days: int, note: Callable[[str], None]) -> None:
        self.config = folder / "live.toml"
        self._folder = folder
        self._count = 0
        self._settings = self._settle(store_url, days)
        self._now = self._settings.clock.now
        self._store = open_store(self._settings)
        self._pipeline = Pipeline(self._store, self._settings, self._now)
        note(f"founding a city with {days} days of past")
        self.records = self._fill()
        self._evaluator = Evaluator(self._store, self._settings, self._now)
        self._evaluator.cycle(everything=True)
        if days > 1:
            note(f"measuring its trends over {self.records} records")
            self._draw_trends()

    def change(self) -> Change:
        """Takes one new request in and judges it: the way of every record, without the waiting between."""
        self._count += 1
        opds = self._settings.city.opds
        now = datetime.now(UTC)
        record = {
            "id": f"live-{self._count}", "opd": opds[self._count % len(opds)].code, "status": "received",
            "opened_at": now.isoformat(), "updated_at": now.isoformat(), "channel": "web",
        }  # fmt: skip
        outcome = self._pipeline.take(
            [self._arrival("lapor", "service_request", json.dumps(record).encode())]
        )
        recorded = time.monotonic()
        if outcome.accepted != 1:
            raise RuntimeError(f"the record was not taken: {outcome}")
        self._evaluator.cycle()
        judged = time.monotonic()
        with self._store.read() as conn:
            return Change(versions(conn)[READINGS], recorded, judged)

    def close(self) -> None:
        self._store.close()

    def _settle(self, store_url: str, days: int) -> Settings:
        base = load(_ROOT / "config.toml", {})
        demo = replace(base.demo, history_days=days)
        settings, _ = settle(base, self._folder, demo, port=1)
        text = f'extends = "{self._folder / "config.toml"}"\n[store]\nurl = "{store_url}"\n'
        self.config.write_text(text)
        settings = load(self.config, {})
        now = datetime.now(UTC)
        History(found(settings, now.date()), self._folder / FOLDER, now.timestamp()).write()
        return settings

    def _fill(self) -> int:
        taken = 0
        for name, feed, begins in FILES:
            for file in sorted((self._folder / FOLDER).glob(f"{begins}*.jsonl")):
                lines = file.read_bytes().splitlines()
                for first in range(0, len(lines), _BATCH):
                    some = [self._arrival(name, feed, line) for line in lines[first : first + _BATCH]]
                    taken += self._pipeline.take(some).accepted
        return taken

    def _arrival(self, name: str, feed: str, payload: bytes) -> Arrival:
        return Arrival(name, name, feed, payload, self._now(), "file", f"{name}.jsonl")

    def _draw_trends(self) -> None:
        """Lets the evaluator do what it does after a start: measure the hours and days that are past."""
        stop = threading.Event()
        listener = Listener(self._store)
        thread = threading.Thread(target=self._evaluator.run, args=(stop,))
        thread.start()
        try:
            seen = listener.version()
            while thread.is_alive() and self._marks() < _TREND_MARKS:
                seen = listener.wait(seen, 1.0)
        finally:
            stop.set()
            thread.join()
            listener.close()

    def _marks(self) -> int:
        with self._store.read() as conn:
            marks = sa.select(sa.func.count(sa.distinct(reading_history.c.at)))
            return int(conn.execute(marks).scalar() or 0)
