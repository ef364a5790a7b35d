"""`GET /live`: one viewer's connection to the hub, as an ASGI application.

The server has to lend it the connection's transport (`WIRE` among the request's extensions): the hub
writes to that directly. Through ASGI every event would wake a task for every viewer.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from dashboard.live import Hub, Topic
from dashboard.viewer import Viewer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

WIRE = "pendopo.wire"
# What the system keeps for a reader that stops reading: several states, never megabytes.
_SEND_BUFFER = 32 * 1024
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept-Encoding"),
    (b"x-accel-buffering", b"no"),
]


async def stream(
    hub: Hub, topic: Topic, gzip: bool, request: Mapping[str, Any], receive: Receive, send: Send
) -> None:
    """Sends a full state and then every change until the viewer leaves or the hub closes."""
    if hub.full:
        await _refuse(send)
        return
    headers = [*_HEADERS, (b"content-encoding", b"gzip")] if gzip else _HEADERS
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    wire: asyncio.WriteTransport = request["extensions"][WIRE]
    _narrow(wire)
    viewer = Viewer(wire, gzip=gzip)
    channel = hub.join(topic, viewer)
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        hub.leave(channel, viewer)


def _narrow(wire: asyncio.WriteTransport) -> None:
    taken = wire.get_extra_info("socket")
    if taken is not None:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain"), (b"retry-after", b"10"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b"too many viewers\n"})
