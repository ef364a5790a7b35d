"""Connections to a department's database: only reading, and with words for what is missing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from kpis.config import SourceSettings
from kpis.errors import SourceError

# backend → (driver used when the URL names none, package to install, what to hand its connect())
_BACKENDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "postgresql": ("psycopg2", "psycopg2-binary", {"connect_timeout": 10}),
    "postgres": ("psycopg2", "psycopg2-binary", {"connect_timeout": 10}),
    "mysql": ("pymysql", "pymysql", {"connect_timeout": 10, "read_timeout": 300}),
    "mariadb": ("pymysql", "pymysql", {"connect_timeout": 10, "read_timeout": 300}),
    "sqlite": ("pysqlite", "", {"timeout": 10}),
    "mssql": ("pyodbc", "pyodbc", {"timeout": 10}),
    "oracle": ("oracledb", "oracledb", {}),
}
_STATEMENT_S = 300
# What a session begins with: it only reads, and no statement of it runs for longer than five minutes.
_SESSION = {
    "mysql": ["SET SESSION TRANSACTION READ ONLY", f"SET SESSION max_execution_time = {_STATEMENT_S * 1000}"],
    "mariadb": ["SET SESSION TRANSACTION READ ONLY", f"SET SESSION max_statement_time = {_STATEMENT_S}"],
    "postgresql": [f"SET statement_timeout = '{_STATEMENT_S}s'"],
}
_GONE = re.compile(
    r"unknown column|no such (column|table)|(column|relation) .* does not exist|table .* doesn't exist"
    r"|invalid (column|object) name|ORA-00904|ORA-00942",
    re.IGNORECASE,
)
_OTHER_TYPE = re.compile(
    r"operator does not exist|conversion failed|invalid input syntax|ORA-018|ORA-00932", re.IGNORECASE
)


def connect(source: SourceSettings, folder: Path) -> Engine:
    """An engine whose transactions only read, where the database knows such; a relative SQLite path
    is taken from `folder`. SourceError names the package that is missing.
    """
    url = _url(source)
    backend = url.get_backend_name()
    if backend == "sqlite":
        url = _sqlite(url, source, folder)
    _driver, package, arguments = _BACKENDS.get(backend, ("", url.get_driver_name(), {}))
    arguments = {name: value for name, value in arguments.items() if name not in url.query}
    try:
        engine = sa.create_engine(
            url, pool_size=1, max_overflow=0, pool_pre_ping=True, pool_recycle=1800, connect_args=arguments
        )
    except (ImportError, NoSuchModuleError) as error:
        raise SourceError(
            f"{source.name}: no driver for {url.drivername}; install the package {package or url.drivername}"
        ) from error
    except (SQLAlchemyError, TypeError) as error:
        raise SourceError(f"{source.name}: url: {first_line(error)}") from error
    _only_read(engine, backend)
    return engine.execution_options(postgresql_readonly=True) if backend == "postgresql" else engine


def _url(source: SourceSettings) -> URL:
    try:
        url = make_url(source.url or "")
    except ArgumentError:
        raise SourceError(
            f'{source.name}: url cannot be read; write it like "mysql+pymysql://reader:${{PASSWORD}}@10.0.0.5/pengaduan"'
        ) from None
    backend = url.get_backend_name()
    if "+" not in url.drivername and backend in _BACKENDS:
        backend = "postgresql" if backend == "postgres" else backend
        url = url.set(drivername=f"{backend}+{_BACKENDS[backend][0]}")
    return url


def _sqlite(url: URL, source: SourceSettings, folder: Path) -> URL:
    if not url.database or url.database == ":memory:":
        raise SourceError(f'{source.name}: url names no file; write "sqlite:///path/to/file.db"')
    if url.database.startswith("file:"):
        return url.update_query_dict({"mode": "ro", "uri": "true"})
    path = (folder / url.database).resolve()
    if not path.is_file():
        raise SourceError(f"{source.name}: there is no file {path}")
    return url.set(database=f"file:{quote(str(path))}").update_query_dict({"mode": "ro", "uri": "true"})


def _only_read(engine: Engine, backend: str) -> None:
    if backend in ("mysql", "mariadb", "postgresql"):

        @sa.event.listens_for(engine, "connect")
        def _session(connection: Any, _record: Any) -> None:
            with connection.cursor() as cursor:
                for statement in _SESSION[_kind(cursor, backend)]:
                    cursor.execute(statement)
            connection.commit()

    elif backend == "oracle":

        @sa.event.listens_for(engine, "begin")
        def _transaction(conn: sa.Connection) -> None:
            conn.exec_driver_sql("SET TRANSACTION READ ONLY")


def _kind(cursor: Any, backend: str) -> str:
    """MariaDB is spoken to as MySQL, and names its time limit otherwise."""
    if backend == "postgresql":
        return backend
    cursor.execute("SELECT VERSION()")
    return "mariadb" if "mariadb" in str(cursor.fetchone()[0]).lower() else "mysql"


def explained(error: Exception, column: str) -> str:
    """What the database said, and what would do about it where that can be told."""
    said = first_line(error)
    if _GONE.search(said):
        return (
            f"{said}: what the query names is not there any more; have it brought back, or mend the query. "
            "Nothing is read until then, and nothing is lost"
        )
    if _OTHER_TYPE.search(said):
        return (
            f"{said}: has {column}, the watermark, another type now? Have it given back, CAST it in the "
            "query, or forget the position (docs/connect-a-source.md)"
        )
    return said


def first_line(error: Exception) -> str:
    """What the database said, in one line, without the statement SQLAlchemy adds."""
    cause = getattr(error, "orig", None) or error
    arguments = cause.args
    if len(arguments) == 2 and isinstance(arguments[0], int):  # pymysql: (number, text)
        return f"{arguments[1]} ({arguments[0]})"
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]
