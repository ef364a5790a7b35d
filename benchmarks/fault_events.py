"""Numbered events of four feeds as one source sends them, and what has to be in the facts for each."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from kpis.store import micros

_WIB = timezone(timedelta(hours=7))
_SPAN = timedelta(days=3)
_FEEDS = {"uptime_check": 40, "attendance": 25, "sync_run": 10, "service_request": 25}
_STEPS = ("received", "verified", "assigned", "in_progress", "answered", "closed")
_OPD = ("diskominfo", "dlh", "dishub", "dinkes", "bkad")


@dataclass(frozen=True, slots=True)
class Event:
    """One message: event `id` of `feed`; `version` is a request's `updated_at` in microseconds."""

    feed: str
    id: str
    version: int | None
    payload: bytes


def events(count: int, seed: int, until: datetime) -> list[Event]:
    """`count` events in the order of their times, the newest just before `until`. Half of what comes
    about requests is news of an earlier one. The same seed and `until` give the same events."""
    draw = random.Random(seed)
    requests: list[dict[str, Any]] = []
    step = _SPAN / (count + 1)
    found = []
    for number in range(count):
        at = until.astimezone(_WIB) - _SPAN + number * step
        (feed,) = draw.choices(list(_FEEDS), weights=list(_FEEDS.values()))
        found.append(_MAKERS[feed](number, at, draw, requests))
    return found


def topics(made: Sequence[Event], source: str) -> list[str]:
    return [f"city/v1/{event.feed}/{source}" for event in made]


def _event(feed: str, record: dict[str, Any], version: int | None = None) -> Event:
    return Event(feed, record["id"], version, json.dumps(record, separators=(",", ":")).encode())


def _time(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


def _uptime_check(number: int, at: datetime, draw: random.Random, _requests: object) -> Event:
    up = draw.random() > 0.02
    record = {
        "id": f"cek-{number:09d}",
        "app": f"layanan-{draw.randrange(120):03d}.kota.go.id",
        "observed_at": _time(at),
        "up": up,
        "latency_ms": round(draw.lognormvariate(4.8, 0.5), 1),
        "status_code": 200 if up else 503,
        "probe": "pusat-data-1",
    }
    return _event("uptime_check", record)


def _attendance(number: int, at: datetime, draw: random.Random, _requests: object) -> Event:
    record = {
        "id": f"presensi-{number:09d}",
        "opd": draw.choice(_OPD),
        "employee": f"pegawai-{draw.randrange(4000):05d}",
        "at": _time(at),
        "kind": draw.choice(("in", "out")),
        "device": f"mesin-{draw.randrange(60):02d}",
        "doubtful": draw.random() < 0.02,
    }
    return _event("attendance", record)


def _sync_run(number: int, at: datetime, draw: random.Random, _requests: object) -> Event:
    record = {
        "id": f"sinkron-{number:09d}",
        "opd": draw.choice(_OPD),
        "system": draw.choice(("sipd", "simpeg", "siak")),
        "interface": "harian",
        "started_at": _time(at - timedelta(minutes=3)),
        "finished_at": _time(at),
        "ok": draw.random() > 0.05,
        "rows_read": draw.randrange(10_000),
        "rows_rejected": draw.randrange(10),
        "data_as_of": _time(at - timedelta(hours=1)),
    }
    return _event("sync_run", record)


def _service_request(number: int, at: datetime, draw: random.Random, requests: list[dict[str, Any]]) -> Event:
    if requests and draw.random() < 0.5:
        place = draw.randrange(len(requests))
        record = requests[place]
        record["status"] = _STEPS[_STEPS.index(record["status"]) + 1]
        if record["status"] == "closed":
            record["closed_at"] = _time(at)
            requests[place] = requests[-1]
            requests.pop()
    else:
        record = {
            "id": f"aduan-{number:09d}",
            "opd": draw.choice(_OPD),
            "opened_at": _time(at),
            "status": "received",
            "class": "complaint",
            "category": "jalan rusak",
            "channel": "aplikasi",
            "due_at": _time(at + timedelta(days=2)),
        }
        requests.append(record)
    return _event("service_request", {**record, "updated_at": _time(at)}, micros(at))


_MAKERS = {
    "uptime_check": _uptime_check,
    "attendance": _attendance,
    "sync_run": _sync_run,
    "service_request": _service_request,
}
