"""`GET /live`: one viewer's connection to the hub, as a plain ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from dashboard.events import GZIP_HEADER, Event
from dashboard.live import Channel, Hub, Topic, Viewer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# The browser waits this long before it opens a broken stream again.
_PREAMBLE = Event(b"retry: 2000\n\n")
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept-Encoding"),
    (b"x-accel-buffering", b"no"),
]


async def stream(hub: Hub, topic: Topic, gzip: bool, receive: Receive, send: Send) -> None:
    """Sends a full state and then every change until the viewer leaves or the hub closes."""
    if hub.full:
        await _refuse(send)
        return
    channel, viewer = hub.join(topic)
    gone = asyncio.create_task(_until_gone(viewer, receive))
    try:
        with suppress(OSError, TimeoutError):  # a viewer that goes away in the middle of a piece
            await _send_all(hub, channel, viewer, gzip, send)
    finally:
        gone.cancel()
        hub.leave(channel, viewer)


async def _send_all(hub: Hub, channel: Channel, viewer: Viewer, gzip: bool, send: Send) -> None:
    headers = [*_HEADERS, (b"content-encoding", b"gzip")] if gzip else _HEADERS
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    head = GZIP_HEADER + _PREAMBLE.deflated if gzip else _PREAMBLE.plain
    await send({"type": "http.response.body", "body": head, "more_body": True})
    while (item := await viewer.take(channel)) is not None:
        body = item.deflated if gzip else item.plain
        async with asyncio.timeout(hub.pace.stuck):
            await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(viewer: Viewer, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    viewer.close()


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain"), (b"retry-after", b"10"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b"too many viewers\n"})
