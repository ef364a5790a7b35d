"""paho's client on a socket that reads and writes in large pieces.

paho reads headers a byte at a time and sends each acknowledgement in a call of its own; the
system calls cost more than everything else it does. The buffers here end that; the protocol stays
paho's. The owner calls `flush` once per turn of its loop.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import Any

import paho.mqtt.client as paho

_READ = 256 * 1024


class BufferedSocket:
    """What paho needs of a socket, with a buffer on each side."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._in = b""
        self._at = 0
        self._out = bytearray()

    def recv(self, buffer_size: int) -> bytes:
        if self._at >= len(self._in):
            self._in, self._at = self._sock.recv(_READ), 0
        data = self._in[self._at : self._at + buffer_size]
        self._at += len(data)
        return data

    def pending(self) -> int:
        """Bytes that can be read without asking the system."""
        left = len(self._in) - self._at
        if not left and isinstance(self._sock, ssl.SSLSocket):
            return self._sock.pending()
        return left

    def send(self, buffer: bytes | bytearray) -> int:
        self._out += buffer
        return len(buffer)

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
    """paho's client on a `BufferedSocket`."""

    wire: BufferedSocket | None = None

    def _create_socket(self) -> Any:
        # TLS is already wrapped here: paho did the handshake on the bare socket
        self.wire = BufferedSocket(super()._create_socket())  # type: ignore[arg-type]
        return self.wire
