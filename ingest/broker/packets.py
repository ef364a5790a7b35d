"""MQTT 3.1.1 packets as the embedded broker reads and writes them (OASIS mqtt-v3.1.1-os, chapter 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = 8, 9, 10, 11, 12, 13, 14

ACCEPTED, BAD_PROTOCOL, BAD_CLIENT_ID, BAD_PASSWORD = 0, 1, 2, 4
REFUSED_FILTER = 0x80
PINGRESP_BYTES = b"\xd0\x00"


class BadPacket(ValueError):
    """The bytes are not an MQTT packet this broker reads; the connection is closed."""


@dataclass(frozen=True, slots=True)
class Will:
    topic: str
    payload: bytes
    qos: int
    retain: bool


@dataclass(frozen=True, slots=True)
class Connect:
    """`level` is 4 for MQTT 3.1.1, 3 for 3.1, 5 for 5.0 (whose further fields are not read)."""

    level: int
    client_id: str
    clean: bool
    keepalive: int
    will: Will | None = None
    username: str | None = None
    password: bytes | None = None


@dataclass(frozen=True, slots=True)
class Publish:
    topic: str
    payload: bytes
    qos: int
    retain: bool
    mid: int


class Reader:
    """Cuts a byte stream into packets; holds at most one unfinished packet of `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._buffer = bytearray()
        self._limit = limit

    def feed(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """(type, flags, body) of every packet that is whole by now. Raises BadPacket."""
        self._buffer += data
        at = 0
        try:
            while (found := self._whole(at)) is not None:
                start, end = found
                first = self._buffer[at]
                at = end
                yield first >> 4, first & 15, bytes(self._buffer[start:end])
        finally:
            del self._buffer[:at]

    def _whole(self, at: int) -> tuple[int, int] | None:
        length, shift = 0, 0
        for index in range(at + 1, len(self._buffer)):
            byte = self._buffer[index]
            length |= (byte & 127) << shift
            shift += 7
            if length > self._limit or shift > 28:
                raise BadPacket(f"a packet of more than {self._limit} bytes")
            if byte < 128:
                end = index + 1 + length
                return (index + 1, end) if end <= len(self._buffer) else None
        return None


class _Body:
    """Takes the fields of a packet's body one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise BadPacket("a packet that ends too early")
        self._at += size
        return self._data[self._at - size : self._at]

    def byte(self) -> int:
        return self.take(1)[0]

    def short(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def binary(self) -> bytes:
        return self.take(self.short())

    def text(self) -> str:
        try:
            text = self.binary().decode("utf-8")
        except UnicodeDecodeError:
            raise BadPacket("text that is not UTF-8") from None
        if "\0" in text:
            raise BadPacket("text with a NUL in it")
        return text


def read_connect(data: bytes) -> Connect:
    body = _Body(data)
    name, level = body.text(), body.byte()
    if name not in ("MQTT", "MQIsdp"):
        raise BadPacket(f"protocol {name!r}")
    flags, keepalive = body.byte(), body.short()
    if level > 4:
        return Connect(level, "", True, keepalive)
    client_id = body.text()
    will = None
    if flags & 4:
        will = Will(_topic(body.text()), body.binary(), min(flags >> 3 & 3, 1), bool(flags & 32))
    return Connect(
        level,
        client_id,
        bool(flags & 2),
        keepalive,
        will,
        body.text() if flags & 128 else None,
        body.binary() if flags & 64 else None,
    )


def read_publish(flags: int, data: bytes) -> Publish:
    body = _Body(data)
    qos = flags >> 1 & 3
    if qos == 3:
        raise BadPacket("QoS 3")
    topic = _topic(body.text())
    mid = body.short() if qos else 0
    return Publish(topic, body.take(body.left), qos, bool(flags & 1), mid)


def _topic(topic: str) -> str:
    if not topic or "+" in topic or "#" in topic:
        raise BadPacket(f"topic {topic!r}")
    return topic


def read_subscribe(data: bytes) -> tuple[int, list[tuple[str, int]]]:
    """The packet identifier and the (filter, QoS) pairs."""
    body = _Body(data)
    mid, filters = body.short(), []
    while body.left:
        filters.append((body.text(), body.byte()))
    return mid, filters


def read_unsubscribe(data: bytes) -> tuple[int, list[str]]:
    body = _Body(data)
    mid, filters = body.short(), []
    while body.left:
        filters.append(body.text())
    return mid, filters


def read_mid(data: bytes) -> int:
    return _Body(data).short()


def valid_filter(topic_filter: str) -> bool:
    """Section 4.7.1: `#` only as the whole last level, `+` only as a whole level."""
    levels = topic_filter.split("/")
    if not topic_filter or any("#" in level for level in levels[:-1]):
        return False
    return all(level in ("+", "#") or not ({"+", "#"} & set(level)) for level in levels)


def packet(kind: int, flags: int, body: bytes) -> bytes:
    length, size = bytearray(), len(body)
    while True:
        size, low = size >> 7, size & 127
        length.append(low | 128 if size else low)
        if not size:
            return bytes((kind << 4 | flags, *length)) + body


def connack(present: bool, code: int) -> bytes:
    return bytes((CONNACK << 4, 2, present, code))


def publish(topic: str, payload: bytes, *, qos: int, retain: bool, dup: bool, mid: int) -> bytes:
    name = topic.encode()
    head = len(name).to_bytes(2, "big") + name + (mid.to_bytes(2, "big") if qos else b"")
    return packet(PUBLISH, dup << 3 | qos << 1 | retain, head + payload)


def answer(kind: int, mid: int, codes: bytes = b"") -> bytes:
    """PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK or UNSUBACK."""
    return packet(kind, 2 if kind == PUBREL else 0, mid.to_bytes(2, "big") + codes)
