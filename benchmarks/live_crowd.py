"""Many viewers in one process, on plain sockets: `python -m benchmarks.live_crowd KIND PORT VIEWERS`.

It opens its connections at once, or spread by chance over `--within` seconds, and prints `ready` once
every viewer shows a state. It counts its own CPU from the line `begin` on stdin to the line
`end VERSION`, waits until all show that version (or `PATIENCE_S`), and prints one JSON object. What every
viewer is sent alike is parsed once, so that the crowd costs little beside the server.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import re
import resource
import select
import socket
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from io import FileIO

PATIENCE_S = 5.0
_ORDERS = FileIO(0, closefd=False)
_STREAM = (
    b"GET /live?page=wall&lang=id HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
    b"Accept: text/event-stream\r\nAccept-Encoding: gzip\r\n\r\n"
)
_UPGRADE = (
    b"GET /_dash-ws-callback HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:%d\r\n"
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_POST = (
    b"POST /_dash-update-component HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
)
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
# The first byte of a websocket frame that is whole: text, ping, pong (RFC 6455, 5.2).
_TEXT, _PING, _PONG = 0x81, 0x89, 0x8A
_CALL = {"type": "callback_request", "requestId": "1", "rendererId": "one"}
_NOTHING: dict[str, object] = {"outputs": [], "inputs": [], "state": [], "changedPropIds": []}
_VERSION = re.compile(rb'"data-version":\s*"?(\d+)')


class Viewer:
    """One connection: which versions came, and when. `messages` takes whole messages off the buffer."""

    period: float | None = None
    # One that does not read until the end, and takes as few bytes as it can meanwhile.
    reads = True

    def __init__(self, port: int) -> None:
        self.opened = time.monotonic()
        self.sock = socket.socket()
        if not self.reads:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.version = -1
        self.arrivals: list[tuple[int, float]] = []
        self.size = 0
        self.waits = False
        self._port = port
        self._buffer = b""
        self._head = False

    def ask(self) -> None:
        """What the viewer sends when it opens the page."""
        raise NotImplementedError

    def messages(self) -> Iterator[int | None]:
        """The version each whole message in the buffer shows; None when it tells nothing of it."""
        raise NotImplementedError

    def read(self) -> bool:
        """Takes what came; False when the connection is over."""
        data = self.sock.recv(262_144)
        at = time.monotonic()
        self._buffer += data
        for version in self.messages():
            self.waits = False
            if version is not None and version > self.version:
                self.version, self.size = version, len(data)
                self.arrivals.append((version, at))
        return bool(data)

    def pass_head(self, status: bytes) -> bool:
        """Whether the reply's head is behind us. Raises OSError on another status."""
        if not self._head and (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            if not self._buffer.startswith(b"HTTP/1.1 " + status):
                raise OSError(self._buffer[:end])
            self._head, self._buffer = True, self._buffer[end + 4 :]
        return self._head


class Stream(Viewer):
    """Server-sent events, gzipped, as a browser's EventSource asks for them."""

    def ask(self) -> None:
        self.sock.sendall(_STREAM % self._port)

    def messages(self) -> Iterator[int | None]:
        while self.pass_head(b"200") and (line := self._buffer.find(b"\r\n")) > 0:
            end = line + 2 + int(self._buffer[:line], 16)
            if len(self._buffer) < end + 2:
                return
            piece, self._buffer = self._buffer[line + 2 : end], self._buffer[end + 2 :]
            yield _of_piece(piece)


class Slow(Stream):
    """A page that stops reading as soon as it is open. Uncompressed, so that it is behind sooner."""

    reads = False

    def ask(self) -> None:
        self.sock.sendall((_STREAM % self._port).replace(b"Accept-Encoding: gzip\r\n", b""))


class Poller(Viewer):
    """A page with a dcc.Interval of one second: the same question again and again."""

    period = 1.0
    body = b""

    def ask(self) -> None:
        self.waits = True
        self.sock.sendall(_POST % (self._port, len(self.body), self.body))

    def messages(self) -> Iterator[int | None]:
        self._head = False
        before = self._buffer
        if not self.pass_head(b"200"):
            return
        head = before[: len(before) - len(self._buffer)].lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(self._buffer) < length:
            self._buffer = before
            return
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        yield _of_json(body)


class WebSocket(Viewer):
    """A page with a persistent websocket callback, which sends by `set_props`."""

    output = ""

    def ask(self) -> None:
        self.sock.sendall(_UPGRADE % (self._port, self._port))

    def messages(self) -> Iterator[int | None]:
        if not self._head and self.pass_head(b"101"):
            self._send(_TEXT, json.dumps(_CALL | {"payload": _NOTHING | {"output": self.output}}).encode())
        while self._head and len(self._buffer) >= 2:
            size, start = self._buffer[1], 2
            if size >= 126:
                start = 4 if size == 126 else 10
                size = int.from_bytes(self._buffer[2:start], "big")
            if len(self._buffer) < start + size:
                return
            body, kind = self._buffer[start : start + size], self._buffer[0]
            self._buffer = self._buffer[start + size :]
            if kind == _TEXT:
                yield _of_json(body)
            elif kind == _PING:
                self._send(_PONG, body)

    def _send(self, kind: int, body: bytes) -> None:
        """A client's frames are masked (RFC 6455, 5.3); a mask of zeros leaves the bytes as they are."""
        size = bytes([0x80 | 126]) + len(body).to_bytes(2, "big")
        self.sock.sendall(bytes([kind]) + size + bytes(4) + body)


@lru_cache(maxsize=64)
def _of_piece(piece: bytes) -> int | None:
    """The version of an event; each piece of the stream can be unpacked alone."""
    text = piece
    if not piece.startswith((b"event: ", b"retry: ")):
        text = zlib.decompressobj(-zlib.MAX_WBITS).decompress(piece.removeprefix(_GZIP_HEADER))
    name, _, data = text.partition(b"data: ")
    if not name.startswith((b"event: state\n", b"event: patch\n")):
        return None
    return int(json.loads(data)["version"])


@lru_cache(maxsize=64)
def _of_json(body: bytes) -> int | None:
    json.loads(body)
    found = _VERSION.search(body)
    return int(found[1]) if found else None


KINDS: dict[str, type[Viewer]] = {
    "stream": Stream, "slow": Slow, "polling": Poller, "websocket": WebSocket,
}  # fmt: skip


class Crowd:
    """All viewers on one epoll (select() takes no descriptor above 1,023)."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self.viewers: dict[int, Viewer] = {}
        self._due: list[tuple[float, int]] = []
        self._epoll.register(_ORDERS, select.EPOLLIN)

    def join(self, kind: type[Viewer], port: int, count: int, within: float = 0.0) -> None:
        """Opens `count` connections; those that ask again and again begin spread over their period."""
        began = time.monotonic()
        for number, wait in enumerate(sorted(random.uniform(0, within) for _ in range(count))):
            while (left := began + wait - time.monotonic()) > 0:
                self.turn(left)
            viewer = kind(port)
            self.viewers[viewer.sock.fileno()] = viewer
            if kind.reads:
                self._epoll.register(viewer.sock, select.EPOLLIN)
            viewer.ask()
            if kind.period is not None:
                due = began + kind.period * (1 + number / count)
                heapq.heappush(self._due, (due, viewer.sock.fileno()))
            self.turn(0.0)

    def turn(self, patience: float) -> bool:
        """One look at what came; whether something came on stdin."""
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            self._ask_again(*heapq.heappop(self._due))
        if self._due:
            patience = min(patience, max(0.0, self._due[0][0] - now))
        told = False
        for number, _ in self._epoll.poll(patience, maxevents=len(self.viewers) + 1):
            if number == _ORDERS.fileno():
                told = True
            else:
                self._read(number)
        return told

    def until(self, done: Callable[[Viewer], bool], patience: float) -> None:
        """Turns until `done` holds for every viewer, at most `patience` seconds."""
        end = time.monotonic() + patience
        while time.monotonic() < end and not all(map(done, self.viewers.values())):
            self.turn(0.05)

    def read_all(self) -> None:
        """From now on everybody reads."""
        for viewer in self.viewers.values():
            if not viewer.reads:
                self._epoll.register(viewer.sock, select.EPOLLIN)

    def until_told(self) -> str:
        while not self.turn(1.0):
            pass
        # Unbuffered: two orders that come together are two, and the second is still there to be noticed.
        return _ORDERS.readline().decode()

    def _ask_again(self, due: float, number: int) -> None:
        viewer = self.viewers.get(number)
        if viewer is None or viewer.period is None:
            return
        if not viewer.waits:  # a page asks nothing while it waits for an answer
            viewer.ask()
        heapq.heappush(self._due, (due + viewer.period, number))

    def _read(self, number: int) -> None:
        viewer = self.viewers[number]
        try:
            if viewer.read():
                return
        except OSError as error:
            print(error, file=sys.stderr)
        self._epoll.unregister(number)
        viewer.sock.close()
        del self.viewers[number]


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("port", type=int)
    parser.add_argument("viewers", type=int)
    parser.add_argument("--ask", default="", help="what a viewer of that kind asks")
    parser.add_argument("--within", type=float, default=0.0, help="seconds the connections are spread over")
    return parser.parse_args()


def main() -> None:
    asked = _asked()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, asked.viewers + 64)), hard))
    Poller.body, WebSocket.output = asked.ask.encode(), asked.ask
    crowd = Crowd()
    crowd.join(KINDS[asked.kind], asked.port, asked.viewers, asked.within)
    crowd.until(lambda viewer: viewer.version >= 0 or not viewer.reads, 60.0)
    print("ready", flush=True)
    crowd.until_told()
    cpu, began = _cpu_s(), time.monotonic()
    told = crowd.until_told()
    cores = (_cpu_s() - cpu) / (time.monotonic() - began)
    newest = int(told.split()[1])
    crowd.read_all()
    crowd.until(lambda viewer: viewer.version >= newest, PATIENCE_S)
    present = crowd.viewers.values()
    found = {
        "viewers": len(present),
        "behind": sum(viewer.version < newest for viewer in present),
        "cores": cores,
        "message_bytes": max((viewer.size for viewer in present), default=0),
        "arrivals": [viewer.arrivals for viewer in present],
        "began": min((viewer.opened for viewer in present), default=0.0),
        "first": [viewer.arrivals[0][1] - viewer.opened for viewer in present if viewer.arrivals],
        "all_shown": max((viewer.arrivals[0][1] for viewer in present if viewer.arrivals), default=0.0),
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
