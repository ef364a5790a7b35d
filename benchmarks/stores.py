"""The stores ingest is measured on: how far it has come, how fast the bare store takes the same rows,
and how the store goes away and comes back."""

from __future__ import annotations

import io
import sqlite3
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg2

from benchmarks.processes import cpu_s
from tests.keeper import Keeper
from tests.servers import Postgres

FLOOR_BATCH = 5_000
_FLOORS = 3
_INDEXES = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?"
_TAKEN = "SELECT coalesce(sum(accepted), 0), coalesce(sum(rejected), 0) FROM source_state"


class BenchmarkError(RuntimeError):
    """What was measured did not do what it is measured for."""


class Store(Protocol):
    """A store that can be emptied, watched and taken away."""

    name: str
    url: str

    def fresh(self) -> None:
        """Begins anew with an empty store at another `url`."""

    def accepted(self) -> int:
        """Records committed as facts so far. Raises BenchmarkError when one was rejected."""

    def floor_per_s(self, feed: str, *, keyed: bool) -> float:
        """Rows of the feed's fact table a second into an empty table of its columns, a commit per 5,000.

        `keyed` gives the table what makes a record known and found: a unique (source, id) and the
        fact's own index. Without it the table is a heap of rows, which no reader could use.
        """

    def cpu_s(self) -> float:
        """CPU seconds of the store's own processes; 0 for a store inside ingest."""

    def away(self) -> Any:
        """A context in which the store takes nothing."""

    def close(self) -> None: ...


def _accepted(row: Sequence[Any] | None) -> int:
    assert row is not None
    if row[1]:
        raise BenchmarkError(f"{row[1]} records were rejected; a good one is measured, or nothing")
    return int(row[0])


class PostgresStore:
    """A PostgreSQL of the benchmark's own with fsync on and everything else as shipped."""

    name = "postgresql"

    def __init__(self, keeper: Keeper) -> None:
        self.server = Postgres(keeper, durable=True)
        self.url = ""
        self._watch: Any = None

    def fresh(self) -> None:
        self._unwatch()
        if self.url:
            self.server.drop(self.url)
        self.url = self.server.fresh()

    def connect(self) -> Any:
        """A connection of its own to the store in use."""
        return psycopg2.connect(self.url.replace("+psycopg2", ""))

    def accepted(self) -> int:
        if self._watch is None:
            self._watch = self.connect()
            self._watch.autocommit = True
        with self._watch.cursor() as cursor:
            cursor.execute(_TAKEN)
            return _accepted(cursor.fetchone())

    def floor_per_s(self, feed: str, *, keyed: bool) -> float:
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            whole = io.StringIO()
            cursor.copy_expert(f"COPY (SELECT * FROM {feed}) TO STDOUT", whole)
            cursor.execute("DROP TABLE IF EXISTS floor")
            cursor.execute(f"CREATE TABLE floor (LIKE {feed}{' INCLUDING INDEXES' if keyed else ''})")
            if keyed:
                cursor.execute("CREATE UNIQUE INDEX floor_key ON floor (source, id)")
            connection.commit()
            rows = whole.getvalue().splitlines(keepends=True)
            texts = ["".join(part) for part in parts(rows)]
            return len(rows) / median([_copied_s(connection, texts) for _ in range(_FLOORS)])

    def cpu_s(self) -> float:
        return cpu_s(self.server.pid)

    @contextmanager
    def away(self) -> Iterator[None]:
        self._unwatch()
        self.server.stop()
        try:
            yield
        finally:
            self.server.start()

    def close(self) -> None:
        self._unwatch()

    def _unwatch(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = None


def _copied_s(connection: Any, texts: Sequence[str]) -> float:
    """Seconds to COPY each text into the table `floor`, which is emptied first, with a commit each."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE floor")
        connection.commit()
        files = [io.StringIO(text) for text in texts]
        began = time.perf_counter()
        for file in files:
            cursor.copy_expert("COPY floor FROM STDIN", file)
            connection.commit()
        return time.perf_counter() - began


class SqliteStore:
    """The embedded store, in a folder of the keeper's."""

    name = "sqlite"

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._path = Path()
        self.url = ""

    def fresh(self) -> None:
        self._path = self._keeper.subfolder("sqlite") / "pendopo.db"
        self.url = f"sqlite:///{self._path}"

    def accepted(self) -> int:
        with closing(sqlite3.connect(self._path, timeout=30)) as connection:
            return _accepted(connection.execute(_TAKEN).fetchone())

    def floor_per_s(self, feed: str, *, keyed: bool) -> float:
        with closing(sqlite3.connect(self._path, timeout=30)) as connection:
            rows = connection.execute(f"SELECT * FROM {feed}").fetchall()
            columns = connection.execute(f"PRAGMA table_info({feed})").fetchall()
            indexes = connection.execute(_INDEXES, (feed,)).fetchall()
        made = [f"CREATE TABLE floor ({', '.join(f'{column[1]} {column[2]}' for column in columns)})"]
        if keyed:
            made.append("CREATE UNIQUE INDEX floor_key ON floor (source, id)")
            made += [sql.replace(f" ON {feed} ", " ON floor ") for (sql,) in indexes]
        return len(rows) / median([self._inserted_s(rows, made) for _ in range(_FLOORS)])

    def _inserted_s(self, rows: Sequence[Any], made: Sequence[str]) -> float:
        """Seconds to insert the rows into a table of a file of its own, a commit per 5,000."""
        path = self._keeper.subfolder("floor") / "floor.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536"):
                connection.execute(f"PRAGMA {pragma}")
            for statement in made:
                connection.execute(statement)
            statement = f"INSERT INTO floor VALUES ({', '.join('?' * len(rows[0]))})"
            began = time.perf_counter()
            for part in parts(rows):
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(statement, part)
                connection.execute("COMMIT")
            took = time.perf_counter() - began
        path.unlink()
        return took

    def cpu_s(self) -> float:
        return 0.0

    @contextmanager
    def away(self) -> Iterator[None]:
        """Somebody else holds the one writer's place."""
        with closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    def close(self) -> None:
        return


def parts(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The rows in batches of 5,000."""
    for start in range(0, len(rows), FLOOR_BATCH):
        yield rows[start : start + FLOOR_BATCH]


def median(values: Sequence[float]) -> float:
    return float(statistics.median(values))
