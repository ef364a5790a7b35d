"""Watermarks as they are remembered, and database values as plain ones."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any

Watermark = int | float | Decimal | str | bytes | date | datetime

TIES_KEPT = 20_000

_TYPES: dict[str, tuple[Callable[[Any], str], Callable[[str], Watermark]]] = {
    "int": (str, int),
    "float": (repr, float),
    "decimal": (str, Decimal),
    "text": (str, str),
    "bytes": (bytes.hex, bytes.fromhex),
    "date": (date.isoformat, date.fromisoformat),
    "datetime": (datetime.isoformat, datetime.fromisoformat),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One watermark with its type, so that it is bound to the query as what it was."""

    type: str
    value: Watermark

    @classmethod
    def of(cls, value: Any) -> Mark | None:
        """None for NULL and NaN; TypeError for a value that has no order."""
        if value is None or (isinstance(value, float | Decimal) and math.isnan(value)):
            return None
        if isinstance(value, memoryview | bytearray):
            value = bytes(value)
        for kind, name in _KINDS:
            if isinstance(value, kind) and not isinstance(value, bool):
                return cls(name, value)
        raise TypeError(f"is a {type(value).__name__}; use a number, a text, a date or a time")

    def __lt__(self, other: Mark) -> bool:
        """Text is never out of order here: only the database knows its collation."""
        if self.type == "text" or other.type == "text":
            return False
        try:
            return bool(self.value < other.value)  # type: ignore[operator]
        except TypeError:
            return False

    def encode(self, ties: Iterable[str]) -> str:
        """As a position. Beyond 20,000 ties none are remembered: they are then read again, and known."""
        kept = sorted(ties)
        return json.dumps(
            {
                "type": self.type,
                "value": _TYPES[self.type][0](self.value),
                "ties": kept if len(kept) <= TIES_KEPT else [],
            },
            separators=(",", ":"),
        )

    @classmethod
    def decode(cls, position: str | None) -> tuple[Mark | None, set[str]]:
        """The mark and its ties out of a position; (None, empty) when nothing was read yet."""
        if not position:
            return None, set()
        found = json.loads(position)
        return cls(found["type"], _TYPES[found["type"]][1](found["value"])), set(found["ties"])


_KINDS: tuple[tuple[type[Any], str], ...] = (
    (int, "int"),
    (float, "float"),
    (Decimal, "decimal"),
    (str, "text"),
    (bytes, "bytes"),
    (datetime, "datetime"),
    (date, "date"),
)


def digest(payload: Mapping[str, Any]) -> str:
    """A short name for a row's content."""
    return blake2b(repr(sorted(payload.items())).encode(errors="surrogatepass"), digest_size=9).hexdigest()


def plain(value: Any) -> Any:
    """A driver's value as an ordinary Python one: str, int, float, bool, Decimal, date, datetime, None."""
    if isinstance(value, str | int | float | Decimal | datetime | date | None):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, timedelta):  # MySQL's TIME
        seconds = round(value.total_seconds())
        sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
        return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    return str(value)
