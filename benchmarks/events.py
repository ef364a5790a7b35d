"""Records as sources send them, for benchmarks: ids unique, times in order, the same for the same seed."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

CONFIG = Path(__file__).resolve().parent.parent / "config.toml"
APPS = 200
_PEOPLE = 4_000
_WIB = timezone(timedelta(hours=7))
_SEED = 2026


def messages(feed: str, count: int, until: datetime) -> Iterator[tuple[str, bytes]]:
    """`count` topics and payloads of about 250 bytes of one feed, the newest just before `until`."""
    records = {"uptime_check": _uptime_checks, "attendance": _attendance}[feed]
    topic = f"city/v1/{feed}/benchmark"
    for record in records(count, until.astimezone(_WIB)):
        yield topic, json.dumps(record, separators=(",", ":")).encode()


def _uptime_checks(count: int, until: datetime) -> Iterator[dict[str, object]]:
    """200 applications, each looked at every 40 s; one look in 500 begins an outage of five."""
    draw = random.Random(_SEED)
    start = until - timedelta(seconds=40) * (count // APPS + 2)
    down = [0] * APPS
    for number in range(count):
        turn, app = divmod(number, APPS)
        down[app] = max(down[app] - 1, 0) or (5 if draw.random() < 0.002 else 0)
        at = start + timedelta(seconds=40 * turn + app / 5, milliseconds=draw.randrange(200))
        yield {
            "id": f"check-{number:09d}",
            "app": f"layanan-{app:03d}.kota.go.id",
            "observed_at": at.isoformat(timespec="milliseconds"),
            "up": not down[app],
            "latency_ms": round(draw.lognormvariate(4.8, 0.5), 1),
            "status_code": 503 if down[app] else 200,
            "probe": "pusat-data-1",
            "cert_expires_at": (until + timedelta(days=app)).isoformat(timespec="seconds"),
            **({"error": "Service Unavailable"} if down[app] else {"url": "https://kota.go.id/"}),
        }


def _attendance(count: int, until: datetime) -> Iterator[dict[str, object]]:
    """4,000 people who come and go, day after day up to the day before `until`."""
    draw = random.Random(_SEED)
    city = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["city"]
    codes = [opd["code"] for opd in city["opd"]]
    midnight = until.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight - timedelta(days=(count - 1) // (2 * _PEOPLE) + 1)
    for number in range(count):
        half_day, person = divmod(number, _PEOPLE)
        day, leaves = divmod(half_day, 2)
        hours = (16.0 if leaves else 6.9) + person / _PEOPLE + draw.random() / 60
        yield {
            "id": f"presensi-{number:09d}",
            "opd": codes[person % len(codes)],
            "employee": f"pegawai-{person:05d}",
            "at": (first + timedelta(days=day, hours=hours)).isoformat(timespec="milliseconds"),
            "kind": "out" if leaves else "in",
            "device": f"mesin-{person % 60:02d}, lobi gedung {person % 12:02d}, pintu {person % 3}",
            "doubtful": draw.random() < 0.01,
            "photo": f"https://presensi.kota.go.id/foto/{number:012x}",
        }
