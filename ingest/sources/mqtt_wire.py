"""paho's client on a socket that reads and writes in large pieces.

paho reads a header byte by byte, handles one packet a turn and sends each acknowledgement in a call
of its own; that costs more than everything else the door does. Here whole PUBLISH packets are taken
off the buffer directly and acknowledgements are written together; every other packet, and with it
the protocol, stays paho's, which is only ever shown whole packets.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTProtocolVersion

_READ = 256 * 1024
_ENOUGH = 1024 * 1024
_PUBLISH = 3
_PUBACK = 0x4002
_NOT_MQTT = "the broker sent something that is not MQTT"


class Delivery(NamedTuple):
    """Messages of one topic that came one after the other; `mids` has no entry for one of QoS 0."""

    topic: bytes
    payloads: list[bytes]
    mids: list[int]


class BufferedSocket:
    """What paho needs of a socket, with a buffer on each side. `flush` once per turn.

    The buffer is immutable, so that a payload is cut out of it in one copy. `properties` says
    whether a PUBLISH carries them, as MQTT 5 has it (section 3.3.2.3); no figure needs any.
    """

    def __init__(self, sock: socket.socket, *, properties: bool = False) -> None:
        self._sock = sock
        self._properties = properties
        self._in = b""
        self._at = 0
        self._out = bytearray()

    # --- reading ---

    def fill(self) -> None:
        """Reads what is there, up to about a mebibyte. Raises OSError when the connection has ended."""
        pieces = [self._in[self._at :]]
        size = len(pieces[0])
        while True:
            try:
                data = self._sock.recv(_READ)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                self._hold(pieces)
                return
            if not data:
                self._hold(pieces)
                if self.whole():
                    return  # its last words first, a refusal perhaps
                raise ConnectionResetError("the broker closed the connection")
            pieces.append(data)
            size += len(data)
            if size >= _ENOUGH:
                # One packet may be larger than that: go on until it is whole.
                self._hold(pieces)
                if self.whole():
                    return
                pieces = [self._in]

    def _hold(self, pieces: list[bytes]) -> None:
        self._in = b"".join(pieces)
        self._at = 0

    def whole(self) -> bool:
        """Whether a whole packet waits in the buffer."""
        return self._measure(self._at) is not None

    def ready(self) -> bool:
        """Whether there is something to read without asking the system."""
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            return True
        return self.whole()

    def _measure(self, at: int) -> tuple[int, int] | None:
        """Where the body of the packet at `at` begins and ends; None while it is not all here."""
        buffer = self._in
        try:
            length, start = _number(buffer, at + 1)
        except IndexError:
            return None
        end = start + length
        return (start, end) if end <= len(buffer) else None

    def deliveries(self, most: int) -> list[Delivery]:
        """Takes the PUBLISH packets at the front off the buffer, `most` of them at most.

        Raises OSError, and takes nothing, when one is shorter than what it says it holds.
        """
        found: list[Delivery] = []
        buffer, at = self._in, self._at
        topic: bytes | None = None
        payloads: list[bytes] = []
        mids: list[int] = []
        while most and (place := self._measure(at)) is not None:
            first = buffer[at]
            if first >> 4 != _PUBLISH:
                break
            start, end = place
            if end - start < 2:
                raise ConnectionResetError(_NOT_MQTT)
            body = start + 2 + (buffer[start] << 8 | buffer[start + 1])
            named = buffer[start + 2 : body]
            if named != topic:
                topic, payloads, mids = named, [], []
                found.append(Delivery(topic, payloads, mids))
            if first & 6:
                if body + 2 > end:
                    raise ConnectionResetError(_NOT_MQTT)
                mids.append(buffer[body] << 8 | buffer[body + 1])
                body += 2
            if self._properties:
                size, body = _number(buffer, body) if body < end else (0, end + 1)
                body += size
            if body > end:
                raise ConnectionResetError(_NOT_MQTT)
            payloads.append(buffer[body:end])
            at = end
            most -= 1
        self._at = at
        return found

    def recv(self, buffer_size: int) -> bytes:
        data = self._in[self._at : self._at + buffer_size]
        if not data:
            raise BlockingIOError
        self._at += len(data)
        return data

    # --- writing ---

    def send(self, buffer: bytes | bytearray) -> int:
        self._out += buffer
        return len(buffer)

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Queues a PUBACK for each: four bytes, in MQTT 5 too when there is nothing to complain of."""
        words = [_PUBACK] * (2 * len(mids))
        words[1::2] = mids
        self._out += struct.pack(f">{len(words)}H", *words)

    def flush(self) -> bool:
        """Sends what it can; True when something is left. Raises OSError when the connection is gone."""
        while self._out:
            try:
                sent = self._sock.send(self._out)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return True
            del self._out[:sent]
        return False

    def close(self) -> None:
        # paho closes right after it wrote DISCONNECT: let that out first
        with contextlib.suppress(OSError):
            self._sock.settimeout(2)
            self._sock.sendall(self._out)
        self._sock.close()

    def fileno(self) -> int:
        return self._sock.fileno()

    def setblocking(self, flag: bool) -> None:
        self._sock.setblocking(flag)


def _number(buffer: bytes, at: int) -> tuple[int, int]:
    """A variable byte integer and where what follows it begins (MQTT 3.1.1, 2.2.3; MQTT 5, 1.5.5).

    Raises IndexError while it is not all there.
    """
    byte = buffer[at]
    if byte < 128:
        return byte, at + 1
    length, shift = byte & 127, 7
    for place in range(at + 1, at + 4):
        byte = buffer[place]
        length |= (byte & 127) << shift
        if byte < 128:
            return length, place + 1
        shift += 7
    raise ConnectionResetError(_NOT_MQTT)


class BufferedClient(paho.Client):
    """paho's client on a `BufferedSocket`, its `wire`."""

    wire: BufferedSocket | None = None

    def _create_socket(self) -> Any:
        # TLS is already wrapped here: paho did the handshake on the bare socket
        sock = super()._create_socket()
        self.wire = BufferedSocket(sock, properties=self.protocol == MQTTProtocolVersion.MQTTv5)  # type: ignore[arg-type]
        return self.wire
