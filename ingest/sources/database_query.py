"""The query of a database source: refused when it could change anything or skip rows, and its pages.

A page is the query as it was written with a limit behind its ORDER BY. It is not put into a
subquery: so it stays the statement its author tried out, and a range and the order of one index on
the watermark (docs/adr/0006-how-a-source-database-is-read.md).
"""

from __future__ import annotations

import re
from typing import Any

from kpis.errors import SourceError

_HIDDEN = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_SINCE = re.compile(r">=\s*:since\b", re.IGNORECASE)
_ANY_SINCE = re.compile(r"(?<![:\w]):since\b", re.IGNORECASE)
_ORDER = re.compile(r"\border\s+by\b", re.IGNORECASE)
_FIRST = re.compile(r"\s*(?:[\w`\"\[\]]+\.)*[`\"\[]?(\w+)[`\"\]]?\s*(asc\b|desc\b)?", re.IGNORECASE)
_LOOKS_BACK = re.compile(r">=\s*:since\b\s*[-+*/|]", re.IGNORECASE)
_LOCKS = re.compile(r"\bfor\s+(no\s+key\s+update|key\s+share|update|share)\b|\block\s+in\b", re.IGNORECASE)
_OWN_NULLS = re.compile(r"\bis\s+null\b", re.IGNORECASE)
_LIMIT = re.compile(r"\b(limit|offset|fetch)\b", re.IGNORECASE)
_TOP = re.compile(r"\s*select\s+(distinct\s+)?top\b", re.IGNORECASE)


# How each database is told to give the first rows only, behind an ORDER BY. SQL Server from 2012,
# Oracle from 12.1 (their manuals, SELECT); the others have LIMIT.
_FETCH = "FETCH FIRST {count} ROWS ONLY"
_LIMITS = {"mssql": "OFFSET 0 ROWS " + _FETCH, "oracle": _FETCH}


class Query:
    """A checked query. SourceError says what is wrong with it and what would do."""

    def __init__(self, text: str, column: str, source: str) -> None:
        self._text = text.strip().rstrip(";").rstrip()
        self._source = source
        # the same length, so that positions agree, with everything a check could trip over blanked
        self._bare = _HIDDEN.sub(lambda found: " " * len(found[0]), self._text)
        self._check_reads()
        self._check_since(column)
        self._ends = self._check_order(column)
        self.looks_back = _LOOKS_BACK.search(self._bare) is not None

    def page(self, since: Any, count: int | None, dialect: str) -> tuple[str, dict[str, Any]]:
        """The first `count` rows from `since` on, all of them with None, as statement and values."""
        text, bound = self.bound(since)
        if count is None:
            return text, bound
        # On a line of its own: a comment may end the query.
        return f"{text}\n{_LIMITS.get(dialect, 'LIMIT {count}').format(count=count)}", bound

    def newest(self, quoted: str) -> str:
        """A statement for the greatest watermark the query gives; `quoted` is the column's name."""
        inner = self._compared("IS NOT NULL", self._ends)
        return f"SELECT MAX(q.{quoted}) FROM (\n{inner}\n) q"  # noqa: S608  the department's own query

    def unmarked(self, dialect: str) -> str | None:
        """A statement for one row without a watermark; None where the query sees to them by itself."""
        if self.looks_back or _OWN_NULLS.search(self._bare):
            return None
        return f"{self._compared('IS NULL')}\n{_LIMITS.get(dialect, 'LIMIT {count}').format(count=1)}"

    def bound(self, since: Any) -> tuple[str, dict[str, Any]]:
        """The statement and its values. With no `since` yet, every row that has a watermark."""
        if since is not None:
            return self._text, {"since": since}
        if self.looks_back:
            raise self._refuse(
                "calculates with :since, which has no value at the first reading; set start, or write "
                'a plain >= :since and overlap = "10m"'
            )
        return self._compared("IS NOT NULL"), {}

    def _compared(self, how: str, end: int | None = None) -> str:
        """The query up to `end`, with every `>= :since` written as `how`."""
        text, at = "", 0
        for found in _SINCE.finditer(self._bare, 0, len(self._bare) if end is None else end):
            text += self._text[at : found.start()] + how
            at = found.end()
        return text + self._text[at:end]

    def _refuse(self, problem: str) -> SourceError:
        return SourceError(f"{self._source}: the query {problem}")

    def _check_reads(self) -> None:
        if not re.match(r"(select|with)\b", self._bare.lstrip(), re.IGNORECASE):
            raise self._refuse("does not begin with SELECT or WITH; a department's database is only read")
        if ";" in self._bare:
            raise self._refuse("is more than one statement; write one SELECT")

    def _check_since(self, column: str) -> None:
        if re.search(r">\s*:since\b", self._bare, re.IGNORECASE):
            raise self._refuse(
                "has a strict > :since, which skips rows that share the last value; use >= :since"
            )
        uses, good = len(_ANY_SINCE.findall(self._bare)), len(_SINCE.findall(self._bare))
        if not good or uses != good:
            raise self._refuse(f"must ask for {column} >= :since")

    def _check_order(self, column: str) -> int:
        """Where the outermost ORDER BY begins."""
        order = [found for found in _ORDER.finditer(self._bare) if _outermost(self._bare, found.start())]
        wanted = f"must end with ORDER BY {column}"
        if not order:
            raise self._refuse(wanted)
        first = _FIRST.match(self._bare, order[-1].end())
        if first is None or first[1].lower() != column.lower() or (first[2] or "").lower() == "desc":
            raise self._refuse(f"{wanted}, oldest first")
        if _LIMIT.search(self._bare, order[-1].end()) or _TOP.match(self._bare):
            raise self._refuse("limits its rows; leave that out, they are read in pages")
        if _LOCKS.search(self._bare, order[-1].end()):
            raise self._refuse(
                "locks the rows it reads; leave that out, a department's database is only read"
            )
        return order[-1].start()


def _outermost(text: str, at: int) -> bool:
    return text.count("(", 0, at) == text.count(")", 0, at)
