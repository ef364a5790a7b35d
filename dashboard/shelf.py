"""Scripts, styles and fonts: compressed once, kept in memory, and for ever in the browser.

Addresses that carry a fingerprint (Dash's own bundles, assets with `?m=`) never change what they
mean, so the browser may keep them (RFC 8246); the others are asked for again.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from dashboard.stream import Message, Receive, Send

FOLDERS = ("/assets/", "/_dash-component-suites/")
_FOREVER = b"public, max-age=31536000, immutable"
_ASK = b"public, no-cache"
_FINGERPRINT = re.compile(r"\.v[\w-]+m\d+\.")
_PACKED = (b"font/woff2", b"image/png", b"image/jpeg")


@dataclass(frozen=True, slots=True)
class _File:
    type: bytes
    plain: bytes
    packed: bytes | None


class Shelf:
    """Serves what `app` would serve, at most `room` bytes of it held."""

    def __init__(self, app: Any, room: int = 64 * 2**20) -> None:
        self._app = app
        self._room = room
        self._files: OrderedDict[tuple[str, bytes], _File] = OrderedDict()

    async def __call__(self, request: dict[str, Any], receive: Receive, send: Send) -> None:
        query = bytes(request.get("query_string", b""))
        if not (_FINGERPRINT.search(request["path"]) or query.startswith(b"m=")):
            await self._app(request, receive, _with_cache(send))
            return
        key = (str(request["path"]), query)
        file = self._files.get(key)
        if file is None:
            file = await self._fetch(request, receive, send)
            if file is None:
                return
            self._keep(key, file)
        await _send_file(file, accepts_gzip(request), send)

    async def _fetch(self, request: dict[str, Any], receive: Receive, send: Send) -> _File | None:
        """The whole reply of `app`; a reply other than 200 is passed on and not kept."""
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        await self._app(request, receive, collect)
        if not messages or messages[0]["status"] != 200:
            for message in messages:
                await send(message)
            return None
        kind = dict(messages[0]["headers"]).get(b"content-type", b"application/octet-stream")
        plain = b"".join(message.get("body", b"") for message in messages[1:])
        packed = None
        if not kind.startswith(_PACKED):
            packed = await asyncio.to_thread(gzip.compress, plain, 9, mtime=0)
        return _File(kind, plain, packed)

    def _keep(self, key: tuple[str, bytes], file: _File) -> None:
        self._files[key] = file
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


async def _send_file(file: _File, gzipped: bool, send: Send) -> None:
    packed = file.packed if gzipped else None
    body = file.plain if packed is None else packed
    headers = [
        (b"content-type", file.type),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", _FOREVER),
        (b"vary", b"Accept-Encoding"),
    ]
    if packed is not None:
        headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _with_cache(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] in (200, 304):
            message["headers"] = [
                *((n, v) for n, v in message["headers"] if n.lower() != b"cache-control"),
                (b"cache-control", _ASK),
            ]
        await send(message)

    return sent
