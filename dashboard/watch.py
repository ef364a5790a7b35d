"""The thread that waits for new readings and hands their version to the event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from kpis.errors import StoreError

log = logging.getLogger(__name__)


class Waits(Protocol):
    """What `kpis.announce.Listener` does."""

    def wait(self, seen: int, timeout: float) -> int: ...

    def close(self) -> None: ...


class Watch:
    """Calls `changed(version)` on the loop for every new version, and `lost()` when the store goes away."""

    def __init__(self, listener: Waits, changed: Callable[[int], None], lost: Callable[[], None]) -> None:
        self._listener = listener
        self._changed = changed
        self._lost = lost
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, args=(loop,), name="watch", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, 3.0)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        seen, up = -1, True
        while not self._stop.is_set():
            try:
                found = self._listener.wait(seen, 1.0)
                if found != seen or not up:
                    seen, up = found, True
                    _tell(loop, self._changed, found)
            except StoreError:
                if up:
                    up = False
                    _tell(loop, self._lost)
                self._stop.wait(1.0)
            except Exception:
                log.exception("watching the readings failed")
                self._stop.wait(1.0)
        self._listener.close()


def _tell(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *values: int) -> None:
    with suppress(RuntimeError):  # the loop ended before this thread did
        loop.call_soon_threadsafe(call, *values)
