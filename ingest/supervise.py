"""Keeps one part of ingest running in its own thread: what dies is started again, and said."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from ingest.sources.sink import Backoff, Health
from kpis.errors import PendopoError

log = logging.getLogger(__name__)

_HELD_S = 60.0


class Runs(Protocol):
    """Something that works until `stop` is set."""

    def run(self, stop: threading.Event) -> None: ...


class Supervised:
    """`make` builds the part, once at once (so that what is wrong with it stops the start) and again
    after each death, with waits that double up to a minute. `healths` are told of a death.
    """

    def __init__(self, name: str, make: Callable[[], Runs], healths: tuple[Health, ...] = ()) -> None:
        self.name = name
        self._make = make
        self._healths = healths
        self._part: Runs | None = make()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ask_to_stop(self) -> None:
        self._stop.set()

    def join(self, within_s: float) -> bool:
        """True when it has ended."""
        if self._thread.is_alive():
            self._thread.join(max(within_s, 0))
        return not self._thread.is_alive()

    def _run(self) -> None:
        backoff = Backoff(1.0, 60.0)
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                part = self._part or self._make()
                self._part = None
                part.run(self._stop)
            except PendopoError as error:
                self._died(str(error))
            except Exception as error:
                log.exception("%s died", self.name)
                self._died(f"stopped by {type(error).__name__}: {error}")
            else:
                if not self._stop.is_set():
                    self._died("ended by itself")
            if time.monotonic() - began > _HELD_S:
                backoff.reset()
            backoff.wait(self._stop)

    def _died(self, why: str) -> None:
        if not self._healths:
            log.error("%s: %s; starting it again", self.name, why)
        for health in self._healths:
            health.ill(f"{why}; starting it again")
