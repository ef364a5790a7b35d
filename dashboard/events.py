"""Server-sent events as bytes: made once, compressed once, the same for every viewer.

An event stream is `text/event-stream` (WHATWG HTML, 9.2). With gzip the stream is a constant
header followed by raw deflate pieces that each end in a full flush (RFC 1951, 1952), so that a
piece made for one viewer continues any other viewer's stream as well. Each piece is one chunk of
HTTP/1.1 (RFC 9112, 7.1), framed once for all.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any

GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
LAST_CHUNK = b"0\r\n\r\n"


def chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


class Event:
    """One event; `plain` is its text, `deflated` the piece that continues any gzip stream.

    `chunk` and `packed_chunk` are the two as they stand on the connection.
    """

    def __init__(self, plain: bytes) -> None:
        self.plain = plain

    @cached_property
    def deflated(self) -> bytes:
        squeeze = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        return squeeze.compress(self.plain) + squeeze.flush(zlib.Z_FULL_FLUSH)

    @cached_property
    def chunk(self) -> bytes:
        return chunk(self.plain)

    @cached_property
    def packed_chunk(self) -> bytes:
        return chunk(self.deflated)


def event(
    name: str, fields: Mapping[str, Any], panels: Mapping[str, bytes] | None = None, mark: str = ""
) -> Event:
    """An event whose data is one JSON object; `panels` are JSON already and go in as they are."""
    data = json.dumps(fields, separators=(",", ":")).encode()
    if panels is not None:
        inner = b",".join(json.dumps(name).encode() + b":" + body for name, body in panels.items())
        data = data[:-1] + (b"," if fields else b"") + b'"panels":{' + inner + b"}}"
    head = f"event: {name}\n" + (f"id: {mark}\n" if mark else "")
    return Event(head.encode() + b"data: " + data + b"\n\n")


def changed(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> dict[str, bytes]:
    """The panels whose content differs."""
    return {name: body for name, body in after.items() if before.get(name) != body}
