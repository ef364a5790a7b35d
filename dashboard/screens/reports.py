"""The JSON in which a screen tells how it is, checked before anything of it is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec

from kpis.screens.health import Report

# A report is some 200 bytes.
LARGEST = 1024

_Ms = Annotated[int, msgspec.Meta(ge=946_684_800_000, le=4_102_444_800_000)]  # 2000 to 2100
_Size = Annotated[int, msgspec.Meta(ge=0, le=100_000)]


class _Said(msgspec.Struct, forbid_unknown_fields=True):
    """`due` and `painted` are the city's time in milliseconds, as the server's own events told it."""

    connection: Literal["open", "lost"]
    build: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{12}$")]
    page: Annotated[str, msgspec.Meta(max_length=64)]
    width: _Size
    height: _Size
    scale: Annotated[float, msgspec.Meta(gt=0, le=100)]
    nodes: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
    heap: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None = None
    due: _Ms | None = None
    painted: _Ms | None = None


_DECODER = msgspec.json.Decoder(_Said)


def read(body: bytes, pages: frozenset[str], now: datetime) -> Report:
    """The report in a body. ValueError (msgspec's own) when it is none.

    A page that is not the screen's is nobody's business and left out; a time that lies ahead of the
    server's, which it can only have from the server, is taken for now.
    """
    said = _DECODER.decode(body)
    return Report(
        due=_instant(said.due, now),
        painted=_instant(said.painted, now),
        heap_bytes=said.heap,
        nodes=said.nodes,
        connection=said.connection,
        build=said.build,
        page=said.page if said.page in pages else None,
        width=said.width,
        height=said.height,
        scale=said.scale,
    )


def _instant(ms: int | None, now: datetime) -> datetime | None:
    if ms is None:
        return None
    return min(datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms), now)
