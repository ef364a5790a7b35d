"""A stretch of network that can be cut or frozen: TCP on loopback, passed on piece by piece."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Sequence

from benchmarks.lane import Door

_PIECE = 64 * 1024
_RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Listens on `port` and passes each connection on to the first of `doors` that answers, as a name
    with several addresses would.

    Frozen, it passes nothing on and says nothing, as a cable that was pulled. Cut, it resets every
    connection, what it had in hand is gone, and whoever comes is turned away until `mend`.
    """

    def __init__(self, doors: Sequence[Door]) -> None:
        self._doors = list(doors)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._flows = threading.Event()
        self._flows.set()
        self._cut = False
        self._closed = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True, name="proxy").start()

    def freeze(self) -> None:
        self._flows.clear()

    def cut(self) -> None:
        with self._lock:
            self._cut = True
            held = list(self._open)
        for sock in held:
            _reset(sock)
        self._flows.set()

    def mend(self) -> None:
        self._cut = False
        self._flows.set()

    def close(self) -> None:
        self._closed = True
        _reset(self._listener)
        self.cut()

    def _accept(self) -> None:
        while not self._closed:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self._flows.wait()
            far = None if self._cut else self._reach()
            with self._lock:
                if far is None or self._cut:
                    _reset(near)
                    if far is not None:
                        _reset(far)
                    continue
                self._open |= {near, far}
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True, name="proxy").start()

    def _reach(self) -> socket.socket | None:
        for door in self._doors:
            with contextlib.suppress(OSError):
                return socket.create_connection(door, 5)
        return None

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        """Passes on what `one` sends until either side ends."""
        with contextlib.suppress(OSError):
            for sock in (one, other):
                sock.settimeout(None)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while data := one.recv(_PIECE):
                self._flows.wait()
                other.sendall(data)
        with self._lock:
            self._open -= {one, other}
        for sock in (one, other):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def _reset(sock: socket.socket) -> None:
    """Ends a connection at once, with what is on its way; a thread that reads from it wakes up."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        sock.close()
