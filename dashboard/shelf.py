"""The scripts of Dash and its libraries: compressed once, kept in memory, and for ever in the browser.

Addresses that carry a fingerprint never change what they mean, so the browser may keep them (RFC 8246);
the others are asked for again.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from typing import Any

from dashboard.assets import ASK, FOREVER, File, send_file
from dashboard.stream import Message, Receive, Send

FOLDER = "/_dash-component-suites/"
_FINGERPRINT = re.compile(r"\.v[\w-]+m\d+\.")


class Shelf:
    """Serves what `app` would serve, at most `room` bytes of it held."""

    def __init__(self, app: Any, room: int = 64 * 2**20) -> None:
        self._app = app
        self._room = room
        self._files: OrderedDict[str, File] = OrderedDict()

    async def __call__(self, request: dict[str, Any], receive: Receive, send: Send) -> None:
        path = str(request["path"])
        if not _FINGERPRINT.search(path):
            await self._app(request, receive, _with_cache(send))
            return
        file = self._files.get(path)
        if file is None:
            file = await self._fetch(request, receive, send)
            if file is None:
                return
            self._keep(path, file)
        await send_file(file, FOREVER, request, accepts_gzip(request), send)

    async def _fetch(self, request: dict[str, Any], receive: Receive, send: Send) -> File | None:
        """The whole reply of `app`; a reply other than 200 is passed on and not kept."""
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        # Asked for whole: what the client has of it is compared with our own mark.
        whole = [(name, value) for name, value in request["headers"] if not name.startswith(b"if-")]
        await self._app({**request, "headers": whole}, receive, collect)
        if not messages or messages[0]["status"] != 200:
            for message in messages:
                await send(message)
            return None
        plain = b"".join(message.get("body", b"") for message in messages[1:])
        return await asyncio.to_thread(File.of, str(request["path"]), plain)

    def _keep(self, path: str, file: File) -> None:
        self._files[path] = file
        while sum(len(f.plain) + len(f.packed or b"") for f in self._files.values()) > self._room:
            self._files.popitem(last=False)


def accepts_gzip(request: dict[str, Any]) -> bool:
    """Whether the client takes gzip (RFC 9110, 12.5.3)."""
    said = b",".join(value for name, value in request.get("headers", ()) if name == b"accept-encoding")
    for item in said.decode("latin-1").lower().split(","):
        coding, _, parameter = item.strip().partition(";")
        if coding.strip() in ("gzip", "*"):
            return parameter.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _with_cache(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] in (200, 304):
            message["headers"] = [
                *((n, v) for n, v in message["headers"] if n.lower() != b"cache-control"),
                (b"cache-control", ASK),
            ]
        await send(message)

    return sent
