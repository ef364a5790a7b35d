"""Short replies that need no framework."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from dashboard.stream import Send

HTML = "text/html; charset=utf-8"
_PAGE = """<!DOCTYPE html>
<html lang="id"><head><meta charset="utf-8"><title>{title}</title>{head}
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><h1>{title}</h1><p>{id}</p><p lang="en">{en}</p><p><a href="/">Pendopo</a></p></body></html>
"""
LOST = _PAGE.format(title="404", head="", id="Halaman ini tidak ada.", en="There is no such page.")
# A wall that was started before its database, or in a bad moment, comes up by itself.
_AGAIN = '<meta http-equiv="refresh" content="10">'
FAILED = _PAGE.format(
    title="500",
    head=_AGAIN,
    id="Halaman ini gagal dibuat. Halaman ini mencoba lagi sendiri.",
    en="This page could not be made. It tries again by itself.",
)
AWAY = _PAGE.format(
    title="503",
    head=_AGAIN,
    id="Basis data belum dapat dihubungi. Halaman ini mencoba lagi sendiri.",
    en="The database cannot be reached yet. This page tries again by itself.",
)


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
