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
from collections.abc import Iterable
from typing import Any, NamedTuple

import paho.mqtt.client as paho

_READ = 256 * 1024
_ENOUGH = 1024 * 1024
_PUBLISH = 3
_PUBACK = b"\x40\x02"


class Delivery(NamedTuple):
    """One message as the broker sent it; `mid` is 0 for QoS 0."""

    topic: bytes
    payload: bytes
    mid: int


class BufferedSocket:
    """What paho needs of a socket, with a buffer on each side. `flush` once per turn."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._in = bytearray()
        self._at = 0
        self._out = bytearray()

    # --- reading ---

    def fill(self) -> None:
        """Reads what is there, up to about a mebibyte. Raises OSError when the connection has ended."""
        del self._in[: self._at]
        self._at = 0
        while len(self._in) < _ENOUGH or not self.whole():
            try:
                data = self._sock.recv(_READ)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            if not data:
                if self.whole():
                    return  # its last words first, a refusal perhaps
                raise ConnectionResetError("the broker closed the connection")
            self._in += data

    def whole(self) -> bool:
        """Whether a whole packet waits in the buffer."""
        return self._measure() is not None

    def ready(self) -> bool:
        """Whether there is something to read without asking the system."""
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            return True
        return self.whole()

    def _measure(self) -> tuple[int, int] | None:
        """Where the next packet's body begins and ends; None while it is not all here."""
        buffer, length, shift = self._in, 0, 0
        for index in range(self._at + 1, min(self._at + 5, len(buffer))):
            byte = buffer[index]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                end = index + 1 + length
                return (index + 1, end) if end <= len(buffer) else None
        if len(buffer) - self._at >= 5:
            raise ConnectionResetError("the broker sent something that is not MQTT")
        return None

    def deliveries(self, most: int) -> list[Delivery]:
        """Takes the PUBLISH packets at the front off the buffer, `most` of them at most."""
        found: list[Delivery] = []
        buffer = self._in
        while len(found) < most and (place := self._measure()) is not None:
            first = buffer[self._at]
            if first >> 4 != _PUBLISH:
                break
            start, end = place
            body = start + 2 + (buffer[start] << 8 | buffer[start + 1])
            topic, mid = bytes(buffer[start + 2 : body]), 0
            if first & 6:
                mid = buffer[body] << 8 | buffer[body + 1]
                body += 2
            found.append(Delivery(topic, bytes(buffer[body:end]), mid))
            self._at = end
        return found

    def recv(self, buffer_size: int) -> bytes:
        data = bytes(self._in[self._at : self._at + buffer_size])
        if not data:
            raise BlockingIOError
        self._at += len(data)
        return data

    # --- writing ---

    def send(self, buffer: bytes | bytearray) -> int:
        self._out += buffer
        return len(buffer)

    def acknowledge(self, mids: Iterable[int]) -> None:
        self._out += b"".join([_PUBACK + mid.to_bytes(2, "big") for mid in mids])

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


class BufferedClient(paho.Client):
    """paho's client on a `BufferedSocket`, its `wire`."""

    wire: BufferedSocket | None = None

    def _create_socket(self) -> Any:
        # TLS is already wrapped here: paho did the handshake on the bare socket
        self.wire = BufferedSocket(super()._create_socket())  # type: ignore[arg-type]
        return self.wire
