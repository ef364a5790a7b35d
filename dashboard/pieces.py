"""One gzip body out of pieces that were compressed apart (RFC 1951, 1952).

What a page shows is the same for all who look at it, while the document around it carries a nonce of
its own: so the large part is compressed once, and only the small ones for each request.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes and the raw deflate that stands for them in the middle of any stream."""

    plain: bytes
    deflated: bytes

    @classmethod
    def of(cls, plain: bytes) -> Piece:
        squeeze = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        return cls(plain, squeeze.compress(plain) + squeeze.flush(zlib.Z_FULL_FLUSH))


def gzipped(*pieces: Piece) -> bytes:
    """The gzip of all pieces in a row."""
    crc, size = 0, 0
    for piece in pieces:
        crc, size = zlib.crc32(piece.plain, crc), size + len(piece.plain)
    end = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS).flush(zlib.Z_FINISH)
    trailer = struct.pack("<LL", crc, size & 0xFFFFFFFF)
    return b"".join((_HEADER, *(piece.deflated for piece in pieces), end, trailer))
