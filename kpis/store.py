"""The store behind the KPI tables: SQLite embedded, PostgreSQL in service, one schema for both.

Instants are BIGINT microseconds since 1970-01-01 UTC in every table, so that one SQL serves both
stores and compares exactly; days are the city's own dates. See docs/adr/0002-instants-as-integers.md.
"""

from __future__ import annotations

import io
import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import msgspec
import psycopg2
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from kpis.config import Settings, StoreSettings
from kpis.errors import StoreError, StoreUnavailable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

metadata = sa.MetaData()


def micros(at: datetime) -> int:
    """Microseconds since 1970 UTC of an aware instant, exact."""
    return (at - EPOCH) // _MICROSECOND


def instant(us: int) -> datetime:
    """The aware UTC instant of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=us)


def maybe_instant(us: int | None) -> datetime | None:
    return None if us is None else instant(us)


# One row per kind of change; a waiter compares versions instead of reading tables.
change_table = sa.Table(
    "change",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
)


class Store:
    """Connections to the KPI tables.

    `read()` and `write()` give a connection inside a transaction that commits on leaving and
    rolls back on an error. Both raise StoreUnavailable when the store cannot be reached.
    """

    def __init__(self, settings: StoreSettings) -> None:
        self.url = settings.url
        self.embedded = settings.embedded
        self._write_lock = threading.Lock()
        self._writer = _engine(settings, writes=True)
        self._reader = _engine(settings, writes=False) if settings.embedded else self._writer

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state."""
        with _wrapped(), self._reader.connect() as conn:
            if not self.embedded:
                conn = conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield conn
            conn.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection whose transaction commits on leaving; one at a time on the embedded store."""
        if self.embedded:
            with self._write_lock, _wrapped(), self._writer.begin() as conn:
                yield conn
        else:
            with _wrapped(), self._writer.begin() as conn:
                yield conn

    def raw(self) -> Any:
        """A DBAPI connection of its own, for LISTEN; the caller closes it. Raises StoreUnavailable."""
        with _wrapped():
            try:
                return self._writer.raw_connection()
            except psycopg2.Error as error:  # this door of SQLAlchemy's hands on the driver's own
                raise StoreUnavailable(f"the store cannot be reached: {_first_line(error)}") from error

    @contextmanager
    def alter(self) -> Iterator[Connection]:
        """Like `write()`, for moving whole tables: sorts on disk. The store is closed afterwards."""
        with _wrapped(), self._writer.connect() as conn:
            if self.embedded:
                conn.connection.cursor().execute("PRAGMA temp_store=FILE")
            with conn.begin():
                yield conn

    def create(self) -> None:
        """Makes the tables that are missing; SchemaError when another release made those that are there."""
        from kpis.schema import make_ready

        with self.write() as conn:
            make_ready(conn)

    def close(self) -> None:
        self._writer.dispose()
        self._reader.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_store(settings: Settings) -> Store:
    """The configured store with its tables made. Raises StoreUnavailable or SchemaError."""
    store = Store(settings.store)
    try:
        store.create()
    except StoreError:
        store.close()
        raise
    return store


# Classes of SQLSTATE that speak of what was written: data, constraint, and what no row may exceed
# (PostgreSQL manual, appendix A). Everything else, a missing table or a standby that only reads,
# speaks of the store: writing again may do, and no record is to blame.
_CONTENT = ("22", "23", "54")


@contextmanager
def _wrapped() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        code = getattr(error.orig, "pgcode", None) or ""
        if code[:2] in _CONTENT:
            raise StoreError(_first_line(error)) from error
        if isinstance(error, (OperationalError, InterfaceError)):
            raise StoreUnavailable(f"the store cannot be reached: {_first_line(error)}") from error
        if code or error.connection_invalidated:
            raise StoreUnavailable(f"the store cannot take it now: {_first_line(error)}") from error
        raise StoreError(_first_line(error)) from error
    except SQLAlchemyError as error:
        raise StoreError(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]


# A server that vanished without a word (a cut cable, a failed-over address) is given up within half a
# minute; the system's own patience is a quarter of an hour (libpq, "Parameter Key Words").
_PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}


def _engine(settings: StoreSettings, *, writes: bool) -> Engine:
    if not settings.embedded:
        # What the URL says of these itself holds.
        patience = {k: v for k, v in _PATIENCE.items() if k not in sa.make_url(settings.url).query}
        return sa.create_engine(
            settings.url,
            pool_pre_ping=True,
            pool_size=5,
            max_overflow=10,
            connect_args=patience,
            # Many rows of one statement go over together; the driver's own way is one round trip a row.
            executemany_mode="values_plus_batch",
        )
    path = Path(settings.url.removeprefix("sqlite:///"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"the folder {path.parent} cannot be written: {error.strerror}; choose another in store.url"
        ) from None
    engine = sa.create_engine(settings.url, connect_args={"timeout": 30, "check_same_thread": False})

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # The driver's own implicit BEGIN would start a write as a read and fail to upgrade it.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "temp_store=MEMORY",
            "cache_size=-65536",
            "mmap_size=268435456",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        conn.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def insert(conn: Connection, table: sa.Table) -> Any:
    """The dialect's INSERT, which knows ON CONFLICT."""
    return (sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert)(table)


def upsert(
    conn: Connection, table: sa.Table, key: tuple[str, ...], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Inserts the rows, or renews those whose `key` is there. All rows name the same columns.

    On PostgreSQL as one statement that unpacks JSON: the driver would send a statement a row, each of which
    the server reads and plans.
    """
    if not rows:
        return
    statement = insert(conn, table)
    if conn.dialect.name == "postgresql":
        names = [table.c[name] for name in rows[0]]
        records = sa.func.json_populate_recordset(
            sa.text(f"CAST(NULL AS {table.name})"), sa.bindparam("rows")
        )
        source = records.table_valued(*(sa.column(c.name, c.type) for c in names))
        statement = statement.from_select([c.name for c in names], sa.select(*source.c))
    changed = {name: statement.excluded[name] for name in rows[0] if name not in key}
    statement = statement.on_conflict_do_update(index_elements=list(key), set_=changed)
    if conn.dialect.name == "postgresql":
        conn.execute(statement, {"rows": msgspec.json.encode(rows).decode()})
    else:
        conn.execute(statement, rows)


def lock(conn: Connection, name: str) -> None:
    """Holds `name` for this transaction; writers of one feed follow each other, so roll-ups never race."""
    if conn.dialect.name == "postgresql":
        conn.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"pendopo.{name}"})


def bulk(conn: Connection, table: sa.Table, rows: Sequence[Sequence[Any]]) -> None:
    """Appends rows of plain values in the table's column order: COPY on PostgreSQL, one statement's
    executemany on SQLite. Values are int, float, bool, str, None; days are ISO text."""
    if not rows:
        return
    names = ", ".join(f'"{c.name}"' for c in table.columns)
    if conn.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.columns))
        statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608  own names
    else:
        # The text is UTF-8 whatever the connection speaks, which follows the database's own encoding.
        options = "FORMAT csv, NULL 'null', ESCAPE '\\', ENCODING 'UTF8'"
        statement = f'COPY "{table.name}" ({names}) FROM STDIN ({options})'
    cursor = conn.connection.cursor()
    try:
        if conn.dialect.name == "sqlite":
            cursor.executemany(statement, rows)
        else:
            cursor.copy_expert(statement, copy_text(rows), _PIECE)
    except _DRIVER_ERRORS as error:
        # The driver's own errors pass by SQLAlchemy here; `_wrapped` knows only those it has wrapped.
        driver: Any = conn.dialect.loaded_dbapi
        raise DBAPIError.instance(statement, None, error, driver.Error, dialect=conn.dialect) from error
    finally:
        cursor.close()


_DRIVER_ERRORS = (psycopg2.Error, sqlite3.Error)
_PIECE = 1 << 18
_LINES = msgspec.json.Encoder()
# What JSON escapes and CSV does not: everything but the quote and the backslash itself.
_ESCAPED = re.compile(rb'\\(?:(["\\])|u([0-9a-f]{4})|([bfnrt]))')
_SHORT = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def copy_text(rows: Sequence[Sequence[Any]]) -> io.BytesIO:
    """Rows for COPY in its CSV format, with `null` for NULL and the backslash as escape.

    A line of JSON is a line of that but for its brackets and its escapes, and nothing writes lines
    of JSON as quickly; no value holds a bare line end, so that the brackets between two lines are
    the rows' own (RFC 8259, section 7; PostgreSQL manual, COPY, "CSV Format").
    """
    lines = _LINES.encode_lines(rows)
    text = lines.replace(b"]\n[", b"\n")[1:-2]
    if b"\\" in text:
        text = _ESCAPED.sub(_unescaped, text)
    return io.BytesIO(text)


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return found[0]
    return _SHORT[found[3]] if found[3] else chr(int(found[2], 16)).encode()


_STAGES: dict[str, sa.Table] = {}


def stage(conn: Connection, fact: sa.Table) -> sa.Table:
    """An empty temporary table of this connection with `fact`'s columns and a `seq` before them.

    PostgreSQL empties it at the commit by cutting its file: deleted rows would stay in it for as long
    as the connection lives, since nothing vacuums a temporary table.
    """
    table = _STAGES.get(fact.name)
    if table is None:
        table = sa.Table(
            f"stage_{fact.name}",
            sa.MetaData(),
            sa.Column("seq", sa.Integer),
            *(sa.Column(c.name, c.type) for c in fact.columns),
            prefixes=["TEMPORARY"],
            postgresql_on_commit="DELETE ROWS",
        )
        _STAGES[fact.name] = table
    conn.execute(sa.schema.CreateTable(table, if_not_exists=True))
    conn.execute(table.delete())
    return table
