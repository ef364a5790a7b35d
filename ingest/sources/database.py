"""A department's database, read by its watermark and never written.

A poll walks over the query's rows in pages. Each page is a short transaction of its own that asks for
the rows from the last watermark on, so no snapshot is held while rows are stored; each page's rows
and the new position are committed together. Rows that share the last watermark are asked for again
and told by their digest, so none is skipped; when they alone fill a page, the page grows.
`database_query.py` refuses a query that could skip rows. What a watermark cannot show is a row that
is committed under an older one than was already read: for that there is `overlap`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from ingest.arrivals import Arrival, Position
from ingest.sources.database_columns import missing
from ingest.sources.database_doubts import Doubts
from ingest.sources.database_engine import connect, explained
from ingest.sources.database_pages import PAGE, Page, Pages
from ingest.sources.database_place import TIES_KEPT, Place
from ingest.sources.database_query import Query
from ingest.sources.database_walk import Walk
from ingest.sources.sink import Backoff, Health, Sink
from ingest.sources.watermark import Mark, Print
from kpis.clock import Now
from kpis.config import SourceSettings
from kpis.errors import SourceError, StoreUnavailable

log = logging.getLogger(__name__)

DOOR = "database"
_Row = dict[str, Any]
_GROWS = 4
# A page that takes this long to begin is sorted anew each time: larger ones then cost the source less.
SLOW_S = 3.0
_MOST = 1_000_000


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
        self._doubts = Doubts(source.watermark)
        self._engine: Engine | None = None
        self._place = Place()
        self._seen: dict[str, None] = {}
        self._told_slow = False

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

        Raises SourceError when the query or the database does not do, or when rows are passed by;
        StoreUnavailable when the store is away (nothing after the last committed page was taken).
        """
        query = Query(self._source.query or "", self._column, self.name)
        walk = Walk(self._source, self._last(), self._seen, self._now(), looks_back=query.looks_back)
        stop = stop or threading.Event()
        try:
            if self._engine is None:
                self._engine = connect(self._source, self._folder)
            pages = Pages(self._engine, query)
            rows = self._read_on(pages, walk, stop)
            self._place = walk.place
            doubt = walk.ahead()
            if doubt is None and not stop.is_set():
                doubt = self._doubts.about(pages, walk.place.mark, idle=rows == 0)
        except SQLAlchemyError as error:
            raise SourceError(f"{self.name}: {explained(error, self._column)}") from error
        if doubt is not None:
            raise SourceError(f"{self.name}: {doubt}")
        return walk.taken

    def _last(self) -> Place:
        """The committed place; with all its ties, when this source came to it without a fault."""
        place, self._place = self._place, Place()
        position = self._sink.position(self.name) or ""
        return place if place.encode() == position else Place.decode(position)

    def _read_on(self, pages: Pages, walk: Walk, stop: threading.Event) -> int:
        """Page after page until one is not full; the number of rows read."""
        since, rows = walk.since(), 0
        count: int | None = PAGE if walk.place.rows <= PAGE // 2 else walk.place.rows + PAGE
        if pages.query.looks_back:
            count = None  # the rows of one page would be those of the next
        while not stop.is_set():
            with pages.read(since, count) as page:
                rows += page.count
                self._take(page, walk, since, count, stop)
                if count is None or page.count < count:
                    break
                count = self._next(page, count, moved=walk.last not in (None, since))
                since = walk.last or since
        return rows

    def _next(self, page: Page, count: int, *, moved: bool) -> int:
        """How many rows the next page asks for."""
        if not moved:
            return count * _GROWS
        if page.waited_s < SLOW_S:
            return PAGE
        if not self._told_slow:
            self._told_slow = True
            slow = "%s: a page took %.0f s to begin; an index on %s makes it quick"
            log.warning(slow, self.name, page.waited_s, self._column)
        return max(count, min(count * _GROWS, _MOST))

    def _take(
        self, page: Page, walk: Walk, since: Mark | None, count: int | None, stop: threading.Event
    ) -> None:
        """Commits a page's rows with the position."""
        self._check(page)
        group = self._group(page, since, full=page.count == count)
        walk.page(since, group)
        for rows in page.chunks():
            if stop.is_set():
                return
            self._commit(walk, walk.new(self._named(page, rows)))
        if group is not None and walk.place.mark == since and walk.place.group != group:
            walk.place.group = group
            self._sink.take([], Position(self.name, walk.place.encode()))

    def _group(self, page: Page, since: Mark | None, *, full: bool) -> Print | None:
        """The print of all rows that carry `since`, when they are too many to be named in a position."""
        if since is None or page.count <= TIES_KEPT:
            return None
        found, place = Print(), page.place(self._column)
        for rows in page.chunks():
            for row in rows:
                if row[place] != since.value:
                    return found if found.rows > TIES_KEPT else None
                found = found.with_row(row)
        return None if full else found

    def _commit(self, walk: Walk, new: Sequence[tuple[_Row, str]]) -> None:
        arrivals = [self._arrival(payload, where) for payload, where in new]
        if walk.disorder:
            # What was committed in this poll may have passed rows by: take these, and go back.
            self._sink.take(arrivals, Position(self.name, walk.begin))
            raise SourceError(
                f"{self.name}: the rows do not come in the order of {self._column}; end the query with "
                f"ORDER BY {self._column}"
            )
        if arrivals:
            self._sink.take(arrivals, Position(self.name, walk.place.encode()))
        walk.committed(len(arrivals))

    def _named(self, page: Page, rows: list[tuple[Any, ...]]) -> list[tuple[Any, _Row]]:
        """Each row by its columns' names, with its watermark as the driver gave it."""
        place = page.place(self._column)
        return [(row[place], dict(zip(page.names, row, strict=True))) for row in rows]

    def _check(self, page: Page) -> None:
        gives = f"it gives {', '.join(page.names)}"
        if self._column not in page.names:
            raise SourceError(
                f"{self.name}: the query gives no column {self._column!r}, its watermark; {gives}"
            )
        for column, field in missing(self._source.mapping, page.names).items():
            raise SourceError(
                f"{self.name}: the query gives no column {column!r}, which map.{field} names; {gives}. "
                "Have it brought back, or mend the map; nothing is read until then, and nothing is lost"
            )

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
