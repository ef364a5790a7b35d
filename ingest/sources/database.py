"""A department's database, read by its watermark and never written.

The query runs as it was written, with `:since` bound to the last watermark, and is streamed in
pages; each page and the new position are committed together. `database_query.py` refuses a query
that could skip rows. What a watermark cannot show is a row that is committed late under an older
watermark than one already read: a department whose transactions are long should use a watermark
that is set at commit, or have the query look back (`diubah >= :since - interval '10 minutes'`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from ingest.arrivals import Arrival, Position
from ingest.sources.database_engine import connect, first_line
from ingest.sources.database_query import Query
from ingest.sources.sink import Backoff, Health, Sink
from ingest.sources.watermark import Mark, Watermark, digest, plain
from kpis.clock import Now
from kpis.config import SourceSettings
from kpis.errors import SourceError, StoreUnavailable

log = logging.getLogger(__name__)

DOOR = "database"
PAGE = 2_000
_Row = dict[str, Any]


@dataclass(slots=True)
class _Progress:
    """How far one poll has come: the newest watermark, and the rows that carry it."""

    mark: Mark | None
    ties: set[str]

    def position(self, source: str) -> Position | None:
        return None if self.mark is None else Position(source, self.mark.encode(self.ties))


class DatabaseSource:
    """One `[[source]]` of type database. `folder` anchors the path of a SQLite file."""

    def __init__(self, source: SourceSettings, sink: Sink, now: Now, folder: Path) -> None:
        assert source.watermark is not None, "the configuration gives every database source one"
        self.name = source.name
        self._source = source
        self._sink = sink
        self._now = now
        self._folder = folder
        self._column = source.watermark
        self._health = Health(sink, source.name, DOOR)
        self._engine: Engine | None = None

    def run(self, stop: threading.Event) -> None:
        backoff = Backoff()
        try:
            while not stop.is_set():
                try:
                    self.poll(stop)
                except SourceError as error:
                    self._health.ill(str(error))
                except StoreUnavailable as error:
                    # The rows are safe where they are: read them again from the last committed page.
                    log.info("%s: %s", self.name, error)
                    backoff.wait(stop)
                    continue
                else:
                    self._health.well()
                    backoff.reset()
                stop.wait(self._source.every.total_seconds())
        finally:
            if self._engine is not None:
                self._engine.dispose()

    def poll(self, stop: threading.Event | None = None) -> int:
        """Reads everything from the last position on; the number of rows given to the pipeline.

        Raises SourceError when the query or the database does not do, StoreUnavailable when the
        store is away (nothing after the last committed page was taken).
        """
        query = Query(self._source.query or "", self._column, self.name)
        begin = _Progress(*Mark.decode(self._sink.position(self.name)))
        now_at = _Progress(begin.mark, set(begin.ties))
        taken = 0
        try:
            if self._engine is None:
                self._engine = connect(self._source, self._folder)
            with self._engine.connect() as connection:
                for rows in self._pages(connection, query, begin.mark):
                    taken += self._take(rows, begin, now_at)
                    if stop is not None and stop.is_set():
                        break
        except SQLAlchemyError as error:
            raise SourceError(f"{self.name}: {first_line(error)}") from error
        return taken

    def _pages(self, connection: Connection, query: Query, mark: Mark | None) -> Iterator[list[_Row]]:
        since = mark.value if mark is not None else self._source.start
        text, bound = query.bound(since)
        options = connection.execution_options(stream_results=True, yield_per=PAGE)
        with options.execute(sa.text(text), bound) as result:
            names = list(result.keys())
            if self._column not in names:
                raise SourceError(
                    f"{self.name}: the query gives no column {self._column!r}, its watermark; it gives "
                    + ", ".join(names)
                )
            for page in result.partitions(PAGE):
                yield [dict(zip(names, row, strict=True)) for row in page]

    def _take(self, rows: Sequence[_Row], begin: _Progress, now_at: _Progress) -> int:
        """Commits one page with its position, without the rows at the last watermark taken before."""
        arrivals, disorder = [], False
        for row in rows:
            payload = {name: plain(value) for name, value in row.items()}
            mark = self._mark(row[self._column])
            if mark is None:
                # A row without a watermark never moves the position; taking it at every poll loses nothing.
                arrivals.append(self._arrival(payload, "no watermark"))
                continue
            if now_at.mark is not None and mark < now_at.mark:
                disorder = True
            tie = digest(payload)
            if mark != now_at.mark:
                now_at.mark, now_at.ties = mark, set()
            if tie not in now_at.ties:
                now_at.ties.add(tie)
                arrivals.append(self._arrival(payload, str(mark.value)))
        if disorder:
            # What was committed in this poll may have passed rows by: take these, and go back.
            back = begin.position(self.name) or Position(self.name, "")
            self._sink.take(arrivals, back)
            raise SourceError(
                f"{self.name}: the rows do not come in the order of {self._column}; end the query with "
                f"ORDER BY {self._column}"
            )
        if arrivals:
            self._sink.take(arrivals, now_at.position(self.name))
        return len(arrivals)

    def _mark(self, value: Watermark | None) -> Mark | None:
        try:
            return Mark.of(value)
        except TypeError as error:
            raise SourceError(f"{self.name}: the watermark {self._column} {error}") from None

    def _arrival(self, payload: _Row, where: str) -> Arrival:
        return Arrival(
            source=self.name,
            config=self.name,
            feed=self._source.feed,
            payload=payload,
            arrived_at=self._now(),
            door=DOOR,
            place=f"{self.name}: {self._column} {where}",
        )
