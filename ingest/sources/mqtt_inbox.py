"""The bounded queue between the MQTT connection and the committer."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence

import msgspec

from ingest.arrivals import Arrival

BATCH = 5_000
BATCH_BYTES = 16 * 1024 * 1024
FULL = 20_000
FULL_BYTES = 64 * 1024 * 1024
WITHIN_S = 0.05
_QUIET_S = 0.004
_TICK_S = 5.0
AT_A_TIME = 500


class Parcel(msgspec.Struct, frozen=True, gc=False):
    """Messages that came together on one connection, at most `AT_A_TIME`.

    `mids` are to be acknowledged on the connection of that `generation` only (messages of QoS 0 have
    none); `count` is how many messages, `size` how many bytes. One message can make several arrivals.
    """

    arrivals: Sequence[Arrival]
    mids: Sequence[int]
    generation: int
    count: int
    size: int


class Inbox:
    """Counts what is queued and what is being committed, so that `full` bounds both.

    A batch is handed out 50 ms after its first message at the latest, when it holds 5,000 messages
    or 16 MiB, or as soon as nothing has come for 4 ms: a broker that allows few messages in flight
    would otherwise make every batch wait.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._parcels: deque[Parcel] = deque()
        self._waiting = 0
        self._bytes = 0
        self._out = 0
        self._last = 0.0
        self._first = 0.0
        self._ticked = False
        self._closed = False

    @property
    def held(self) -> int:
        """Messages queued or being committed."""
        return self._waiting + self._out

    @property
    def crowded(self) -> bool:
        """Whether more is held than the next batch takes."""
        return self.held > BATCH

    @property
    def full(self) -> bool:
        return self.held >= FULL or self._bytes >= FULL_BYTES

    @property
    def idle(self) -> bool:
        """Nothing queued and nothing being committed."""
        return not self.held

    def room(self) -> int:
        """How many more messages it takes, 500 at a time at most, so that bytes are looked at too."""
        return 0 if self.full else min(FULL - self.held, AT_A_TIME)

    def put(self, parcel: Parcel) -> None:
        with self._changed:
            self._last = time.monotonic()
            before = self._waiting
            if not before:
                self._first = self._last
            self._parcels.append(parcel)
            self._waiting += parcel.count
            self._bytes += parcel.size
            if not before or before < BATCH <= self._waiting:
                self._changed.notify_all()

    def begin(self) -> None:
        """From now on it is quiet or not."""
        self._last = time.monotonic()

    def quiet(self, span: float) -> bool:
        """Whether nothing is held and nothing has come for `span` seconds."""
        return not self.held and 0 < self._last < time.monotonic() - span

    def tick(self) -> None:
        """Wakes the committer although nothing came: there is something to tell."""
        with self._changed:
            self._ticked = True
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing more will come; `batch` gives what is left and then None."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def batch(self) -> list[Parcel] | None:
        """Waits for the next batch; an empty one every 5 s of silence; None once closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ticked or self._closed, _TICK_S)
            self._ticked = False
            while self._waiting and not self._closed and self._waiting < BATCH:
                now = time.monotonic()
                left = min(self._first + WITHIN_S, self._last + _QUIET_S) - now
                if left <= 0:
                    break
                self._changed.wait(left)
            if not self._waiting and self._closed:
                return None
            return self._cut()

    def _cut(self) -> list[Parcel]:
        """The oldest parcels, until they hold a batch: one parcel more at most."""
        parcels: list[Parcel] = []
        count = size = 0
        while self._parcels and count < BATCH and size < BATCH_BYTES:
            parcel = self._parcels.popleft()
            parcels.append(parcel)
            count += parcel.count
            size += parcel.size
        # In this order: who looks without the lock may see them twice, and never not at all.
        self._out += count
        self._waiting -= count
        self._first = time.monotonic()
        return parcels

    def done(self, parcels: Sequence[Parcel]) -> None:
        """These are committed, or given up because the source stops."""
        with self._changed:
            self._out -= sum(parcel.count for parcel in parcels)
            self._bytes -= sum(parcel.size for parcel in parcels)
            self._changed.notify_all()

    def wait_for_room(self, stop: threading.Event) -> None:
        """Returns when half of it is free, or `stop` is set."""
        with self._changed:
            while not stop.is_set() and (self.held > FULL // 2 or self._bytes > FULL_BYTES // 2):
                self._changed.wait(0.5)
