"""A department with a table of its own, and a database source that reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ingest.sources.database import DatabaseSource
from tests.sources.recorder import Recorder, settings_of

QUERY = "SELECT nomor, isi, diubah FROM laporan WHERE diubah >= :since ORDER BY diubah"
AT = datetime(2026, 8, 19, 3, 0, tzinfo=UTC)


class Department:
    """The department's own side: its table, which it may write."""

    def __init__(self, url: str, kind: str = "TIMESTAMP(6)") -> None:
        self.url = url
        self._engine = sa.create_engine(url)
        if self._engine.dialect.name == "mysql" and kind == "TIMESTAMP(6)":
            kind = "DATETIME(6)"
        self.kind = kind
        columns = f"nomor INTEGER PRIMARY KEY, isi VARCHAR(200), diubah {kind} NULL"
        self.execute(f"CREATE TABLE laporan ({columns})")

    @property
    def dialect(self) -> str:
        return self._engine.dialect.name

    def execute(self, *statements: str, **values: Any) -> None:
        with self._engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement), values)

    def add(self, *rows: tuple[int, str, Any]) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                sa.text("INSERT INTO laporan VALUES (:a, :b, :c)"),
                [{"a": a, "b": b, "c": c} for a, b, c in rows],
            )


def source_of(
    url: str, sink: Recorder, folder: Path, query: str = QUERY, more: str = "", watermark: str = "diubah"
) -> DatabaseSource:
    settings = settings_of(
        f'[[source]]\nname = "sp4n"\ntype = "database"\nfeed = "service_request"\nurl = "{url}"\n'
        f'query = """{query}"""\nwatermark = "{watermark}"\nevery = "100ms"\n{more}',
        folder,
    )
    return DatabaseSource(settings.sources[0], sink, lambda: AT, folder)


def numbers(sink: Recorder) -> list[int]:
    return [payload["nomor"] for payload in sink.payloads]


def day(number: int, hour: int = 8) -> datetime:
    return datetime(2026, 1, number, hour, 0, 0, 123456)  # noqa: DTZ001  as departments keep it
