"""Our own static files: read and compressed once at start, under addresses that carry a fingerprint.

All styles are one file and all scripts another, because a first visit waits for every request. An
address is `/assets/NAME?v=FINGERPRINT`; with the right fingerprint the browser keeps the file for ever
(RFC 8246), without it asks again by the ETag (RFC 9110, 8.8.3 and 13.1.2).
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from dashboard.replies import reply
from dashboard.stream import Send

PREFIX = "/assets/"
FOREVER = b"public, max-age=31536000, immutable"
ASK = b"public, no-cache"
STYLES, SCRIPTS = "pendopo.css", "pendopo.js"
_FONTS = ("fonts/plex-sans-latin1.woff2", "fonts/plex-sans-pi.woff2")
_TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".json": b"application/json",
    ".svg": b"image/svg+xml",
    ".png": b"image/png",
    ".ico": b"image/x-icon",
    ".woff2": b"font/woff2",
    ".txt": b"text/plain; charset=utf-8",
    ".md": b"text/plain; charset=utf-8",
}
_PACKED = (".woff2", ".png")
_URL = re.compile(r'url\("(?!data:)([^"]+)"\)')


@dataclass(frozen=True, slots=True)
class File:
    """One file's content; `packed` is its gzip where that is smaller."""

    type: bytes
    plain: bytes
    packed: bytes | None
    mark: str

    @classmethod
    def of(cls, name: str, plain: bytes) -> File:
        kind = Path(name).suffix
        packed = None if kind in _PACKED else gzip.compress(plain, 9, mtime=0)
        mark = hashlib.sha256(plain).hexdigest()[:12]
        return cls(_TYPES.get(kind, b"application/octet-stream"), plain, packed, mark)


class Assets:
    """Everything under a folder by its name there, and the two bundles made of its top level."""

    def __init__(self, folder: Path) -> None:
        found = sorted(file for file in folder.rglob("*") if file.is_file())
        contents = {file.relative_to(folder).as_posix(): file.read_bytes() for file in found}
        self._files = {name: File.of(name, content) for name, content in contents.items()}
        self._files[STYLES] = File.of(STYLES, b"\n".join(self._styles()))
        self._files[SCRIPTS] = File.of(SCRIPTS, b"\n".join(self._top(".js")))

    @property
    def fonts(self) -> tuple[str, ...]:
        """The addresses of the fonts every page writes with."""
        return tuple(self.address(name) for name in _FONTS)

    def address(self, name: str) -> str:
        """The address that stands for this content for ever. Raises KeyError when there is no such file."""
        return f"{PREFIX}{name}?v={self._files[name].mark}"

    def content(self, name: str) -> bytes:
        """What a file holds. Raises KeyError when there is no such file."""
        return self._files[name].plain

    async def __call__(self, request: dict[str, Any], gzipped: bool, send: Send) -> None:
        file = self._files.get(str(request["path"]).removeprefix(PREFIX))
        if file is None:
            await reply(send, 404)
            return
        asked = parse_qs(bytes(request.get("query_string", b"")).decode("latin-1")).get("v")
        await send_file(file, FOREVER if asked == [file.mark] else ASK, request, gzipped, send)

    def _styles(self) -> Iterator[bytes]:
        """Bootstrap first, what refines it after; the files they name by their fingerprints."""
        for content in self._top(".css"):
            text = _URL.sub(lambda found: f'url("{self._named(found[1])}")', content.decode())
            yield text.encode()

    def _named(self, name: str) -> str:
        return self.address(name).removeprefix(PREFIX) if name in self._files else name

    def _top(self, kind: str) -> Iterator[bytes]:
        names = [name for name in self._files if name.endswith(kind) and "/" not in name]
        for name in sorted(names, key=lambda name: (not name.startswith("bootstrap"), name)):
            yield self._files[name].plain


async def send_file(file: File, keep: bytes, request: dict[str, Any], gzipped: bool, send: Send) -> None:
    """The file, or 304 when the client has it. Each encoding has an ETag of its own, as it must."""
    packed = file.packed if gzipped else None
    etag = f'"{file.mark}-gz"' if packed is not None else f'"{file.mark}"'
    headers = [(b"etag", etag.encode()), (b"cache-control", keep), (b"vary", b"Accept-Encoding")]
    if _has_it(request, file.mark):
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    body = file.plain if packed is None else packed
    headers += [(b"content-type", file.type), (b"content-length", str(len(body)).encode())]
    if packed is not None:
        headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _has_it(request: dict[str, Any], mark: str) -> bool:
    """Whether If-None-Match names this content, in whatever encoding (weak comparison)."""
    said = b",".join(value for name, value in request.get("headers", ()) if name == b"if-none-match")
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in said.decode("latin-1").split(",")]
    return "*" in tags or any(tag.removesuffix("-gz") == mark for tag in tags)
