"""Batches off the inbox into the store, and their acknowledgements back to the connection.

Records are judged as they come in, by the connection's thread; so while the store writes one batch,
the next is read and judged.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from ingest.arrivals import Outcome
from ingest.sources.mqtt_inbox import Inbox, Parcel
from ingest.sources.sink import Sink, take_when_possible


class Committer:
    """A thread of its own. `acks` fills with what is to be acknowledged (the connection's number, its
    packet identifiers); `wake` is called then, and when the thread has ended. `told` hears after each
    batch, and after each silence, of the latest moment that was new. `failure` is what no batch should
    raise.
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
        self._thread: threading.Thread | None = None

    def start(self, stop: threading.Event) -> None:
        """Works until the inbox is closed and empty."""
        self._thread = threading.Thread(target=self._work, args=(stop,), name="mqtt-commit", daemon=True)
        self._thread.start()

    def join(self, within_s: float) -> None:
        if self._thread is not None:
            self._thread.join(within_s)

    def _work(self, stop: threading.Event) -> None:
        try:
            while (parcels := self._inbox.batch()) is not None:
                self._told(self._commit(parcels, stop) if parcels else None)
        except BaseException as error:  # handed to the thread that runs the source, which raises it
            self.failure = error
        finally:
            self._wake()

    def _commit(self, parcels: list[Parcel], stop: threading.Event) -> int | None:
        """Commits and acknowledges; the latest moment of what was new."""
        arrivals = self._sink.gather([parcel.arrivals for parcel in parcels])
        done = take_when_possible(self._sink, arrivals, None, stop) if arrivals else Outcome()
        if done is not None:
            self.acks.extend((parcel.generation, parcel.mids) for parcel in parcels)
        self._inbox.done(parcels)
        self._wake()
        return None if done is None else done.newest
