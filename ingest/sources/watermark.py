"""Watermarks and their order, and database values as plain ones."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from ingest.fields import FUTURE

Watermark = int | float | Decimal | str | bytes | date | datetime

TYPES: dict[str, tuple[Callable[[Any], str], Callable[[str], Watermark]]] = {
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
        if (usual := _USUAL.get(type(value))) is not None:
            return cls(usual, value)
        for kind, name in _KINDS:
            if isinstance(value, kind) and not isinstance(value, bool):
                return cls(name, value)
        raise TypeError(f"is a {type(value).__name__}; use a number, a text, a date or a time")

    def __str__(self) -> str:
        return str(self.value)

    def __lt__(self, other: Mark) -> bool:
        """Of text only ISO times spelled alike have one: of the rest only the database's collation knows."""
        mine, others = self.value, other.value
        if isinstance(mine, str) and isinstance(others, str):
            return mine < others and _alike(mine, others)
        try:
            return bool(mine < others)  # type: ignore[operator]
        except TypeError:
            return False

    @property
    def family(self) -> str:
        """Watermarks of one family can be compared, and a column may move within it."""
        if isinstance(self.value, datetime):
            return "time" if self.value.tzinfo is None else "time with a zone"
        return _FAMILIES.get(self.type, self.type)

    def follows(self, earlier: Mark) -> bool:
        """Whether a column that gave `earlier` may give this: a day may become a time, not the reverse."""
        return self.family == earlier.family or (earlier.type, self.family) == ("date", "time")

    def before(self, span: timedelta) -> Mark:
        """A mark that is at least `span` earlier; TypeError when this is no time and no date."""
        value = self.value
        if isinstance(value, datetime):
            return Mark(self.type, value - span)
        if isinstance(value, date):
            return Mark(self.type, value - max(span, timedelta(days=1)))
        if isinstance(value, str) and (found := _time_of(value)) is not None:
            # Cut to the second, which only reads more, and spelled as the department spells it.
            earlier = (found.replace(tzinfo=None) - span).isoformat(
                sep=value[10:11] or " ", timespec="seconds"
            )
            return Mark(self.type, earlier[: len(value)])
        raise TypeError(f"is a {self.family}, and overlap needs a time or a date")

    def is_ahead_of(self, now: datetime, zone: tzinfo | None) -> bool:
        """Whether this is a time that has not come yet; without a zone, nowhere on Earth."""
        value = _time_of(self.value) if isinstance(self.value, str) else self.value
        if isinstance(value, datetime):
            aware = value if value.tzinfo is not None else value.replace(tzinfo=zone or _FIRST_ZONE)
            return aware > now + FUTURE
        if isinstance(value, date):
            return value > (now.astimezone(zone or _FIRST_ZONE) + FUTURE).date()
        return False


_FAMILIES = {"int": "number", "float": "number", "decimal": "number", "date": "date"}
# Where every day begins first.
_FIRST_ZONE = timezone(timedelta(hours=14))


def _time_of(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if len(text) >= 10 else None
    except ValueError:
        return None


def _alike(one: str, other: str) -> bool:
    return one.translate(_DIGITS) == other.translate(_DIGITS) and _time_of(one) is not None


_DIGITS = str.maketrans("123456789", "0" * 9)

_KINDS: tuple[tuple[type[Any], str], ...] = (
    (int, "int"),
    (float, "float"),
    (Decimal, "decimal"),
    (str, "text"),
    (bytes, "bytes"),
    (datetime, "datetime"),
    (date, "date"),
)

_USUAL = dict(_KINDS)


def digest(payload: Mapping[str, Any]) -> str:
    """A short name for a row's content."""
    return _digest(sorted(payload.items())).hex()


@dataclass(frozen=True, slots=True)
class Print:
    """Many rows told from others by their number and the sum of their digests, in whatever order."""

    rows: int = 0
    total: int = 0

    def with_row(self, row: tuple[Any, ...]) -> Print:
        return Print(self.rows + 1, (self.total + int.from_bytes(_digest(row))) % 2**72)


def _digest(value: Any) -> bytes:
    return blake2b(repr(value).encode(errors="surrogatepass"), digest_size=9).digest()


# Most values are of these very types, and there are millions of them.
_PLAIN = frozenset({str, int, float, bool, Decimal, datetime, date, type(None)})


def plain(value: Any) -> Any:
    """A driver's value as an ordinary Python one: str, int, float, bool, Decimal, date, datetime, None."""
    if type(value) in _PLAIN or isinstance(value, str | int | float | Decimal | date):
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
