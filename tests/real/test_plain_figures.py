"""Cities drawn by lot, full of edges, measured by Pendopo and by plain SQL over the same facts."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.arrivals import Arrival
from kpis import readings
from tests.real.plain_sql import plain_figures
from tests.real.world import World, open_world

NOW = datetime(2026, 8, 19, 3, 0, tzinfo=UTC)
MOMENTS = (NOW, NOW - timedelta(hours=5, minutes=17), NOW - timedelta(days=3), NOW - timedelta(days=40))
OPDS = ("dlh", "dinkes", "setda", "kosong")
CONFIG = """
[city]
name = "Kota Uji"
timezone = "Asia/Jakarta"
opd = [
  { code = "dlh", name = "DLH", employees = 12 },
  { code = "dinkes", name = "Dinkes", employees = 30 },
  { code = "setda", name = "Setda" },
  { code = "kosong", name = "Kosong", employees = 3 },
]

[store]
url = "sqlite:///pendopo.db"

[e_attendance]
shift_start = "07:30"
grace = "15m"

[opd_integration]
tolerance = 0.01

[[application]]
app = "a0"
opd = "dlh"

[[interface]]
opd = "dlh"
system = "s0"
interface = "i0"
interval = "2h"

[[interface]]
opd = "kosong"
system = "s9"
interface = "i9"

[[maintenance]]
app = "a1"
starts_at = 2026-08-18T00:00:00Z
ends_at = 2026-08-19T12:00:00Z
reason = "Ganti peladen"
"""

Record = dict[str, Any]


def _at(lots: random.Random, days: float = 70) -> datetime:
    """A moment on a grid of five minutes, so that some coincide."""
    return NOW - timedelta(minutes=5 * lots.randint(0, int(days * 288)))


def _spelled(record: Record) -> Record:
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in record.items() if v is not None}


def _request(lots: random.Random) -> Record:
    opened = _at(lots)
    ended = opened + timedelta(minutes=5 * lots.randint(0, 40 * 288))
    status = lots.choice(["received", "in_progress", "closed", "closed", "rejected", "withdrawn", "archived"])
    if ended > NOW:
        status, ended = "in_progress", opened
    return {
        "opd": lots.choice(OPDS[:3]), "opened_at": opened, "updated_at": max(ended, opened), "status": status,
        "closed_at": ended if status == "closed" and lots.random() < 0.9 else None,
        "due_at": opened + timedelta(days=lots.randint(1, 30)) if lots.random() < 0.7 else None,
        "answered_at": opened + (ended - opened) / 2 if lots.random() < 0.5 else None,
        "reopened": lots.choice([None, 0, 1, 2]), "confirmed": lots.choice([None, True, False]),
    }  # fmt: skip


def _check(lots: random.Random) -> Record:
    return {"app": f"a{lots.randint(0, 4)}", "observed_at": _at(lots, 2), "up": lots.random() < 0.8}


def _application(lots: random.Random) -> Record:
    return {
        "app": f"a{lots.randint(1, 3)}",
        "opd": lots.choice([*OPDS, "Dinas Lama"]),
        "updated_at": _at(lots),
    }


def _sync(lots: random.Random) -> Record:
    started = _at(lots, 5)
    matched = lots.randint(95, 100) if lots.random() < 0.8 else None
    return {
        "opd": lots.choice(OPDS[:2]), "system": f"s{lots.randint(0, 1)}",
        "interface": f"i{lots.randint(0, 1)}", "started_at": started, "ok": lots.random() < 0.8,
        "rows_read": 100, "rows_rejected": lots.randint(0, 3),
        "matched": matched, "unmatched": None if matched is None else 100 - matched,
        "data_as_of": started - timedelta(hours=lots.randint(0, 60)) if lots.random() < 0.8 else None,
    }  # fmt: skip


def _ledger(lots: random.Random) -> Record:
    code = lots.randint(0, 25)
    stage = lots.choice(["plan", "budget", "procurement", "contract", "realisation"])
    amount = lots.choice([100.0, 100.0, 100.5, 102.0, 40.0])
    return {
        "opd": OPDS[code % 3], "year": 2026, "code": f"1.02.{code:02}", "stage": stage, "amount": amount,
        "updated_at": _at(lots),
    }  # fmt: skip


def _clocking(lots: random.Random) -> Record:
    return {
        "opd": lots.choice(OPDS[:3]), "employee": f"p{lots.randint(0, 14)}", "at": _at(lots, 4),
        "kind": lots.choice(["in", "out"]), "doubtful": lots.choice([None, True, False]),
    }  # fmt: skip


def _category(lots: random.Random) -> Record:
    day = (NOW - timedelta(days=lots.randint(0, 4))).date().isoformat()
    category = lots.choice(["hadir", "izin", "sakit", "cuti", "dinas_luar", "tanpa_keterangan"])
    return {
        "opd": lots.choice(OPDS[:3]), "day": day, "employee": f"p{lots.randint(0, 14)}", "category": category,
    }  # fmt: skip


MAKERS = {
    "service_request": (_request, 400),
    "uptime_check": (_check, 900),
    "application": (_application, 6),
    "sync_run": (_sync, 120),
    "ledger": (_ledger, 90),
    "attendance": (_clocking, 250),
    "attendance_day": (_category, 40),
}


def _arrivals(seed: int) -> Iterator[Arrival]:
    lots = random.Random(seed)
    for feed, (make, count) in MAKERS.items():
        for number in range(count):
            record = {"id": f"{feed}-{number}", **_spelled(make(lots))}
            yield Arrival(
                "kota", "kota", feed, json.dumps(record).encode(), NOW, "mqtt", f"city/v1/{feed}/kota"
            )


@pytest.mark.parametrize("seed", range(3))
def test_every_kpi_of_every_scope_agrees_with_plain_sql(tmp_path: Path, store_url: str, seed: int) -> None:
    arrivals = list(_arrivals(seed))
    random.Random(seed).shuffle(arrivals)
    world = open_world(tmp_path, CONFIG, lambda: NOW)
    measured = world if "sqlite" in store_url else _world_at(tmp_path / "measured", store_url)
    for each in {id(w): w for w in (world, measured)}.values():
        outcome = each.pipeline.take(arrivals)
        assert (outcome.rejected, outcome.refusals) == (0, [])
    expected = plain_figures(tmp_path / "pendopo.db", world.settings, MOMENTS)
    for at in MOMENTS:
        with measured.store.read() as conn:
            found = {key: r.value for key, r in readings.as_of(conn, measured.settings, at).items()}
        assert differing(found, expected[at]) == []
    for each in (world, measured):
        each.store.close()


def _world_at(folder: Path, store_url: str) -> World:
    """The same city on another store."""
    folder.mkdir()
    return open_world(folder, CONFIG.replace("sqlite:///pendopo.db", store_url), lambda: NOW)


def differing(found: dict[Any, float | None], expected: dict[Any, float | None]) -> list[str]:
    """What is not the same in both, missing included, in words."""
    wrong = []
    for key in sorted({*found, *expected}, key=repr):
        got, wanted = found.get(key), expected.get(key)
        same = key in found and key in expected and got is wanted
        if got is not None and wanted is not None:
            same = math.isclose(got, wanted, rel_tol=1e-9, abs_tol=1e-9)
        if not same:
            wrong.append(f"{key}: {got}, plain SQL says {wanted}")
    return wrong
