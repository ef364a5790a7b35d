"""What every source needs around it: where records go, how its health is told, how it waits."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from ingest.arrivals import Arrival, Outcome, Position
from kpis.errors import StoreError, StoreUnavailable

log = logging.getLogger(__name__)

_WELL_EVERY_S = 10.0
_BEHIND_EVERY_S = 2.0


class Sink(Protocol):
    """The side of `ingest.pipeline.Pipeline` a source sees.

    `prepare` judges arrivals ahead, without the store and in any thread; `gather` makes one batch of
    several. Neither need be called before `take`.
    """

    def prepare(self, arrivals: Sequence[Arrival]) -> Sequence[Arrival]: ...

    def gather(self, parts: Sequence[Sequence[Arrival]]) -> Sequence[Arrival]: ...

    def take(self, arrivals: Sequence[Arrival], position: Position | None = None) -> Outcome: ...

    def position(self, source: str) -> str | None: ...

    def heard(self, source: str, door: str, error: str | None, behind_s: int | None = None) -> None: ...


class Source(Protocol):
    """Runs until `stop` is set. Returns after what it holds is in the store or safe where it came from."""

    @property
    def name(self) -> str: ...

    def run(self, stop: threading.Event) -> None: ...


class Backoff:
    """Waits that double from `first` to `most` seconds; `reset` after a success."""

    def __init__(self, first: float = 0.5, most: float = 15.0) -> None:
        self._first, self._most = first, most
        self._next = first

    def reset(self) -> None:
        self._next = self._first

    def span(self) -> float:
        """The next wait in seconds."""
        span = self._next
        self._next = min(self._next * 2, self._most)
        return span

    def wait(self, stop: threading.Event) -> None:
        stop.wait(self.span())


class Health:
    """Tells the sources page and the log how a source is: an outage is logged once, and its end once."""

    def __init__(self, sink: Sink, source: str, door: str) -> None:
        self._sink, self._source, self._door = sink, source, door
        self._error: str | None = None
        self._behind: int | None = None
        self._told_at = float("-inf")

    @property
    def error(self) -> str | None:
        """What is wrong now; None while nothing is."""
        return self._error

    def well(self, behind_s: int | None = None) -> None:
        """A look at the source worked; `behind_s` how far behind it is read while more waits.

        Written at most every 10 s, every 2 s while behind, and at once after either has ended.
        """
        ended = self._behind is not None and behind_s is None
        every = _WELL_EVERY_S if behind_s is None else _BEHIND_EVERY_S
        if self._error is not None:
            log.info("%s: well again", self._source)
        elif not ended and time.monotonic() - self._told_at < every:
            return
        self._error = None
        self._behind = behind_s
        self._tell(None)

    def ill(self, error: str) -> None:
        """A look at the source failed. An outage is one warning, however its reason changes."""
        if error == self._error:
            if time.monotonic() - self._told_at >= _WELL_EVERY_S:
                self._tell(error)
            return
        level = logging.WARNING if self._error is None else logging.INFO
        self._error = error
        log.log(level, "%s", error if error.startswith(self._source) else f"{self._source}: {error}")
        self._tell(error)

    def _tell(self, error: str | None) -> None:
        try:
            self._sink.heard(self._source, self._door, error, self._behind)
            self._told_at = time.monotonic()
        except StoreError:
            self._told_at = float("-inf")  # the store is away: say it again at the next look


def take_when_possible(
    sink: Sink, arrivals: Sequence[Arrival], position: Position | None, stop: threading.Event
) -> Outcome | None:
    """Gives a batch to the store, trying again while the store is away; None when `stop` came first."""
    backoff = Backoff(0.2, 5.0)
    away = False
    while True:
        try:
            outcome = sink.take(arrivals, position)
        except StoreUnavailable as error:
            if not away:
                log.warning("%s; %d records wait", error, len(arrivals))
            away = True
            if stop.is_set():
                return None
            backoff.wait(stop)
        else:
            if away:
                log.info("the store is back")
            return outcome
