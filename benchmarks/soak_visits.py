"""Pages that come and go, in every way a page can leave."""

from __future__ import annotations

import random
import select
import socket
import struct

_AT_ONCE = 500
_ASK = (
    b"GET /live?page=%s&lang=id HTTP/1.1\r\nHost: pendopo\r\n"
    b"Accept: text/event-stream\r\nAccept-Encoding: gzip\r\n\r\n"
)
_PAGES = (b"wall", b"mayor", b"service_requests", b"app_uptime")
_RESET = struct.pack("ii", 1, 0)


class Visits:
    """Some are open at a time. A page leaves before it was answered, in the middle of the answer, after a
    while, with its goodbye or with a reset (RFC 9293, 3.10.5)."""

    def __init__(self, port: int) -> None:
        self.states = 0
        self._port = port
        self._draw = random.Random(7)
        self._epoll = select.epoll()
        self._open: dict[int, socket.socket] = {}

    def make(self, cycles: int) -> None:
        """So many pages come, and all of them leave."""
        for _ in range(cycles):
            self._come()
            while len(self._open) >= _AT_ONCE:
                self._turn()
        while self._open:
            self._turn()

    def _come(self) -> None:
        page = socket.create_connection(("127.0.0.1", self._port))
        page.sendall(_ASK % self._draw.choice(_PAGES))
        if self._draw.random() < 0.2:
            self._leave(page)
            return
        self._open[page.fileno()] = page
        self._epoll.register(page, select.EPOLLIN)

    def _turn(self) -> None:
        """Half of those that were sent something leave."""
        for number, _ in self._epoll.poll(1.0):
            page = self._open[number]
            came = len(page.recv(65_536))
            self.states += came > 600
            if not came or self._draw.random() < 0.5:
                self._epoll.unregister(number)
                del self._open[number]
                self._leave(page)

    def _leave(self, page: socket.socket) -> None:
        if self._draw.random() < 0.5:
            page.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        page.close()
