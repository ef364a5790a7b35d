"""The bounded queue between the MQTT connection and the committer."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.arrivals import Arrival

BATCH = 5_000
BATCH_BYTES = 16 * 1024 * 1024
FULL = 20_000
FULL_BYTES = 64 * 1024 * 1024
WITHIN_S = 0.05
_QUIET_S = 0.004
_TICK_S = 5.0
_AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class Ack:
    """Which message to acknowledge, and the connection it came on."""

    generation: int
    mid: int


@dataclass(frozen=True, slots=True)
class Letter:
    """One message: what it holds, and how to acknowledge it (None for QoS 0)."""

    arrivals: Sequence[Arrival]
    ack: Ack | None
    size: int


class Inbox:
    """Counts what is queued and what is being committed, so that `full` bounds both.

    A batch is handed out 50 ms after its first message at the latest, when it holds 5,000 messages
    or 16 MiB, or as soon as nothing has come for 4 ms: a broker that allows few messages in flight
    would otherwise make every batch wait.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._letters: deque[Letter] = deque()
        self._bytes = 0
        self._out = 0
        self._last = 0.0
        self._first = 0.0
        self._ticked = False
        self._closed = False

    @property
    def full(self) -> bool:
        return len(self._letters) + self._out >= FULL or self._bytes >= FULL_BYTES

    @property
    def idle(self) -> bool:
        """Nothing queued and nothing being committed."""
        return not self._letters and not self._out

    def room(self) -> int:
        """How many more messages it takes, 500 at a time at most, so that bytes are looked at too."""
        return 0 if self.full else min(FULL - len(self._letters) - self._out, _AT_A_TIME)

    def put(self, letters: Sequence[Letter]) -> None:
        with self._changed:
            self._last = time.monotonic()
            before = len(self._letters)
            if not before:
                self._first = self._last
            self._letters.extend(letters)
            self._bytes += sum(letter.size for letter in letters)
            if not before or before < BATCH <= len(self._letters):
                self._changed.notify_all()

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

    def batch(self) -> list[Letter] | None:
        """Waits for the next batch; an empty one every 5 s of silence; None once closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._letters or self._ticked or self._closed, _TICK_S)
            self._ticked = False
            while self._letters and not self._closed and len(self._letters) < BATCH:
                now = time.monotonic()
                left = min(self._first + WITHIN_S, self._last + _QUIET_S) - now
                if left <= 0:
                    break
                self._changed.wait(left)
            if not self._letters and self._closed:
                return None
            return self._cut()

    def _cut(self) -> list[Letter]:
        letters: list[Letter] = []
        size = 0
        while self._letters and len(letters) < BATCH and size < BATCH_BYTES:
            letter = self._letters.popleft()
            letters.append(letter)
            size += letter.size
        self._out += len(letters)
        self._first = time.monotonic()
        return letters

    def done(self, letters: Sequence[Letter]) -> None:
        """These are committed, or given up because the source stops."""
        with self._changed:
            self._out -= len(letters)
            self._bytes -= sum(letter.size for letter in letters)
            self._changed.notify_all()

    def wait_for_room(self, stop: threading.Event) -> None:
        """Returns when half of it is free, or `stop` is set."""
        with self._changed:
            while not stop.is_set() and (
                len(self._letters) + self._out > FULL // 2 or self._bytes > FULL_BYTES // 2
            ):
                self._changed.wait(0.5)
