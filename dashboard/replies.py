"""Short replies that need no framework."""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import quote

from dashboard.stream import Send
from kpis.config import LANGUAGES
from layouts.words import msg, words_for

HTML = "text/html; charset=utf-8"
_PAGE = """<!DOCTYPE html>
<html lang="id"><head><meta charset="utf-8"><title>{status} · Pendopo</title>{head}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark"></head>
<body><main><h1>{status}</h1>{said}<p><a href="{place}">Pendopo</a></p></main></body></html>
"""
# A wall that was started before its database, or in a bad moment, comes up by itself.
AGAIN = '<meta http-equiv="refresh" content="10">'


def page(status: int, text: str, head: str = "", place: str = "/") -> str:
    """A page for when there is no page, that leads to `place`."""
    return _PAGE.format(status=status, head=head, said=in_every_language(text), place=place)


def in_every_language(text: str) -> str:
    """A sentence for somebody whose language nobody may know by now."""
    return "".join(f'<p lang="{name}">{escape(words_for(name, "UTC").t(text))}</p>' for name in LANGUAGES)


LOST = page(404, msg("There is no such page."))
FAILED = page(500, msg("This page could not be made. It tries again by itself."), AGAIN)
AWAY = page(503, msg("The database cannot be reached yet. This page tries again by itself."), AGAIN)


async def reply(
    send: Send,
    status: int,
    body: str | bytes = "",
    *,
    kind: str = "text/plain; charset=utf-8",
    gzipped: bool = False,
) -> None:
    """A whole reply that nobody may keep."""
    data = body.encode() if isinstance(body, str) else body
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(data)).encode()),
        (b"cache-control", b"no-store"),
        (b"vary", b"Accept-Encoding"),
    ]
    if gzipped:
        headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


async def see_other(send: Send, path: str, request: dict[str, Any]) -> None:
    """Sends the browser to a path of ours, with the query it came with."""
    query = bytes(request.get("query_string", b""))
    place = quote(path).encode() + (b"?" + query if query else b"")
    headers = [(b"location", place), (b"content-length", b"0"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 307, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
