"""Pages of a department's database: each is one short transaction, over before its rows are used."""

from __future__ import annotations

import pickle
import tempfile
import time
from collections.abc import Iterator
from typing import IO, Any, Self

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ingest.sources.database_query import Query
from ingest.sources.watermark import Mark

PAGE = 2_000
_Row = tuple[Any, ...]


class Page:
    """Rows of one statement, in order. Beyond the first 2,000 they wait in a file without a name."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.count = 0
        self.waited_s = 0.0
        self._first: list[_Row] = []
        self._spool: IO[bytes] | None = None

    def place(self, column: str) -> int:
        """Where a column stands; of two with one name the last, as in `SELECT *, … AS diubah`."""
        return len(self.names) - 1 - self.names[::-1].index(column)

    def add(self, rows: list[_Row]) -> None:
        self.count += len(rows)
        if not self._first:
            self._first = rows
            return
        if self._spool is None:
            self._spool = tempfile.TemporaryFile(prefix="pendopo-")  # noqa: SIM115  closed with the page
        pickle.dump(rows, self._spool, pickle.HIGHEST_PROTOCOL)

    def chunks(self) -> Iterator[list[_Row]]:
        """All rows, at most 2,000 at a time; as often as it is asked for."""
        if self._first:
            yield self._first
        if self._spool is not None:
            end = self._spool.tell()
            self._spool.seek(0)
            while self._spool.tell() < end:
                yield pickle.load(self._spool)  # noqa: S301  our own rows, out of our own unnamed file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._spool is not None:
            self._spool.close()


class Pages:
    """Reads pages of one query. Whatever the database says comes as SQLAlchemyError."""

    def __init__(self, engine: Engine, query: Query) -> None:
        self._engine = engine
        self.query = query

    def read(self, since: Mark | None, count: int | None) -> Page:
        """The first `count` rows from `since` on; all with None. The transaction ends before it returns."""
        dialect = self._engine.dialect.name
        text, bound = self.query.page(None if since is None else since.value, count, dialect)
        with self._engine.connect() as connection:
            if count is None or count > PAGE:
                return self._streamed(connection, text, bound)
            began = time.monotonic()
            result = connection.execute(sa.text(text), bound)
            page = Page(list(result.keys()))
            page.waited_s = time.monotonic() - began
            page.add([tuple(row) for row in result])
            return page

    def _streamed(self, connection: Connection, text: str, bound: dict[str, Any]) -> Page:
        began = time.monotonic()
        options = connection.execution_options(stream_results=True, yield_per=PAGE)
        with options.execute(sa.text(text), bound) as result:
            page = Page(list(result.keys()))
            for rows in result.partitions(PAGE):
                page.waited_s = page.waited_s or time.monotonic() - began
                page.add([tuple(map(_kept, row)) for row in rows])
            return page

    def newest(self, column: str) -> Mark | None:
        """The greatest watermark the query gives at all."""
        quoted = self._engine.dialect.identifier_preparer.quote(column)
        return Mark.of(self._one(self.query.newest(quoted)))

    def any_unmarked(self) -> bool:
        """Whether the query passes rows by because their watermark is NULL."""
        text = self.query.unmarked(self._engine.dialect.name)
        if text is None:
            return False
        with self._engine.connect() as connection:
            return connection.execute(sa.text(text)).first() is not None

    def _one(self, text: str) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(sa.text(text)).scalar()


def _kept(value: Any) -> Any:
    """PostgreSQL's bytea as what can wait in a file."""
    return bytes(value) if isinstance(value, memoryview) else value
