"""Fills a store of the first release with a small city's first months, and dumps it.

    python -m tests.data.first_release.make FOLDER

from the tree of the commit that README.md names. `batches` is what was sent; the tests send it again.
"""

from __future__ import annotations

import gzip
import json
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingest.arrivals import Arrival, Position

Batch = tuple[datetime, list[Arrival], Position | None]

LAST = datetime(2026, 8, 19, 3, 0, tzinfo=UTC)
_FIRST = datetime(2026, 5, 20, 3, 0, tzinfo=UTC)
_OPDS = ("dinkes", "dishub", "damkar")
_APPS = ("lapor.kota.go.id", "ppid.kota.go.id", "siak.kota.go.id", "web")
_WIB = timedelta(hours=7)


def _text(at: datetime) -> str:
    return at.isoformat()


def _days() -> Iterator[datetime]:
    """03:00 UTC of every day, that is 10:00 of the city's."""
    at = _FIRST
    while at <= LAST:
        yield at
        at += timedelta(days=1)


def _checks(day: datetime, dice: random.Random) -> Iterator[dict[str, Any]]:
    """One check a day and application, and an hour of five-minute checks with an outage on some days."""
    for app in _APPS:
        at = day - timedelta(minutes=dice.randrange(60, 600))
        up = dice.random() > 0.1
        yield {"id": f"{app}-{day:%m%d}", "app": app, "observed_at": _text(at), "up": up, "latency_ms": 80.5}
    if day.day == 15:
        for number in range(12):
            at = day - timedelta(minutes=60 - 5 * number)
            yield {"id": f"siak-{at:%m%d%H%M}", "app": "siak.kota.go.id", "observed_at": _text(at),
                   "up": not 4 <= number < 7, "status_code": 503 if 4 <= number < 7 else 200,
                   "error": "upstream\ttimed out" if number == 4 else None}  # fmt: skip
    if day.day == 1:
        # The two instants on either side of a month's bound, in UTC and in the city's own time.
        for zone, bound in (("utc", day.replace(hour=0)), ("wib", day.replace(hour=0) - _WIB)):
            for side, at in (("before", bound - timedelta(microseconds=1)), ("at", bound)):
                yield {"id": f"{zone}-{side}-{day:%m}", "app": "web", "observed_at": _text(at), "up": True}


def _syncs(day: datetime, dice: random.Random) -> Iterator[dict[str, Any]]:
    for opd in _OPDS[:2]:
        at = day - timedelta(hours=dice.randrange(1, 9))
        yield {"id": f"{opd}-{day:%m%d}", "opd": opd, "system": "simpus", "interface": "pasien",
               "started_at": _text(at), "ok": dice.random() > 0.2, "rows_read": dice.randrange(1000),
               "data_as_of": _text(at - timedelta(hours=1)), "matched": 97, "unmatched": 3}  # fmt: skip
    if day.day == 1:
        bound = day.replace(hour=0)
        yield {"id": f"bound-{day:%m}", "opd": "damkar", "system": "pos", "interface": "unit",
               "started_at": _text(bound - timedelta(microseconds=1)), "ok": True}  # fmt: skip


def _clocks(day: datetime, dice: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(2 if day.isoweekday() < 6 else 0):
        who = f"p{dice.randrange(10):02}"
        at = day.replace(hour=0) + timedelta(minutes=dice.randrange(60) + number)
        yield {"id": f"in-{at:%m%d}-{number}", "opd": "dinkes", "employee": who, "at": _text(at),
               "kind": "in", "doubtful": number == 1, "device": "pintu 1"}  # fmt: skip
    if day.day in (1, 19):
        at = day.replace(hour=0) - _WIB
        yield {"id": f"out-{at:%m%d}", "opd": "dishub", "employee": "q01", "at": _text(at), "kind": "out"}
        yield {"id": f"out-{at:%m%d}-before", "opd": "dishub", "employee": "q02",
               "at": _text(at - timedelta(microseconds=1)), "kind": "out"}  # fmt: skip


def _categories(day: datetime, dice: random.Random) -> Iterator[dict[str, Any]]:
    if dice.random() < 0.5:
        yield {"id": f"k-{day:%m%d}", "opd": "dinkes", "day": f"{day:%Y-%m-%d}", "employee": "p09",
               "category": dice.choice(("cuti", "sakit", "hadir", "dinas_luar"))}  # fmt: skip


def _requests(day: datetime, dice: random.Random) -> Iterator[dict[str, Any]]:
    """One opened a day; its later versions replace the first ones."""
    opened = day - timedelta(hours=2)
    number = f"{opened:%m%d}"
    first = {"id": number, "opd": dice.choice(_OPDS), "opened_at": _text(opened), "updated_at": _text(opened),
             "status": "received", "class": "complaint", "kelurahan": "Kampung Baru",
             "due_at": _text(opened + timedelta(days=5)), "text": "Lampu jalan mati di gang 3"}  # fmt: skip
    yield first
    if (ending := opened + timedelta(days=dice.randrange(1, 40))) <= LAST:
        status = dice.choice(("closed", "closed", "rejected", "answered"))
        closed = _text(ending) if status == "closed" else None
        yield {**first, "updated_at": _text(ending), "status": status, "closed_at": closed,
               "answered_at": _text(opened + timedelta(hours=5))}  # fmt: skip


def _messages(day: datetime, _dice: random.Random) -> Iterator[dict[str, Any]]:
    if day.day % 3 == 0:
        yield {"id": f"p{day:%m%d}", "request": f"{day:%m%d}", "at": _text(day - timedelta(hours=1)),
               "author": "citizen", "text": "Kapan diperbaiki? Hubungi 081234567890"}  # fmt: skip


def _lists() -> Iterator[tuple[str, dict[str, Any]]]:
    """What has versions and no days: the inventory, the ledger, milestones."""
    for moment in (_FIRST, LAST - timedelta(days=3)):
        at = _text(moment)
        for app in _APPS:
            yield "application", {"id": app, "name": f"Aplikasi {app}", "opd": "dinkes", "updated_at": at}
        for number, stage in enumerate(("plan", "budget", "procurement", "contract", "realisation")):
            yield "ledger", {"id": f"l{number}", "opd": "dishub", "year": 2026, "code": "1.02.01",
                             "stage": stage, "amount": 1000.25 * moment.month, "updated_at": at}  # fmt: skip
        yield "milestone", {"id": "m1", "opd": "damkar", "title": "Sambung pos", "due_on": "2026-12-01",
                            "updated_at": at, "progress": moment.month / 10}  # fmt: skip
    yield "attendance_day", {"id": "ahead", "opd": "dinkes", "day": "2027-02-01", "employee": "p01",
                             "category": "cuti"}  # fmt: skip
    yield "uptime_check", {"id": "oldest", "app": "web", "observed_at": "2000-01-01T00:00:00Z", "up": True}


def _wrong() -> Iterator[tuple[str, bytes]]:
    """What could not be used, and why it stays a reject for ever."""
    yield "uptime_check", b'{"id": "x1", "app": "web"'
    yield "uptime_check", b'{"id": "x2", "app": "web", "observed_at": "1999-12-31T00:00:00Z", "up": true}'
    yield (
        "uptime_check",
        b'{"id": "oldest", "app": "other", "observed_at": "2000-01-01T00:00:00Z", "up": true}',
    )
    yield "service_request", b'{"id": "x4", "opd": "dlh", "status": "received"}'
    yield "attendance", (b'{"id": "x5", "opd": "dinkes", "employee": "3273012509870001",'
                         b' "at": "2026-08-01T00:00:00Z", "kind": "in"}')  # fmt: skip


_DAILY = (
    ("uptime_check", "pemantau", _checks), ("sync_run", "jembatan", _syncs), ("attendance", "mesin", _clocks),
    ("attendance_day", "mesin", _categories), ("service_request", "sp4n", _requests),
    ("message", "sp4n", _messages),
)  # fmt: skip


def _arrival(feed: str, source: str, payload: bytes, at: datetime) -> Arrival:
    return Arrival(source, source, feed, payload, at, "mqtt", f"city/v1/{feed}/{source}")


def batches() -> Iterator[Batch]:
    """Everything that was sent, in its order: the clock's time, the arrivals, how far the source was read."""
    lists = [_arrival(feed, "daftar", json.dumps(record).encode(), LAST) for feed, record in _lists()]
    yield LAST, lists, Position("daftar", "2026-08-16")
    dice = random.Random(2026)
    days = [[(feed, source, record) for feed, source, make in _DAILY for record in make(day, dice)]
            for day in _days()]  # fmt: skip
    for day, records in zip(_days(), days, strict=True):
        sent = [_arrival(feed, source, json.dumps(r).encode(), day) for feed, source, r in records]
        yield LAST, sent, Position("sp4n", _text(day))
    wrong = [_arrival(feed, "daftar", payload, LAST) for feed, payload in _wrong()]
    yield LAST, wrong, None
    yield LAST, wrong[:1], None


def fill(url: str) -> None:
    """Sends `batches`, lets one reject be replayed after the list of OPD was mended, and judges."""
    from ingest.evaluate import Evaluator
    from ingest.replay import replay
    from tests.pipeline.world import city, record

    at = LAST
    with city(url, lambda: at, kpi={"requests_open": {"target": 10, "act": 30}}) as world:
        for moment, arrivals, position in batches():
            at = moment
            world.pipeline.take(arrivals, position)
        world.take("service_request", record("service_request", id="late", opd="dukcapil"))
        extra = {"opd": [{"code": code, "name": code} for code in (*_OPDS, "dukcapil")]}
        world.with_settings(city=extra)
        replay(world.store, world.settings, world.now, "asal")
        world.pipeline.heard("gudang", "database", "no route to host")
        for hours in (26, 2, 1, 0):
            at = LAST - timedelta(hours=hours)
            Evaluator(world.store, world.settings, lambda then=at: then).cycle(everything=True)


def _write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def main(folder: Path) -> None:
    from tests.keeper import Keeper
    from tests.servers import Postgres

    keeper = Keeper()
    try:
        file = keeper.subfolder("sqlite") / "pendopo.db"
        fill(f"sqlite:///{file}")
        with sqlite3.connect(file) as connection:
            _write(folder, "sqlite.sql.gz", "\n".join(connection.iterdump()) + "\n")
        server = Postgres(keeper)
        url = server.fresh()
        fill(url)
        dump = [server._bin / "pg_dump", "--no-owner", "--inserts", "--rows-per-insert=200",
                "--dbname", url.replace("+psycopg2", "")]  # fmt: skip
        text = subprocess.run(dump, capture_output=True, text=True, check=True).stdout
        # psql's own lines (\restrict) are of no use to a driver.
        lines = [line for line in text.splitlines() if not line.startswith("\\")]
        _write(folder, "postgres.sql.gz", "\n".join(lines) + "\n")
    finally:
        keeper.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
