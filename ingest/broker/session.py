"""What the embedded broker keeps for one client: its filters, and the messages on their way to it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Protocol

from ingest.broker import packets as mqtt

log = logging.getLogger(__name__)

WINDOW = 20_000
KEPT_MESSAGES = 10_000
KEPT_BYTES = 32 * 1024 * 1024


class Link(Protocol):
    """The connection a session has at the moment."""

    congested: bool

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class Receipt:
    """The answer a publisher waits for; `settle` when its message is safe."""

    __slots__ = ("_told", "kind", "mid", "settled")

    def __init__(self, told: Callable[[], None], kind: int, mid: int) -> None:
        self._told, self.kind, self.mid = told, kind, mid
        self.settled = False

    def settle(self) -> None:
        self.settled = True
        self._told()


class Message:
    """One message on its way to one session."""

    __slots__ = ("payload", "qos", "receipt", "retain", "topic")

    def __init__(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        self.topic, self.payload, self.qos, self.retain = topic, payload, qos, retain
        self.receipt: Receipt | None = None

    @property
    def size(self) -> int:
        return len(self.topic) + len(self.payload)


class Session:
    """A client's session. The guarded one loses nothing; another that is away or slow keeps the newest
    10,000 messages or 32 MiB.
    """

    def __init__(self, client_id: str, clean: bool, guarded: bool) -> None:
        self.client_id, self.clean, self.guarded = client_id, clean, guarded
        self.filters: dict[str, int] = {}
        self.link: Link | None = None
        self.backlog = 0
        self._waiting: deque[Message] = deque()
        self._sent: dict[int, Message] = {}
        self._mid = 0
        self._dropped = False

    def resume(self, link: Link) -> None:
        """Takes a new connection: what was sent and not acknowledged goes out again first, in order."""
        self.link = link
        for mid, message in self._sent.items():
            link.write(self._bytes(message, mid, dup=True))
        self.pump()

    def put(self, message: Message) -> None:
        if self.link is None and self.clean:
            return
        self._waiting.append(message)
        self.backlog += message.size
        self.pump()
        if not self.guarded:
            self._trim()

    def pump(self) -> None:
        """Sends what may be sent now."""
        link = self.link
        while link is not None and self._waiting and len(self._sent) < WINDOW and not link.congested:
            message = self._waiting.popleft()
            mid = 0
            if message.qos:
                mid = self._next_mid()
                self._sent[mid] = message
            else:
                self.backlog -= message.size
            link.write(self._bytes(message, mid, dup=False))

    def acknowledged(self, mid: int) -> None:
        message = self._sent.pop(mid, None)
        if message is None:
            return
        self.backlog -= message.size
        if message.receipt is not None:
            message.receipt.settle()
        self.pump()

    def _trim(self) -> None:
        while len(self._waiting) > KEPT_MESSAGES or (self.backlog > KEPT_BYTES and self._waiting):
            self.backlog -= self._waiting.popleft().size
            if not self._dropped:
                self._dropped = True
                log.warning("client %r is away or too slow: its oldest messages are dropped", self.client_id)

    def _next_mid(self) -> int:
        while True:
            self._mid = self._mid % 65535 + 1
            if self._mid not in self._sent:
                return self._mid

    @staticmethod
    def _bytes(message: Message, mid: int, *, dup: bool) -> bytes:
        return mqtt.publish(
            message.topic, message.payload, qos=message.qos, retain=message.retain, dup=dup, mid=mid
        )
