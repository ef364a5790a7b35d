"""One field at a time: texts that are clean, numbers and instants within bounds, or the reason why not."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ingest.masks import mask
from kpis.days import DayOf
from kpis.store import EPOCH, micros

_MICROSECOND = timedelta(microseconds=1)
FUTURE = timedelta(minutes=5)
_OLDEST = micros(datetime.fromisoformat("2000-01-01T00:00:00Z"))
_NEWEST = micros(datetime.fromisoformat("2100-01-01T00:00:00Z"))
_FIRST = micros(datetime.min.replace(tzinfo=UTC))
_LAST = micros(datetime.max.replace(tzinfo=UTC))


def storable(text: str) -> str:
    """Text without the two things a store cannot hold, NUL and lone surrogates, spelled out instead."""
    return text.replace("\x00", "\\u0000").encode("utf-8", "backslashreplace").decode()


class Bad(Exception):
    """One record cannot be used: a reason code, the field at fault, what was found there.

    `secret` is a value of the record that must not be kept.
    """

    def __init__(self, reason: str, field: str | None, detail: str = "", secret: str | None = None) -> None:
        self.reason = reason
        self.field = None if field is None else storable(field[:100])
        self.detail = storable(mask(detail[:1_000])[:300])
        self.secret = secret
        super().__init__(reason, field, detail)


@dataclass(slots=True)
class Context:
    """What a record is read against: the city's OPD, its days, the source's zone, and the present.

    `plain` says of the record at hand that its payload is ASCII without an escape, so that no text
    in it can hold anything `clean` looks for.
    """

    opds: frozenset[str]
    day_of: DayOf
    zone: ZoneInfo | None
    now_us: int
    source: str
    plain: bool = False

    def clean(self, value: str, field: str) -> str:
        """NFC, and free of characters that no system means to send."""
        return value if self.plain else clean(value, field)

    def maybe_clean(self, value: str | None, field: str) -> str | None:
        return (value if self.plain else clean(value, field)) if value else None

    def us(self, at: datetime, field: str, *, past: bool = True) -> int:
        """Microseconds of an instant that must carry an offset (or have the source's zone)."""
        found = (at - EPOCH) // _MICROSECOND if at.tzinfo is not None else self._exact(at, field)
        if found < _OLDEST:
            raise Bad("too_old", field, at.isoformat())
        if found > (self.now_us if past else _NEWEST):
            raise Bad("in_future", field, at.isoformat())
        return found

    def maybe_us(self, at: datetime | None, field: str, *, past: bool = True) -> int | None:
        return None if at is None else self.us(at, field, past=past)

    def beside(self, at: datetime | None, field: str) -> int | None:
        """Microseconds of an instant that no figure is made of: kept as it was said, however far away.

        A certificate without an end says 9999 (RFC 5280, 4.1.2.5), a server without a clock 1970;
        neither makes the record it stands in less true.
        """
        if at is None:
            return None
        found = self._exact(at, field)
        if not _FIRST <= found <= _LAST:
            raise Bad("out_of_range", field, at.isoformat())
        return found

    def _exact(self, at: datetime, field: str) -> int:
        if at.tzinfo is None:
            if self.zone is None:
                raise Bad("naive_time", field, at.isoformat())
            at = at.replace(tzinfo=self.zone)
        return (at - EPOCH) // _MICROSECOND

    def opd(self, code: str) -> str:
        if code not in self.opds:
            raise Bad("unknown_opd", "opd", code)
        return code


def clean(value: str, field: str) -> str:
    """NFC, and free of characters that no system means to send."""
    if not value.isprintable():
        for character in value:
            if unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\r\t":
                raise Bad("control_character", field, f"U+{ord(character):04X}")
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def prose(value: str | None, field: str) -> str | None:
    """Free text of a person or a program: clean, and without anybody's number."""
    return None if not value else mask(clean(value, field))


def number(value: float | None, field: str, low: float = -math.inf, high: float = math.inf) -> float | None:
    """A finite number within bounds, or None."""
    if value is None:
        return None
    if not math.isfinite(value):
        raise Bad("not_a_number", field, str(value))
    if not low <= value <= high:
        raise Bad("out_of_range", field, str(value))
    return float(value)
