"""What a poll that worked may still have passed by: rows without a watermark, rows behind the position."""

from __future__ import annotations

import time

from sqlalchemy.exc import SQLAlchemyError

from ingest.sources.database_pages import Pages
from ingest.sources.watermark import Mark

# Looking takes at most this share of the department's time.
_SHARE = 0.01


class Doubts:
    """Looks at what `:since` hides, and remembers the answer until it is worth looking again."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._unmarked: str | None = None
        self._behind: str | None = None
        self._unmarked_next = self._behind_next = float("-inf")

    def about(self, pages: Pages, mark: Mark | None, *, idle: bool) -> str | None:
        """What is wrong, or None. `idle`: the query gave nothing from the position on, not even a tie."""
        return self._of_behind(pages, mark, idle) or self._of_unmarked(pages)

    def _of_unmarked(self, pages: Pages) -> str | None:
        began = time.monotonic()
        if began < self._unmarked_next:
            return self._unmarked
        self._unmarked = None
        if pages.any_unmarked():
            self._unmarked = (
                f"rows without {self._column} are passed by; have the department fill it, or let the query "
                f"use another column where it is NULL, as in COALESCE({self._column}, dibuat)"
            )
        ended = time.monotonic()
        self._unmarked_next = ended + (ended - began) / _SHARE
        return self._unmarked

    def _of_behind(self, pages: Pages, mark: Mark | None, idle: bool) -> str | None:
        if not idle or mark is None:
            self._behind, self._behind_next = None, float("-inf")
            return None
        began = time.monotonic()
        if began >= self._behind_next:
            newest = self._newest(pages)
            self._behind = None
            if newest is not None and newest < mark:
                self._behind = (
                    f"the newest {self._column} is {newest}, behind {mark}, up to which was read: its clock "
                    "was set back, or rows were deleted or restored. What is stamped in between is not seen: "
                    "set overlap to more than the difference, or forget the position "
                    "(docs/connect-a-source.md)"
                )
            ended = time.monotonic()
            self._behind_next = ended + (ended - began) / _SHARE
        return self._behind

    def _newest(self, pages: Pages) -> Mark | None:
        try:
            return pages.newest(self._column)
        except (SQLAlchemyError, TypeError):
            # Not every query can stand inside another; the poll itself worked.
            return None
