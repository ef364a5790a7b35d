"""Refuses what is older than its feed is kept: nobody could tell any more whether it was counted before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ingest.fields import Bad, Context
from ingest.rows import COLUMNS, ROWS, Row
from kpis.catalogue import FEED_TABLES
from kpis.clock import Now
from kpis.config import Settings
from kpis.retention import first_day, first_us, horizon_month

ToRow = Callable[[Any, Context], Row]
KeptMonths = Callable[[], Mapping[str, int]]


class Horizons:
    """`ROWS` with a look at the horizon where a feed has one. Thread-safe.

    `kept` tells the first whole month of each feed that records were removed of: who keeps them longer
    from now on does not get those back. It is asked once, and may raise StoreUnavailable.
    """

    def __init__(self, settings: Settings, now: Now, kept: KeptMonths) -> None:
        self._settings = settings
        self._now = now
        self._ask = kept
        self._kept: Mapping[str, int] | None = None

    @property
    def known(self) -> bool:
        """Whether `kept` has been asked."""
        return self._kept is not None

    def rows(self) -> Mapping[str, ToRow]:
        """How a record of each feed becomes a row at this moment."""
        if self._kept is None:
            self._kept = self._ask()
        feeds = (self._settings.retention.keys() | self._kept.keys()) & ROWS.keys()
        return {**ROWS, **{feed: self._guarded(feed, self._kept.get(feed, 0)) for feed in feeds}}

    def _guarded(self, feed: str, kept: int) -> ToRow:
        month = max(horizon_month(self._settings, feed, self._now()) or 0, kept)
        field = FEED_TABLES[feed].moment
        place, to_row = COLUMNS[feed].index(field), ROWS[feed]
        bound: Any = first_day(month).isoformat() if field == "day" else first_us(self._settings, feed, month)

        def guarded(record: Any, context: Context) -> Row:
            row = to_row(record, context)
            if row[place] < bound:
                raise Bad("beyond_retention", field, f"{month // 100}-{month % 100:02}")
            return row

        return guarded
