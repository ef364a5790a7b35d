"""A record that has the right types becomes a row of its fact table, or is refused with a reason.

The reasons are codes; the pages say them in words. A row's values stand in the order of the
table's columns.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ingest import records as r
from ingest.masks import looks_personal, mask
from kpis.catalogue import FEED_TABLES
from kpis.days import DayOf
from kpis.service_requests.tables import ENDED
from kpis.store import EPOCH, instant, micros

Row = tuple[Any, ...]

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
    """What a record is read against: the city's OPD, its days, the source's zone, and the present."""

    opds: frozenset[str]
    day_of: DayOf
    zone: ZoneInfo | None
    now_us: int
    source: str

    def us(self, at: datetime, field: str, *, past: bool = True) -> int:
        """Microseconds of an instant that must carry an offset (or have the source's zone)."""
        found = self._exact(at, field)
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


def maybe_clean(value: str | None, field: str) -> str | None:
    return None if not value else clean(value, field)


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


def _ordered(earlier: int, later: int | None, field: str, reason: str = "times_out_of_order") -> None:
    if later is not None and later < earlier:
        raise Bad(reason, field)


def _service_request(x: r.ServiceRequest, c: Context) -> Row:
    opened = c.us(x.opened_at, "opened_at")
    updated = c.us(x.updated_at, "updated_at")
    closed = c.maybe_us(x.closed_at, "closed_at")
    _ordered(opened, closed, "closed_at", "closes_before_open")
    verified = c.maybe_us(x.verified_at, "verified_at")
    assigned = c.maybe_us(x.assigned_at, "assigned_at")
    answered = c.maybe_us(x.answered_at, "answered_at")
    for field, at in (("verified_at", verified), ("assigned_at", assigned), ("answered_at", answered)):
        _ordered(opened, at, field)
    if x.status == "closed" and closed is None:
        # The record itself is the only word on when it closed; its own time bounds it from above.
        closed = updated
    ended = None
    if x.status in ENDED:
        ended = updated if closed is None else closed
        # Only where `updated_at` stands for the end must it follow the opening. Elsewhere it orders
        # versions, and a clock that is off must not cost a citizen an open request.
        _ordered(opened, ended, "updated_at")
    return (
        c.source,
        clean(x.id, "id"),
        c.opd(x.opd),
        x.status,
        opened,
        updated,
        x.class_,
        maybe_clean(x.category, "category"),
        maybe_clean(x.channel, "channel"),
        maybe_clean(x.kelurahan, "kelurahan"),
        maybe_clean(x.kecamatan, "kecamatan"),
        number(x.lat, "lat", -90, 90),
        number(x.lon, "lon", -180, 180),
        verified,
        assigned,
        answered,
        closed,
        c.maybe_us(x.due_at, "due_at", past=False),
        number(x.paused_days, "paused_days", 0, 100_000),
        x.reopened,
        x.confirmed,
        prose(x.text, "text"),
        maybe_clean(x.reply_by, "reply_by"),
        ended,
        c.day_of(opened),
        c.day_of(closed) if closed is not None and x.status == "closed" else None,
    )


def _uptime_check(x: r.UptimeCheck, c: Context) -> Row:
    return (
        c.source,
        clean(x.id, "id"),
        clean(x.app, "app"),
        c.us(x.observed_at, "observed_at"),
        x.up,
        number(x.latency_ms, "latency_ms", 0, 86_400_000),
        x.status_code,
        prose(x.error, "error"),
        maybe_clean(x.probe, "probe"),
        c.beside(x.cert_expires_at, "cert_expires_at"),
        c.beside(x.content_changed_at, "content_changed_at"),
    )


def _sync_run(x: r.SyncRun, c: Context) -> Row:
    started = c.us(x.started_at, "started_at")
    finished = c.maybe_us(x.finished_at, "finished_at")
    _ordered(started, finished, "finished_at")
    return (
        c.source,
        clean(x.id, "id"),
        c.opd(x.opd),
        clean(x.system, "system"),
        clean(x.interface, "interface"),
        started,
        x.ok,
        finished,
        x.rows_read,
        x.rows_rejected,
        c.maybe_us(x.data_as_of, "data_as_of"),
        x.matched,
        x.unmatched,
        prose(x.error, "error"),
        c.day_of(started),
    )


def _employee(code: str) -> str:
    if looks_personal(code):
        raise Bad("looks_personal", "employee", secret=code)
    return clean(code, "employee")


def _attendance(x: r.Attendance, c: Context) -> Row:
    at = c.us(x.at, "at")
    return (
        c.source,
        clean(x.id, "id"),
        c.opd(x.opd),
        _employee(x.employee),
        at,
        x.kind,
        maybe_clean(x.device, "device"),
        x.doubtful,
        prose(x.reason, "reason"),
        c.day_of(at),
    )


def _date(day: date, field: str, latest: date = date(2100, 12, 31)) -> str:
    text = day.isoformat()
    if day.year < 2000:
        raise Bad("too_old", field, text)
    if day > latest:
        raise Bad("in_future", field, text)
    return text


def _year_ahead(now_us: int) -> date:
    """The last day somebody's leave may already be known for."""
    return (instant(now_us) + timedelta(days=366)).date()


def _attendance_day(x: r.AttendanceDay, c: Context) -> Row:
    return (
        c.source,
        clean(x.id, "id"),
        c.opd(x.opd),
        _date(x.day, "day", _year_ahead(c.now_us)),
        _employee(x.employee),
        x.category,
        maybe_clean(x.shift, "shift"),
    )


def _ledger(x: r.Ledger, c: Context) -> Row:
    return (
        c.source,
        clean(x.id, "id"),
        c.opd(x.opd),
        x.year,
        clean(x.code, "code"),
        x.stage,
        number(x.amount, "amount", -1e15, 1e15),
        c.us(x.updated_at, "updated_at"),
        maybe_clean(x.name, "name"),
        maybe_clean(x.document, "document"),
    )


def _milestone(x: r.Milestone, c: Context) -> Row:
    return (
        c.source,
        clean(x.id, "id"),
        c.opd(x.opd),
        clean(x.title, "title"),
        _date(x.due_on, "due_on"),
        c.us(x.updated_at, "updated_at"),
        _date(x.done_on, "done_on") if x.done_on else None,
        maybe_clean(x.kind, "kind"),
        maybe_clean(x.programme, "programme"),
        number(x.budget, "budget", 0, 1e15),
        number(x.progress, "progress", 0, 1),
    )


def _message(x: r.Message, c: Context) -> Row:
    return (
        c.source,
        clean(x.id, "id"),
        clean(x.request, "request"),
        c.us(x.at, "at"),
        x.author,
        mask(clean(x.text, "text")),
        maybe_clean(x.channel, "channel"),
    )


def _application(x: r.Application, c: Context) -> Row:
    # An entry without a time of its own is as new as its arrival; the pipeline lays no weight on it.
    updated = c.us(x.updated_at, "updated_at") if x.updated_at else c.now_us - FUTURE // _MICROSECOND
    opd = maybe_clean(x.opd, "opd")
    owner = prose(x.owner, "owner")
    return (
        c.source,
        clean(x.id, "id"),
        clean(x.app or x.id, "app"),
        updated,
        maybe_clean(x.name, "name"),
        opd if opd in c.opds else None,
        owner or (opd if opd not in c.opds else None),
        maybe_clean(x.url, "url"),
        maybe_clean(x.hosting, "hosting"),
        maybe_clean(x.kind, "kind"),
        prose(x.note, "note"),
    )


ROWS: Mapping[str, Callable[[Any, Context], Row]] = {
    "service_request": _service_request,
    "uptime_check": _uptime_check,
    "sync_run": _sync_run,
    "attendance": _attendance,
    "attendance_day": _attendance_day,
    "ledger": _ledger,
    "milestone": _milestone,
    "message": _message,
    "application": _application,
}

COLUMNS: Mapping[str, tuple[str, ...]] = {
    feed: tuple(column.name for column in table.table.columns) for feed, table in FEED_TABLES.items()
}
