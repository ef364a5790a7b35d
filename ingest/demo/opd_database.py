"""The database of an OPD of the pretend city: personnel, budget, sync log and road map, with its own
column names.

Ingest only reads it, through the same database source as a real department's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from ingest.demo import people, roadmap, systems
from ingest.demo.city import City
from ingest.demo.days import HOUR, stamp

_TABLES = """
CREATE TABLE IF NOT EXISTS kepegawaian (
  nomor TEXT PRIMARY KEY, unit TEXT, tanggal TEXT, pegawai TEXT, keterangan TEXT, diubah TEXT);
CREATE INDEX IF NOT EXISTS kepegawaian_diubah ON kepegawaian (diubah);
CREATE TABLE IF NOT EXISTS anggaran (
  nomor TEXT PRIMARY KEY, unit TEXT, tahun INTEGER, kode TEXT, tahap TEXT, nilai REAL, uraian TEXT,
  diubah TEXT);
CREATE INDEX IF NOT EXISTS anggaran_diubah ON anggaran (diubah);
CREATE TABLE IF NOT EXISTS sinkronisasi (
  nomor TEXT PRIMARY KEY, unit TEXT, sistem TEXT, antarmuka TEXT, mulai TEXT, selesai TEXT,
  berhasil INTEGER,
  dibaca INTEGER, ditolak INTEGER, data_per TEXT, cocok INTEGER, tidak_cocok INTEGER, galat TEXT,
  diubah TEXT);
CREATE INDEX IF NOT EXISTS sinkronisasi_diubah ON sinkronisasi (diubah);
CREATE TABLE IF NOT EXISTS peta_jalan (
  nomor TEXT PRIMARY KEY, unit TEXT, judul TEXT, tenggat TEXT, selesai TEXT, jenis TEXT, program TEXT,
  anggaran REAL, kemajuan REAL, diubah TEXT, akan_selesai TEXT);
CREATE INDEX IF NOT EXISTS peta_jalan_diubah ON peta_jalan (diubah);
"""

SOURCES: tuple[dict[str, Any], ...] = (
    {
        "name": "simpeg",
        "feed": "attendance_day",
        "interval": "36h",
        "query": "SELECT * FROM kepegawaian WHERE diubah >= :since ORDER BY diubah",
        "map": {
            "id": "nomor",
            "opd": "unit",
            "day": "tanggal",
            "employee": "pegawai",
            "category": "keterangan",
        },
    },
    {
        "name": "sipd",
        "feed": "ledger",
        "interval": "36h",
        "query": "SELECT * FROM anggaran WHERE diubah >= :since ORDER BY diubah",
        "map": {
            "id": "nomor",
            "opd": "unit",
            "year": "tahun",
            "code": "kode",
            "stage": "tahap",
            "amount": "nilai",
            "name": "uraian",
            "updated_at": "diubah",
        },
    },
    {
        "name": "sinkron",
        "feed": "sync_run",
        "interval": "2h",
        "query": "SELECT * FROM sinkronisasi WHERE diubah >= :since ORDER BY diubah",
        "map": {
            "id": "nomor",
            "opd": "unit",
            "system": "sistem",
            "interface": "antarmuka",
            "started_at": "mulai",
            "finished_at": "selesai",
            "ok": "berhasil == `1`",
            "rows_read": "dibaca",
            "rows_rejected": "ditolak",
            "data_as_of": "data_per",
            "matched": "cocok",
            "unmatched": "tidak_cocok",
            "error": "galat",
        },
    },
    {
        "name": "petajalan",
        "feed": "milestone",
        "interval": "36h",
        "query": "SELECT * FROM peta_jalan WHERE diubah >= :since ORDER BY diubah",
        "map": {
            "id": "nomor",
            "opd": "unit",
            "title": "judul",
            "due_on": "tenggat",
            "done_on": "selesai",
            "kind": "jenis",
            "programme": "program",
            "budget": "anggaran",
            "progress": "kemajuan",
            "updated_at": "diubah",
        },
    },
)
_CATEGORIES_AT_S = 9 * HOUR


class OpdDatabase:
    """Writes what the offices would enter up to a moment; the same moment again changes nothing."""

    def __init__(self, path: Path, city: City) -> None:
        self._city = city
        self._path = path
        with closing(self._open()) as db:
            db.executescript(_TABLES)

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=30)
        db.execute("PRAGMA journal_mode=WAL")
        return db

    def fill(self, start: float, end: float, began: float = 0.0) -> None:
        """Rows that fall in (start, end]; `began` is when the demo did."""
        city = self._city
        with closing(self._open()) as db, db:
            for day in city.days.span(city.days.of(start), city.days.of(end)):
                self._categories(db, day, start, end)
            self._sync(db, start, end, began)
            self._keep_promises(db, end)

    def begin(self, now: float) -> None:
        """This year's budget chain and the road map, entered some days before `now`."""
        changed = stamp(now - 30 * HOUR)
        year = self._city.days.of(now).year
        rows = ((*row, changed) for row in systems.ledger(self._city, year))
        with closing(self._open()) as db, db:
            _put(db, "anggaran", 8, rows)
            _put(db, "peta_jalan", 11, self._promises(now, changed))

    def _promises(self, now: float, changed: str) -> Iterator[tuple[Any, ...]]:
        today = self._city.days.of(now)
        for one in roadmap.milestones(self._city, now):
            kept = one.done if one.done is not None and one.done < today else None
            yield (
                one.id, one.opd, one.title, str(one.due), _text(kept), one.kind, one.programme, one.budget,
                1.0 if kept else roadmap.share_done(one, today), changed,
                _text(one.done),
            )  # fmt: skip

    def _keep_promises(self, db: sqlite3.Connection, end: float) -> None:
        """What was to be done by the day before is entered as done."""
        day = str(self._city.days.of(end - roadmap.ENTERED_AFTER_S))
        db.execute(
            "UPDATE peta_jalan SET selesai = akan_selesai, kemajuan = 1, diubah = ? "
            "WHERE selesai IS NULL AND akan_selesai < ?",
            (stamp(end), day),
        )

    def touch_road_map(self, moment: float) -> None:
        """A secretary moves one milestone that is under way on by a little: the road map is alive."""
        with closing(self._open()) as db, db:
            row = db.execute(
                "SELECT nomor, kemajuan FROM peta_jalan WHERE selesai IS NULL ORDER BY diubah, nomor LIMIT 1"
            ).fetchone()
            if row is not None:
                on = (min(round(row[1] + 0.01, 2), 0.95), stamp(moment), row[0])
                db.execute("UPDATE peta_jalan SET kemajuan = ?, diubah = ? WHERE nomor = ?", on)

    def touch_budget(self, moment: float) -> None:
        """A treasurer looks one realisation through again and saves it: the ledger is alive."""
        with closing(self._open()) as db, db:
            row = db.execute(
                "SELECT nomor FROM anggaran WHERE tahap = 'realisation' ORDER BY diubah, nomor LIMIT 1"
            ).fetchone()
            if row is not None:
                db.execute("UPDATE anggaran SET diubah = ? WHERE nomor = ?", (stamp(moment), row[0]))

    def _categories(self, db: sqlite3.Connection, day: date, start: float, end: float) -> None:
        told = self._city.days.midnight(day) + _CATEGORIES_AT_S
        if start < told <= end:
            _put(db, "kepegawaian", 6, ((*row, stamp(told)) for row in people.categories(self._city, day)))

    def _sync(self, db: sqlite3.Connection, start: float, end: float, began: float) -> None:
        rows = (
            (
                r["id"],
                r["opd"],
                r["system"],
                r["interface"],
                r["started_at"],
                r["finished_at"],
                int(r["ok"]),
                r.get("rows_read"),
                r.get("rows_rejected"),
                r.get("data_as_of"),
                r.get("matched"),
                r.get("unmatched"),
                r.get("error"),
                r["finished_at"],
            )
            for link, r in systems.runs(self._city, start, end, began)
            if link.by_database
        )
        _put(db, "sinkronisasi", 14, sorted(rows, key=lambda row: row[-1]))


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _put(db: sqlite3.Connection, table: str, width: int, rows: Iterable[tuple[Any, ...]]) -> None:
    marks = ", ".join("?" * width)
    db.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", rows)  # noqa: S608  own names
