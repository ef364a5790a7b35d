"""One MQTT 3.1.1 connection that publishes prebuilt QoS 1 packets and takes acknowledgements in bulk."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Sequence

Door = tuple[str, int]
Tell = Callable[[int, int], None]

_IDS = 65_535
MOST_WINDOW = _IDS - 1
_TOGETHER = 256
_READ = 256 * 1024
_SILENCE_S = 10.0
_RETRY_S = 0.1
_DUP = 0x08
_KEPT_OUT = (b"\x02", b"\x04", b"\x05")  # refusals that trying again does not mend; "unavailable" is another


class GaveUp(Exception):
    """The broker refuses, or acknowledged nothing for as long as the caller was willing to wait."""


def connect_packet(client_id: str, username: str | None = None, password: str = "") -> bytes:
    """CONNECT with a clean session and no keepalive (MQTT 3.1.1, section 3.1)."""
    bits, fields = 0x02, [client_id]
    if username is not None:
        bits |= 0xC0
        fields += [username, password]
    body = b"\x00\x04MQTT\x04" + bytes([bits, 0, 0]) + b"".join(_text(field) for field in fields)
    return b"\x10" + _length(len(body)) + body


def packet(topic: str, payload: bytes, number: int) -> bytes:
    body = _text(topic) + (number % _IDS + 1).to_bytes(2, "big") + payload
    return b"\x32" + _length(len(body)) + body


def _text(value: str) -> bytes:
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def _length(size: int) -> bytes:
    """MQTT's remaining length: seven bits a byte, lowest first."""
    out = bytearray()
    while size > 127:
        out.append(size & 127 | 128)
        size >>= 7
    out.append(size)
    return bytes(out)


class Lane:
    """One connection and the events that go by it, numbered from 0."""

    def __init__(
        self, doors: Sequence[Door], hello: bytes, packets: list[bytes], window: int, tell: Tell
    ) -> None:
        self._doors = doors
        self._hello = hello
        self._tell = tell
        self._packets = packets
        self._window = window
        self._answers = b"".join(
            [b"\x40\x02" + (n % _IDS + 1).to_bytes(2, "big") for n in range(len(packets))]
        )
        self.flags = bytearray(len(packets))
        self.again = self.connects = 0
        self._low = self._next = 0  # everything before low is acknowledged, everything before next was sent
        self._in = self._out = b""
        self._heard = 0.0
        self._retry_at = 0.0
        self.sock: socket.socket | None = None

    @property
    def total(self) -> int:
        return len(self._packets)

    @property
    def done(self) -> bool:
        return self._low == len(self._packets)

    @property
    def idle(self) -> bool:
        """Whether the broker owes no acknowledgement."""
        return self._low == self._next

    @property
    def blocked(self) -> bool:
        """Whether the system has not taken yet what was written."""
        return bool(self._out)

    def open(self) -> bool:
        """Connects when it is time to, and sends again what is due; False while nobody is there."""
        if time.monotonic() < self._retry_at:
            return False
        door = self._doors[self.connects % len(self._doors)]
        self.connects += 1
        try:
            sock = socket.create_connection(door, 5)
            sock.sendall(self._hello)
            answer = sock.recv(4)
        except OSError:
            answer = b""
        if answer[:2] != b"\x20\x02" or answer[3:] != b"\x00":
            if answer[3:] in _KEPT_OUT:
                raise GaveUp(f"{door[0]}:{door[1]} refuses the connection: code {answer[3]}")
            self.lose()
            return False
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        self.sock, self._in, self._heard = sock, b"", time.monotonic()
        due = [self._packets[n] for n in range(self._low, self._next) if not self.flags[n]]
        self.again += len(due)
        self._out = b"".join([bytes([packet[0] | _DUP]) + packet[1:] for packet in due])
        return True

    def lose(self) -> None:
        """The connection is gone; the next try comes a moment later."""
        if self.sock is not None:
            with contextlib.suppress(OSError):
                self.sock.close()
        self.sock, self._out = None, b""
        self._retry_at = time.monotonic() + _RETRY_S

    def write(self, allowed: int) -> None:
        """Sends on, up to event `allowed`, the window and what the system takes."""
        assert self.sock is not None
        limit = min(allowed, self._low + self._window, len(self._packets))
        while self._out or self._next < limit:
            if not self._out:
                after = min(self._next + _TOGETHER, limit)
                self._out = b"".join(self._packets[self._next : after])
                self._next = after
            try:
                sent = self.sock.send(self._out)
            except BlockingIOError:
                return
            self._out = self._out[sent:]

    def read(self) -> int:
        """Takes in acknowledgements; how many events became acknowledged."""
        assert self.sock is not None
        try:
            data = self.sock.recv(_READ)
        except BlockingIOError:
            return 0
        if not data:
            raise ConnectionResetError("the broker ended the connection")
        self._heard = time.monotonic()
        if self._in:
            data = self._in + data
        whole = len(data) & ~3
        self._in = data[whole:]
        count = whole >> 2
        # The usual case: all in the order they were sent, so one comparison of bytes tells.
        if self._answers.startswith(data[:whole], self._low * 4) and not any(
            self.flags[self._low : self._low + count]
        ):
            self.flags[self._low : self._low + count] = b"\1" * count
            self._tell(self._low, count)
            fresh = count
        else:
            fresh = sum(self._mark(data[at : at + 4]) for at in range(0, whole, 4))
        found = self.flags.find(b"\0", self._low)
        self._low = len(self.flags) if found < 0 else found
        return fresh

    def _mark(self, answer: bytes) -> bool:
        """Marks the one unacknowledged event that has this packet identifier."""
        if answer[:2] != b"\x40\x02":
            raise ConnectionResetError(f"the broker sent {answer.hex()}, which acknowledges nothing")
        # The window is shorter than the identifiers, so at most one number from `low` on has this one.
        number = self._low + ((answer[2] << 8 | answer[3]) - 1 - self._low) % _IDS
        if number >= self._next or self.flags[number]:
            return False
        self.flags[number] = 1
        self._tell(number, 1)
        return True

    def check(self) -> None:
        """Gives the connection up when it owes acknowledgements and says nothing."""
        if self._low < self._next and time.monotonic() - self._heard > _SILENCE_S:
            raise TimeoutError("the broker acknowledges nothing")
        if self._low == self._next:
            self._heard = time.monotonic()
