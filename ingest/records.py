"""The records of the contract as they come in: their fields, types and bounds. Unknown fields are ignored.

`RECORDS` gives the type of each feed. What a type cannot say (times in order, known OPD, finite
numbers) is checked in `ingest.rows`, where a record becomes a row of its fact table.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Code = Annotated[str, Meta(min_length=1, max_length=200)]
Label = Annotated[str, Meta(max_length=200)]
Line = Annotated[str, Meta(max_length=2_000)]
Prose = Annotated[str, Meta(max_length=20_000)]
Whole = Annotated[int, Meta(ge=0, le=2**53)]
Year = Annotated[int, Meta(ge=2000, le=2100)]


class ServiceRequest(Struct, frozen=True):
    id: Id
    opd: Code
    opened_at: datetime
    updated_at: datetime
    status: Literal[
        "received",
        "verified",
        "assigned",
        "in_progress",
        "answered",
        "closed",
        "rejected",
        "archived",
        "withdrawn",
    ]
    class_: Literal["complaint", "aspiration", "information"] | None = msgspec.field(
        default=None, name="class"
    )
    category: Label | None = None
    channel: Label | None = None
    kelurahan: Label | None = None
    kecamatan: Label | None = None
    lat: float | None = None
    lon: float | None = None
    verified_at: datetime | None = None
    assigned_at: datetime | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    due_at: datetime | None = None
    paused_days: float | None = None
    reopened: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    confirmed: bool | None = None
    text: Prose | None = None
    reply_by: Label | None = None


class UptimeCheck(Struct, frozen=True):
    id: Id
    app: Code
    observed_at: datetime
    up: bool
    latency_ms: float | None = None
    status_code: Annotated[int, Meta(ge=0, le=999)] | None = None
    error: Line | None = None
    probe: Label | None = None
    cert_expires_at: datetime | None = None
    content_changed_at: datetime | None = None


class SyncRun(Struct, frozen=True):
    id: Id
    opd: Code
    system: Code
    interface: Code
    started_at: datetime
    ok: bool
    finished_at: datetime | None = None
    rows_read: Whole | None = None
    rows_rejected: Whole | None = None
    data_as_of: datetime | None = None
    matched: Whole | None = None
    unmatched: Whole | None = None
    error: Line | None = None


class Attendance(Struct, frozen=True):
    id: Id
    opd: Code
    employee: Code
    at: datetime
    kind: Literal["in", "out"]
    device: Label | None = None
    doubtful: bool | None = None
    reason: Line | None = None


class AttendanceDay(Struct, frozen=True):
    id: Id
    opd: Code
    day: date
    employee: Code
    category: Literal["hadir", "izin", "sakit", "cuti", "dinas_luar", "tanpa_keterangan"]
    shift: Label | None = None


class Ledger(Struct, frozen=True):
    id: Id
    opd: Code
    year: Year
    code: Code
    stage: Literal["plan", "budget", "procurement", "contract", "realisation"]
    amount: float
    updated_at: datetime
    name: Line | None = None
    document: Line | None = None


class Milestone(Struct, frozen=True):
    id: Id
    opd: Code
    title: Line
    due_on: date
    updated_at: datetime
    done_on: date | None = None
    kind: Label | None = None
    programme: Label | None = None
    budget: float | None = None
    progress: float | None = None


class Message(Struct, frozen=True):
    id: Id
    request: Id
    at: datetime
    author: Literal["citizen", "opd", "mayor"]
    text: Prose
    channel: Label | None = None


class Application(Struct, frozen=True):
    """One entry of the application inventory; `app` is the id unless it is given."""

    id: Id
    app: Code | None = None
    name: Line | None = None
    opd: Label | None = None
    owner: Line | None = None
    url: Line | None = None
    hosting: Line | None = None
    kind: Label | None = None
    note: Line | None = None
    updated_at: datetime | None = None


Record = (
    ServiceRequest
    | UptimeCheck
    | SyncRun
    | Attendance
    | AttendanceDay
    | Ledger
    | Milestone
    | Message
    | Application
)

RECORDS: Mapping[str, type[Record]] = {
    "service_request": ServiceRequest,
    "uptime_check": UptimeCheck,
    "sync_run": SyncRun,
    "attendance": Attendance,
    "attendance_day": AttendanceDay,
    "ledger": Ledger,
    "milestone": Milestone,
    "message": Message,
    "application": Application,
}

# The field that an envelope's `time` fills when the record does not carry it.
MOMENT: Mapping[str, str] = {
    "service_request": "updated_at",
    "uptime_check": "observed_at",
    "sync_run": "started_at",
    "attendance": "at",
    "ledger": "updated_at",
    "milestone": "updated_at",
    "message": "at",
    "application": "updated_at",
}
