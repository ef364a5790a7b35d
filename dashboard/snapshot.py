"""Snapshots, cached: read off the event loop, and never twice at once for one page.

When the store cannot be read the last snapshot stays, says so, and ages.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dashboard.scope import Grain
from kpis.errors import StoreError, StoreUnavailable
from kpis.spans import TODAY, is_custom
from kpis.types import Snapshot

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Key:
    """Which snapshot: the page, its scope (None = city), the reject a link chose, of a wall which screen
    (None = the one at `/wall`), the days looked at (a text of `kpis.spans.asked`), the KPI a page of its
    own is about, what an address picks on its page ("opd:dlh", "app:siak.kota.go.id"), since when a page
    shows changes (None = its usual day), and whether the viewer may see rows."""

    page: str
    opd: str | None = None
    reject: int | None = None
    screen: str | None = None
    range: str = TODAY
    kpi: str | None = None
    pick: str | None = None
    since: datetime | None = None
    grain: Grain = Grain.ROWS

    @property
    def rare(self) -> bool:
        """Whether it is one of many that a viewer can think up; those never crowd out the others."""
        asked = self.reject is not None or self.pick is not None or self.since is not None
        return asked or is_custom(self.range)


class Source(Protocol):
    """Where snapshots come from. Both are called on a worker thread and may take their time."""

    def read(self, key: Key) -> Snapshot:
        """The snapshot of this moment. Raises StoreError."""
        ...

    def aged(self, last: Snapshot) -> Snapshot:
        """What can still be said without the store: `last`, judged at this moment."""
        ...


@dataclass(frozen=True, slots=True)
class _Entry:
    snapshot: Snapshot
    made: float
    doubts: int


@dataclass(frozen=True, slots=True)
class _Flight:
    version: int
    doubts: int
    task: asyncio.Task[Snapshot]


class Snapshots:
    """The newest snapshot per key.

    A cached one serves while it shows the newest announced `version` and is younger than
    `fresh_for` seconds; all who ask meanwhile wait for the same reading. The store has `patience`
    seconds to answer before the last snapshot is shown in its place. At most `keep` keys are held, and
    `keep_rare` of those that a viewer can think up.
    """

    def __init__(
        self,
        source: Source,
        *,
        keep: int = 256,
        keep_rare: int = 32,
        fresh_for: float = 2.0,
        patience: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.version = 0
        self.store_ok = True
        self._doubts = 0
        self._source = source
        self._keep = keep
        self._keep_rare = keep_rare
        self._fresh_for = fresh_for
        self._patience = patience
        self._clock = clock
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self._flights: dict[Key, _Flight] = {}
        self._workers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="snapshot")

    async def get(self, key: Key) -> Snapshot:
        """The newest snapshot of `key`. Raises StoreError only when it could never be read."""
        entry = self._entries.get(key)
        if entry is not None and self._serves(entry):
            self._entries.move_to_end(key)
            return entry.snapshot
        flight = self._flights.get(key)
        if flight is None or flight.version < self.version or flight.doubts < self._doubts:
            task = asyncio.create_task(self._refresh(key, self._doubts))
            flight = _Flight(self.version, self._doubts, task)
            self._flights[key] = flight
        return await asyncio.shield(flight.task)

    def doubt(self) -> None:
        """The store went away or came back: what is held is read again before it is shown again."""
        self._doubts += 1

    def close(self) -> None:
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _serves(self, entry: _Entry) -> bool:
        current = entry.snapshot.version >= self.version or not entry.snapshot.store_ok
        current = current and entry.doubts == self._doubts
        return current and self._clock() - entry.made < self._fresh_for

    async def _refresh(self, key: Key, doubts: int) -> Snapshot:
        try:
            snapshot = await self._read(key)
            self._entries[key] = _Entry(snapshot, self._clock(), doubts)
            self._entries.move_to_end(key)
            self._let_go()
            return snapshot
        finally:
            flight = self._flights.get(key)
            if flight is not None and flight.task is asyncio.current_task():
                del self._flights[key]

    def _let_go(self) -> None:
        rare = [key for key in self._entries if key.rare]
        for key in rare[: max(0, len(rare) - self._keep_rare)]:
            del self._entries[key]
        while len(self._entries) > self._keep:
            self._entries.popitem(last=False)

    async def _read(self, key: Key) -> Snapshot:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._patience):
                snapshot = await loop.run_in_executor(self._workers, self._source.read, key)
        except (StoreError, TimeoutError) as error:
            why = str(error) or f"the store gave no answer within {self._patience:g} s"
            self._note(False, why)
            entry = self._entries.get(key)
            if entry is None:
                raise error if isinstance(error, StoreError) else StoreUnavailable(why) from error
            return await asyncio.to_thread(self._source.aged, entry.snapshot)
        self._note(True, "")
        return snapshot

    def _note(self, ok: bool, why: str) -> None:
        """An outage is logged once when it begins and once when it ends."""
        if ok != self.store_ok:
            log.warning("%s", "the store answers again" if ok else f"showing the last snapshots: {why}")
        self.store_ok = ok
