"""Batches off the inbox into the store, and their acknowledgements back to the connection.

Two threads: while the store writes one batch, the next is read and judged, in the order they came.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from ingest.arrivals import Arrival, Outcome
from ingest.sources.mqtt_inbox import Inbox, Parcel
from ingest.sources.sink import Sink, take_when_possible
from kpis.errors import StoreUnavailable

_LOOK_S = 1.0
_Batch = tuple[list[Parcel], Sequence[Arrival]]


class Committer:
    """`acks` fills with what is to be acknowledged (the connection's number, its packet identifiers);
    `wake` is called then, and when a thread has ended. `told` hears after each batch, and after each
    silence, of the latest moment that was new. `failure` is what no batch should raise.
    """

    def __init__(
        self, sink: Sink, inbox: Inbox, wake: Callable[[], None], told: Callable[[int | None], None]
    ) -> None:
        self.acks: deque[tuple[int, Sequence[int]]] = deque()
        self.failure: BaseException | None = None
        self._sink = sink
        self._inbox = inbox
        self._wake = wake
        self._told = told
        self._judged: queue.Queue[_Batch | None] = queue.Queue(maxsize=1)
        self._threads: list[threading.Thread] = []

    def start(self, stop: threading.Event) -> None:
        """Works until the inbox is closed and empty."""
        for name, work in (("mqtt-read", self._read_all), ("mqtt-commit", lambda: self._commit_all(stop))):
            thread = threading.Thread(target=self._guarded, args=(work,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def join(self, within_s: float) -> None:
        """Waits for the committing thread, which ends last."""
        self._threads[-1].join(within_s)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # handed to the thread that runs the source, which raises it
            self.failure = error
        finally:
            self._wake()

    def _read_all(self) -> None:
        try:
            while (parcels := self._inbox.batch()) is not None:
                arrivals = [arrival for parcel in parcels for arrival in parcel.arrivals]
                self._hand_over((parcels, self._prepared(arrivals)))
        finally:
            self._hand_over(None)

    def _hand_over(self, batch: _Batch | None) -> None:
        """Waits until the one before is taken, or nobody takes any more."""
        while self.failure is None:
            with suppress(queue.Full):
                self._judged.put(batch, timeout=_LOOK_S)
                return

    def _prepared(self, arrivals: list[Arrival]) -> Sequence[Arrival]:
        try:
            return self._sink.prepare(arrivals) if arrivals else arrivals
        except StoreUnavailable:
            return arrivals  # judging needs the store once; the one who writes waits for it

    def _commit_all(self, stop: threading.Event) -> None:
        while (batch := self._judged.get()) is not None:
            self._told(self._commit(*batch, stop))

    def _commit(
        self, parcels: list[Parcel], arrivals: Sequence[Arrival], stop: threading.Event
    ) -> int | None:
        """Commits and acknowledges; the latest moment of what was new."""
        done = take_when_possible(self._sink, arrivals, None, stop) if arrivals else Outcome()
        if done is not None:
            self.acks.extend((parcel.generation, parcel.mids) for parcel in parcels)
        self._inbox.done(parcels)
        self._wake()
        return None if done is None else done.newest
