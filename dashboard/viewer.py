"""One open connection of a stream: what is written to it goes straight to its transport."""

from __future__ import annotations

import asyncio

from dashboard.events import GZIP_HEADER, LAST_CHUNK, Event, chunk

# The browser waits this long before it opens a broken stream again by itself.
_PREAMBLE = Event(b"retry: 2000\n\n")
_PACKED_PREAMBLE = chunk(GZIP_HEADER + _PREAMBLE.deflated)


class Viewer:
    """The reply's head is out when it is made, and it writes in chunks (RFC 9112, 7.1)."""

    __slots__ = ("_gzip", "_wire")

    def __init__(self, wire: asyncio.WriteTransport, *, gzip: bool) -> None:
        self._wire = wire
        self._gzip = gzip
        wire.write(_PACKED_PREAMBLE if gzip else _PREAMBLE.chunk)

    @property
    def behind(self) -> bool:
        """Whether something written earlier still waits in this process: it is to get no more."""
        return self._wire.get_write_buffer_size() > 0

    def write(self, item: Event) -> None:
        self._put(item.packed_chunk if self._gzip else item.chunk)

    def close(self) -> None:
        """Ends the reply in order, after what was written."""
        self._put(LAST_CHUNK)
        self._wire.close()

    def _put(self, data: bytes) -> None:
        # A connection can have ended a moment before its viewer leaves; uvloop refuses writes then.
        if not self._wire.is_closing():
            self._wire.write(data)

    def abort(self) -> None:
        """Ends the connection at once, without what was written."""
        self._wire.abort()
