"""HTTP and HTTPS checks of the application inventory.

Each application has its own moment within `every`, given by its name, so that the checks are spread
and stay where they are when the inventory changes. An application is up when it answers, after
redirects, with a status below 400 and its page is received within `timeout`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from zlib import crc32

import msgspec

from ingest.arrivals import Arrival
from ingest.sources.probe_check import Checker
from ingest.sources.sink import Health, Sink
from kpis.clock import Now
from kpis.config import Application, SourceSettings
from kpis.errors import StoreError

log = logging.getLogger(__name__)

DOOR = "probe"
FEED = "uptime_check"
BACKLOG = 20_000
_BATCH = 500
_FLUSH_EVERY_S = 0.5
_INVENTORY_EVERY_S = 30.0
_AWAY_S = 2.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Inventory = Callable[[], Sequence[Application]]


class ProbeSource:
    """One `[[source]]` of type probe. `inventory` is asked again every 30 s; it may raise StoreError.

    While the store is away the newest 20,000 checks wait; how many were dropped is told.
    """

    def __init__(self, source: SourceSettings, sink: Sink, now: Now, inventory: Inventory) -> None:
        self.name = source.name
        self._source = source
        self._sink = sink
        self._now = now
        self._inventory = inventory
        self._health = Health(sink, source.name, DOOR)
        self._backlog: deque[Arrival] = deque()
        self._dropped = 0
        self._tasks: dict[Application, asyncio.Task[None]] = {}

    def run(self, stop: threading.Event) -> None:
        asyncio.run(self._run(stop))

    async def _run(self, stop: threading.Event) -> None:
        gate = asyncio.Semaphore(self._source.concurrency)
        async with Checker(self._source.timeout.total_seconds()) as checker:
            keeper = asyncio.create_task(self._keep_inventory(checker, gate))
            try:
                while not stop.is_set():
                    if keeper.done():
                        keeper.result()
                    await asyncio.sleep(_FLUSH_EVERY_S)
                    await self._flush()
            finally:
                keeper.cancel()
                for task in self._tasks.values():
                    task.cancel()
                await asyncio.gather(keeper, *self._tasks.values(), return_exceptions=True)
                await self._flush()

    async def _keep_inventory(self, checker: Checker, gate: asyncio.Semaphore) -> None:
        """One task for each application that is to be checked, as the inventory stands now."""
        while True:
            try:
                found = await asyncio.to_thread(self._inventory)
            except StoreError as error:
                log.info("%s: the inventory cannot be read: %s", self.name, error)
            else:
                self._follow(found, checker, gate)
            await asyncio.sleep(_INVENTORY_EVERY_S)

    def _follow(self, found: Sequence[Application], checker: Checker, gate: asyncio.Semaphore) -> None:
        for application, task in list(self._tasks.items()):
            if task.done():
                log.error("%s: the checks of %s ended", self.name, application.app, exc_info=task.exception())
                del self._tasks[application]
        wanted = {application for application in found if application.probe and application.url}
        for application in self._tasks.keys() - wanted:
            self._tasks.pop(application).cancel()
        for application in wanted - self._tasks.keys():
            self._tasks[application] = asyncio.create_task(self._watch(application, checker, gate))

    async def _watch(self, application: Application, checker: Checker, gate: asyncio.Semaphore) -> None:
        every = self._source.every.total_seconds()
        loop = asyncio.get_running_loop()
        moment = crc32(application.app.encode()) / 2**32 * every
        while True:
            await asyncio.sleep((moment - loop.time()) % every)
            async with gate:
                await self._check(application, checker)

    async def _check(self, application: Application, checker: Checker) -> None:
        assert application.url is not None
        at = self._now()
        found = await checker.check(application.url)
        record = {
            "id": f"{application.app}:{(at - _EPOCH) // timedelta(milliseconds=1)}",
            "app": application.app,
            "observed_at": at,
            "up": found.up,
            "latency_ms": found.latency_ms,
            "status_code": found.status_code,
            "error": found.error,
            "probe": self.name,
            "cert_expires_at": found.cert_expires_at,
        }
        payload = msgspec.json.encode({name: value for name, value in record.items() if value is not None})
        arrival = Arrival(self.name, self.name, FEED, payload, at, DOOR, application.url)
        if len(self._backlog) >= BACKLOG:
            self._backlog.popleft()
            self._dropped += 1
        self._backlog.append(arrival)

    async def _flush(self) -> None:
        """Gives what is waiting to the store; keeps it when the store is away."""
        while self._backlog:
            batch = [self._backlog[index] for index in range(min(_BATCH, len(self._backlog)))]
            try:
                await asyncio.to_thread(self._sink.take, batch)
            except StoreError as error:
                self._health.ill(f"{error}; {len(self._backlog)} checks wait")
                await asyncio.sleep(_AWAY_S)
                return
            for arrival in batch:
                if self._backlog and self._backlog[0] is arrival:
                    self._backlog.popleft()
        await asyncio.to_thread(self._tell)

    def _tell(self) -> None:
        if self._dropped:
            self._health.ill(f"{self._dropped} checks were dropped while the store was away")
            self._dropped = 0
        else:
            self._health.well()
