"""One poll's way over the rows: which are new, and how far the position may move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ingest.sources.database_place import Place
from ingest.sources.watermark import Mark, Print, digest, plain
from kpis.config import SourceSettings
from kpis.errors import SourceError

# Rows behind the position, or ahead of the clock, that are known again without asking the store.
SEEN_KEPT = 200_000


class Walk:
    """Tells new rows from those of the last poll. `seen` outlives the walk: rows committed before.

    `place` is where the position would stand after the rows given so far. A row whose time has not
    come yet is taken and does not move it: one wrong year would hide everything written until then.
    """

    def __init__(
        self, source: SourceSettings, place: Place, seen: dict[str, None], now: datetime, *, looks_back: bool
    ) -> None:
        self.place = place
        self.begin = place.encode()
        self.taken = 0
        self.last: Mark | None = None
        self.disorder = False
        self._source = source
        self._name, self._column = source.name, source.watermark
        self._seen = seen
        self._now = now
        self._looks_back = looks_back
        self._keeps = looks_back or bool(source.overlap)
        self._previous: Mark | None = None
        self._settled: Mark | None = None
        self._unmarked: set[str] = set()
        self._fresh: list[str] = []
        self._ending: Mark | None = None
        self._in_passing = False
        self._ahead: Mark | None = None
        self._rows_ahead = 0

    def since(self) -> Mark | None:
        """Where the first page begins."""
        mark = self.place.mark
        if mark is None:
            return Mark.of(self._source.start)
        try:
            return mark.before(self._source.overlap) if self._source.overlap else mark
        except TypeError as error:
            raise SourceError(f"{self._name}: the watermark {self._column} {error}") from None

    def page(self, since: Mark | None, group: Print | None) -> None:
        """Begins a page; `group` is the print of all rows that carry `since`, when there are many."""
        self.last = None
        self._previous = None if self._looks_back else since
        same = group is not None and (self.place.mark, self.place.group) == (since, group)
        self._settled = since if same else None

    def new(self, rows: Sequence[tuple[Any, Mapping[str, Any]]]) -> list[tuple[dict[str, Any], str]]:
        """Of rows, each with its watermark, those that were not taken before, with where they stand."""
        found = []
        self._begin_chunk(value for value, _ in reversed(rows))
        for value, row in rows:
            mark = self.mark(value)
            if mark is not None and mark == self._settled == self.place.mark:
                self._previous = self.last = mark
                continue
            payload = {name: plain(inner) for name, inner in row.items()}
            if mark is None:
                # It never moves the position; taking it at every poll loses nothing.
                if (tie := digest(payload)) not in self._unmarked:
                    self._unmarked.add(tie)
                    found.append((payload, "no watermark"))
                continue
            self.disorder |= self._previous is not None and mark < self._previous
            self._previous = self.last = mark
            if self._is_new(mark, payload):
                found.append((payload, str(mark)))
        return found

    def committed(self, rows: int) -> None:
        """What `new` gave last is in the store now."""
        self.taken += rows
        for tie in self._fresh:
            self._seen.pop(tie, None)
            self._seen[tie] = None
        self._fresh.clear()
        while len(self._seen) > SEEN_KEPT:
            del self._seen[next(iter(self._seen))]

    def ahead(self) -> str | None:
        """What is wrong when rows of the future came."""
        if self._ahead is None:
            return None
        return (
            f"{self._rows_ahead} rows have a {self._column} in the future, the farthest {self._ahead}; they "
            "were taken, and are asked for again at every reading until then: have them corrected, or the "
            "clock that wrote them, or mend timezone"
        )

    def mark(self, value: Any) -> Mark | None:
        """A watermark of the kind there was before. SourceError says what to do about another."""
        try:
            mark = Mark.of(value)
        except TypeError as error:
            raise SourceError(f"{self._name}: the watermark {self._column} {error}") from None
        before = self.place.mark
        if mark is not None and before is not None and not mark.follows(before):
            raise SourceError(
                f"{self._name}: the watermark {self._column} was a {before.family}, now a {mark.family}; "
                "have its type given back, CAST it in the query, or forget the position "
                "(docs/connect-a-source.md)"
            )
        return mark

    def _is_new(self, mark: Mark, payload: Mapping[str, Any]) -> bool:
        here = self.place.mark
        if self._in_passing and mark not in (here, self._ending):
            # One of many between the first and the last: nobody will ask for it again.
            self.place.move(mark)
            return True
        tie = digest(payload)
        known = tie in self._seen
        if mark == here:
            if tie in self.place.ties:
                return False
            self._remember(tie)
        elif here is not None and mark < here:
            self._fresh.append(tie)
        elif mark.is_ahead_of(self._now, self._source.timezone):
            self._rows_ahead += 1
            self._ahead = mark
            self._fresh.append(tie)
        else:
            self.place.move(mark)
            self._remember(tie)
        return not known

    def _begin_chunk(self, backwards: Iterator[Any]) -> None:
        """Looks at the last watermark of some rows: most rows before it need no digest."""
        self._ending = next((mark for value in backwards if (mark := self.mark(value)) is not None), None)
        ahead = self._ending is not None and self._ending.is_ahead_of(self._now, self._source.timezone)
        self._in_passing = not (self._keeps or self._seen or ahead)

    def _remember(self, tie: str) -> None:
        self.place.add(tie)
        if self._keeps:
            self._fresh.append(tie)
