"""`./run bench database`: a department's large MariaDB table, read by its watermark into a store.

A table of checks with an index on its watermark is filled, in its middle a bulk UPDATE's worth of rows
that share one moment. The real DatabaseSource reads it in a process of its own into a PostgreSQL with
fsync on (`--store none`: into nothing, which leaves what reading alone costs). In the same run plain
pymysql streams rows of the same query and drops them: the floor.

Keys of the result: `rows_per_s`, `floor_per_s` and `of_floor`; `rss_mib` the most memory the reader held;
`page_ms_p50` and `page_ms_max` a page's statement; `longest_source_transaction_s` the longest time one
transaction was open on MariaDB, and `floor_transaction_s` how long the floor's was; `lost` and `twice`
against the table; `idle_poll_ms` a poll that finds nothing and `changed_poll_ms` one that finds 1,000
changed rows, in the full table; `elsewhere` the share of the machine that other processes took.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
import pymysql
from sqlalchemy import make_url

from benchmarks.events import CONFIG
from benchmarks.numbers import positive
from benchmarks.processes import Elsewhere
from tests.keeper import Keeper
from tests.servers import MariaDb, Postgres

_APPS = 200
_TIES = 50_000
_CHANGED = 1_000
_COLUMNS = "nomor, app, diperiksa, hidup, latensi"
_QUERY = f"SELECT {_COLUMNS} FROM pemeriksaan WHERE diperiksa >= {{since}} ORDER BY diperiksa"
_SETTINGS = """\
extends = "{base}"

[store]
url = "{store}"

[[source]]
name = "pemantau"
type = "database"
feed = "uptime_check"
url = "{url}"
query = "{query}"
watermark = "diperiksa"
timezone = "UTC"

[source.map]
id = "to_string(nomor)"
app = "app"
observed_at = "diperiksa"
up = "hidup == `1`"
latency_ms = "latensi"
"""


def run(argv: list[str]) -> dict[str, object]:
    """Measures as the arguments say."""
    parser = argparse.ArgumentParser(prog="run bench database", description="Measure a database source.")
    parser.add_argument("--rows", type=positive, default=10_000_000, metavar="N")
    parser.add_argument("--floor-rows", type=positive, default=1_000_000, help="streamed for the floor")
    parser.add_argument("--store", choices=("postgresql", "none"), default="postgresql")
    args = parser.parse_args(argv)
    keeper = Keeper()
    try:
        return _measured(keeper, args)
    finally:
        keeper.close()


def _measured(keeper: Keeper, args: argparse.Namespace) -> dict[str, object]:
    department = Department(MariaDb(keeper), args.rows)
    _say(f"filled {args.rows} rows in {department.filled_s:.0f} s")
    elsewhere = Elsewhere()
    floor_s = department.stream(min(args.floor_rows, args.rows))
    floor = min(args.floor_rows, args.rows) / floor_s
    _say(f"floor: {floor:.0f} rows a second")
    store = Postgres(keeper, durable=True) if args.store == "postgresql" else None
    store_url = store.fresh() if store else "sqlite:///unused.db"
    reader = Reader(keeper, store_url, department.url, discard=store is None)
    whole = reader.poll()
    _say(f"read: {whole}")
    share = elsewhere.share()
    idle = [reader.poll()["seconds"] for _ in range(5)]
    department.change()
    changed = reader.poll()
    rate = whole["rows"] / whole["seconds"]
    return {
        "rows": args.rows,
        "store": args.store,
        "rows_per_s": round(rate),
        "floor_per_s": round(floor),
        "of_floor": round(rate / floor, 3),
        "rss_mib": round(changed["rss_mib"]),
        "pages": whole["pages"],
        "page_ms_p50": round(whole["page_ms_p50"], 1),
        "page_ms_max": round(whole["page_ms_max"], 1),
        "longest_source_transaction_s": round(whole["longest_source_transaction_s"], 3),
        "floor_transaction_s": round(floor_s, 1),
        "idle_poll_ms": round(sorted(idle)[2] * 1000, 1),
        "changed_rows": changed["rows"],
        "changed_poll_ms": round(changed["seconds"] * 1000),
        "seconds": round(whole["seconds"], 1),
        "elsewhere": round(share, 2),
        **(_counted(store_url, args.rows) if store else {"lost": args.rows - whole["rows"]}),
    }


class Department:
    """A MariaDB with one large table. 200 applications are looked at once in 40 seconds."""

    def __init__(self, server: MariaDb, rows: int) -> None:
        self.url = server.fresh()
        self._rows = rows
        began = time.monotonic()
        span = timedelta(seconds=rows * 40 / _APPS + 3600)
        start = f"{datetime.now(UTC) - span:%Y-%m-%d %H:%M:%S}"
        first = rows // 2
        # Rows of one application and one moment would be one check: ties are spread over all of them.
        moment = f"IF(seq BETWEEN {first} AND {first + min(_TIES, rows // 10) - 1}, {first}, seq)"
        self._execute(
            "CREATE TABLE pemeriksaan (nomor BIGINT PRIMARY KEY, app VARCHAR(60) NOT NULL,"
            " diperiksa DATETIME(3) NOT NULL, hidup TINYINT NOT NULL, latensi INT NOT NULL)",
            f"INSERT INTO pemeriksaan SELECT seq, CONCAT('layanan-', seq MOD {_APPS}, '.kota.go.id'),"
            f" '{start}' + INTERVAL {moment} * 200 * 1000 MICROSECOND,"
            f" (seq DIV 7) MOD 500 <> 0, 40 + seq MOD 90 FROM seq_1_to_{rows}",
            "CREATE INDEX menurut_waktu ON pemeriksaan (diperiksa)",
            "ANALYZE TABLE pemeriksaan",
        )
        self.filled_s = time.monotonic() - began

    def stream(self, rows: int) -> float:
        """Seconds until pymysql has streamed that many rows of the query and dropped them."""
        began = time.perf_counter()
        with self._connect() as connection, connection.cursor(pymysql.cursors.SSCursor) as cursor:
            cursor.execute(_QUERY.format(since="'2000-01-01'") + f" LIMIT {rows}")
            while cursor.fetchmany(2_000):
                pass
        return time.perf_counter() - began

    def change(self) -> None:
        """Gives the last 1,000 rows another answer, at a later moment."""
        where = f"nomor > {self._rows - _CHANGED}"
        self._execute(
            f"UPDATE pemeriksaan SET nomor = nomor + {self._rows}, diperiksa = diperiksa + INTERVAL 10 MINUTE"
            f" WHERE {where} ORDER BY nomor DESC"
        )

    def _connect(self) -> pymysql.Connection[pymysql.cursors.Cursor]:
        url = make_url(self.url)
        assert url.host is not None
        return pymysql.connect(
            host=url.host, port=url.port or 0, user="root", database=url.database, autocommit=True
        )

    def _execute(self, *statements: str) -> None:
        with self._connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


class Reader:
    """The process that reads; a line to it is a poll."""

    def __init__(self, keeper: Keeper, store: str, url: str, *, discard: bool) -> None:
        config = keeper.subfolder("reader") / "config.toml"
        query = _QUERY.format(since=":since")
        config.write_text(_SETTINGS.format(base=CONFIG, store=store, url=url, query=query))
        argv = [sys.executable, "-m", "benchmarks.database_reader", str(config), *(["discard"] * discard)]
        self._process = subprocess.Popen(
            argv, cwd=Path(__file__).resolve().parent.parent,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def poll(self) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("poll\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("run bench database: the reader ended; its reason stands above")
        found: dict[str, Any] = json.loads(line)
        return found


def _counted(store: str, rows: int) -> dict[str, int]:
    """What the store holds of the table's rows, without the 1,000 that came last."""
    connection = psycopg2.connect(store.replace("+psycopg2", ""))
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM uptime_check")
        (facts,) = cursor.fetchone() or (0,)
        cursor.execute("SELECT coalesce(sum(accepted), 0), coalesce(sum(rejected), 0) FROM source_state")
        accepted, rejected = cursor.fetchone() or (0, 0)
    connection.close()
    wanted = rows + _CHANGED
    return {"lost": wanted - facts, "twice": int(accepted) - facts, "rejected": int(rejected)}


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
