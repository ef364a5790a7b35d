"""The database of an OPD of the pretend city: personnel, budget and sync log, with its own column names.

Ingest only reads it, through the same database source as a real department's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from ingest.demo import people, systems
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

    def fill(self, start: float, end: float) -> None:
        """Rows that fall in (start, end]."""
        city = self._city
        with closing(self._open()) as db, db:
            for day in city.days.span(city.days.of(start), city.days.of(end)):
                self._categories(db, day, start, end)
            self._sync(db, start, end)

    def begin(self, now: float) -> None:
        """This year's budget chain, entered some days before `now`."""
        changed = stamp(now - 30 * HOUR)
        year = self._city.days.of(now).year
        rows = ((*row, changed) for row in systems.ledger(self._city, year))
        with closing(self._open()) as db, db:
            _put(db, "anggaran", 8, rows)

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

    def _sync(self, db: sqlite3.Connection, start: float, end: float) -> None:
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
            for link, r in systems.runs(self._city, start, end)
            if link.by_database
        )
        _put(db, "sinkronisasi", 14, sorted(rows, key=lambda row: row[-1]))


def _put(db: sqlite3.Connection, table: str, width: int, rows: Iterable[tuple[Any, ...]]) -> None:
    marks = ", ".join("?" * width)
    db.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", rows)  # noqa: S608  own names
