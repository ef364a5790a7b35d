"""Many viewers of one stream, on plain sockets."""

from __future__ import annotations

import asyncio
import json
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

EMPTY: dict[str, Any] = {}


@dataclass
class Watcher:
    """One viewer: the events it heard as (moment heard, name, data)."""

    port: int
    path: str = "/live?page=wall&lang=id"
    gzip: bool = True
    heard: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def start(self) -> Watcher:
        self.task = asyncio.create_task(self._read())
        return self

    async def stop(self) -> None:
        if self.task:
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task

    async def until(self, wanted: Any, patience: float = 15) -> tuple[float, str, dict[str, Any]]:
        """The first event, heard already or yet to come, for which `wanted(name, data)` holds."""
        async with asyncio.timeout(patience):
            place = 0
            while True:
                for item in self.heard[place:]:
                    if wanted(item[1], item[2]):
                        return item
                place = len(self.heard)
                self._news.clear()
                await self._news.wait()

    async def _read(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            coding = "Accept-Encoding: gzip\r\n" if self.gzip else ""
            writer.write(f"GET {self.path} HTTP/1.1\r\nHost: pendopo\r\n{coding}\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            await self._events(reader)
        finally:
            writer.close()

    async def _events(self, reader: asyncio.StreamReader) -> None:
        unpack, text = zlib.decompressobj(31), b""
        while size := int(await reader.readline() or b"0", 16):
            piece = (await reader.readexactly(size + 2))[:-2]
            text += unpack.decompress(piece) if self.gzip else piece
            *whole, text = text.split(b"\n\n")
            for block in whole:
                self._note(block)

    def _note(self, block: bytes) -> None:
        fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
        if b"event" in fields:
            self.heard.append((monotonic(), fields[b"event"].decode(), json.loads(fields[b"data"])))
            self._news.set()
