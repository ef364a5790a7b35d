"""The far end of a connection, in memory: what it was written, and whether it takes it."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

from dashboard.live import Channel, Hub, Topic
from dashboard.viewer import Viewer

Said = tuple[str, dict[str, Any]]


class Wire(asyncio.WriteTransport):
    """Takes everything at once, unless `stopped`: then what is written waits until it `goes_on`."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = False
        self.ended = self.aborted = False
        self.most_waiting = 0
        self.came = bytearray()
        self.heard: list[Said] = []
        self._waiting = bytearray()
        self._news = asyncio.Event()
        self._read = 0

    def write(self, data: Any) -> None:
        assert not self.ended, "written to after its end"
        self._waiting += data
        self.most_waiting = max(self.most_waiting, len(self._waiting))
        if not self.stopped:
            self._flow()

    def goes_on(self) -> None:
        self.stopped = False
        self._flow()

    def get_write_buffer_size(self) -> int:
        return len(self._waiting)

    def is_closing(self) -> bool:
        return self.ended

    def close(self) -> None:
        self.ended = True
        self._news.set()

    def abort(self) -> None:
        self.ended = self.aborted = True
        self._waiting.clear()
        self._news.set()

    async def next(self, patience: float = 2) -> Said:
        """The next event not asked for yet."""
        async with asyncio.timeout(patience):
            while len(self.heard) <= self._read:
                self._news.clear()
                await self._news.wait()
        self._read += 1
        return self.heard[self._read - 1]

    def forget(self) -> None:
        """What was heard so far is not asked for any more."""
        self._read = len(self.heard)

    async def until_ended(self, patience: float = 2) -> None:
        async with asyncio.timeout(patience):
            while not self.ended:
                self._news.clear()
                await self._news.wait()

    def _flow(self) -> None:
        self.came += self._waiting
        self._waiting.clear()
        for name, data in events(bytes(self.came))[len(self.heard) :]:
            self.heard.append((name, data))
            self._news.set()


def events(stream: bytes) -> list[Said]:
    """The events of a chunked stream (RFC 9112, 7.1), plain or gzipped, as (name, data)."""
    body, rest = b"", stream
    while rest and (size := int(rest[: rest.index(b"\r\n")], 16)):
        start = rest.index(b"\r\n") + 2
        body, rest = body + rest[start : start + size], rest[start + size + 2 :]
    if body.startswith(b"\x1f\x8b"):
        body = zlib.decompressobj(31).decompress(body)
    found = []
    for block in body.split(b"\n\n"):
        fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
        if b"event" in fields:
            found.append((fields[b"event"].decode(), json.loads(fields[b"data"])))
    return found


class Seat:
    """A viewer of a hub at a wire of its own."""

    def __init__(self, hub: Hub, topic: Topic, *, gzip: bool = False) -> None:
        self.wire = Wire()
        self.viewer = Viewer(self.wire, gzip=gzip)
        self.channel: Channel = hub.join(topic, self.viewer)
        self._hub = hub

    async def hears(self, patience: float = 2) -> Said:
        return await self.wire.next(patience)

    def leaves(self) -> None:
        self._hub.leave(self.channel, self.viewer)
