"""A record that has the right types becomes a row of its fact table, or is refused with a reason.

The reasons are codes; the pages say them in words. A row's values stand in the order of the
table's columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from ingest import records as r
from ingest.fields import FUTURE, Bad, Context, number, prose
from ingest.masks import looks_personal, mask
from kpis.catalogue import FEED_TABLES
from kpis.service_requests.tables import ENDED
from kpis.store import instant

Row = tuple[Any, ...]


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
        c.clean(x.id, "id"),
        c.opd(x.opd),
        x.status,
        opened,
        updated,
        x.class_,
        c.maybe_clean(x.category, "category"),
        c.maybe_clean(x.channel, "channel"),
        c.maybe_clean(x.kelurahan, "kelurahan"),
        c.maybe_clean(x.kecamatan, "kecamatan"),
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
        c.maybe_clean(x.reply_by, "reply_by"),
        ended,
        c.day_of(opened),
        c.day_of(closed) if closed is not None and x.status == "closed" else None,
    )


def _uptime_check(x: r.UptimeCheck, c: Context) -> Row:
    # The commonest record by far: what is not there is not asked about.
    clean = c.clean
    return (
        c.source,
        clean(x.id, "id"),
        clean(x.app, "app"),
        c.us(x.observed_at, "observed_at"),
        x.up,
        x.latency_ms if x.latency_ms is None else number(x.latency_ms, "latency_ms", 0, 86_400_000),
        x.status_code,
        None if x.error is None else prose(x.error, "error"),
        clean(x.probe, "probe") if x.probe else None,
        None if x.cert_expires_at is None else c.beside(x.cert_expires_at, "cert_expires_at"),
        None if x.content_changed_at is None else c.beside(x.content_changed_at, "content_changed_at"),
    )


def _sync_run(x: r.SyncRun, c: Context) -> Row:
    started = c.us(x.started_at, "started_at")
    finished = c.maybe_us(x.finished_at, "finished_at")
    _ordered(started, finished, "finished_at")
    return (
        c.source,
        c.clean(x.id, "id"),
        c.opd(x.opd),
        c.clean(x.system, "system"),
        c.clean(x.interface, "interface"),
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


def _employee(code: str, c: Context) -> str:
    if looks_personal(code):
        raise Bad("looks_personal", "employee", secret=code)
    return c.clean(code, "employee")


def _attendance(x: r.Attendance, c: Context) -> Row:
    at = c.us(x.at, "at")
    return (
        c.source,
        c.clean(x.id, "id"),
        c.opd(x.opd),
        _employee(x.employee, c),
        at,
        x.kind,
        c.maybe_clean(x.device, "device"),
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
        c.clean(x.id, "id"),
        c.opd(x.opd),
        _date(x.day, "day", _year_ahead(c.now_us)),
        _employee(x.employee, c),
        x.category,
        c.maybe_clean(x.shift, "shift"),
    )


def _ledger(x: r.Ledger, c: Context) -> Row:
    return (
        c.source,
        c.clean(x.id, "id"),
        c.opd(x.opd),
        x.year,
        c.clean(x.code, "code"),
        x.stage,
        number(x.amount, "amount", -1e15, 1e15),
        c.us(x.updated_at, "updated_at"),
        c.maybe_clean(x.name, "name"),
        c.maybe_clean(x.document, "document"),
    )


def _milestone(x: r.Milestone, c: Context) -> Row:
    return (
        c.source,
        c.clean(x.id, "id"),
        c.opd(x.opd),
        c.clean(x.title, "title"),
        _date(x.due_on, "due_on"),
        c.us(x.updated_at, "updated_at"),
        _date(x.done_on, "done_on") if x.done_on else None,
        c.maybe_clean(x.kind, "kind"),
        c.maybe_clean(x.programme, "programme"),
        number(x.budget, "budget", 0, 1e15),
        number(x.progress, "progress", 0, 1),
    )


def _message(x: r.Message, c: Context) -> Row:
    return (
        c.source,
        c.clean(x.id, "id"),
        c.clean(x.request, "request"),
        c.us(x.at, "at"),
        x.author,
        mask(c.clean(x.text, "text")),
        c.maybe_clean(x.channel, "channel"),
    )


def _application(x: r.Application, c: Context) -> Row:
    # An entry without a time of its own is as new as its arrival; the pipeline lays no weight on it.
    updated = (
        c.us(x.updated_at, "updated_at") if x.updated_at else c.now_us - FUTURE // timedelta(microseconds=1)
    )
    opd = c.maybe_clean(x.opd, "opd")
    owner = prose(x.owner, "owner")
    return (
        c.source,
        c.clean(x.id, "id"),
        c.clean(x.app or x.id, "app"),
        updated,
        c.maybe_clean(x.name, "name"),
        opd if opd in c.opds else None,
        owner or (opd if opd not in c.opds else None),
        c.maybe_clean(x.url, "url"),
        c.maybe_clean(x.hosting, "hosting"),
        c.maybe_clean(x.kind, "kind"),
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
