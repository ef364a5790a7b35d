"""The query of a database source: refused when it could change anything or skip rows."""

from __future__ import annotations

import re
from typing import Any

from kpis.errors import SourceError

_HIDDEN = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_SINCE = re.compile(r">=\s*:since\b", re.IGNORECASE)
_ANY_SINCE = re.compile(r"(?<![:\w]):since\b", re.IGNORECASE)
_ORDER = re.compile(r"\border\s+by\b", re.IGNORECASE)
_FIRST = re.compile(r"\s*(?:[\w`\"\[\]]+\.)*[`\"\[]?(\w+)[`\"\]]?\s*(asc\b|desc\b)?", re.IGNORECASE)
_LIMIT = re.compile(r"\b(limit|offset|fetch)\b", re.IGNORECASE)
_TOP = re.compile(r"\s*select\s+(distinct\s+)?top\b", re.IGNORECASE)


class Query:
    """A checked query. SourceError says what is wrong with it and what would do."""

    def __init__(self, text: str, column: str, source: str) -> None:
        self._text = text.strip().rstrip(";").rstrip()
        self._source = source
        # the same length, so that positions agree, with everything a check could trip over blanked
        self._bare = _HIDDEN.sub(lambda found: " " * len(found[0]), self._text)
        self._check_reads()
        self._check_since(column)
        self._check_order(column)

    def bound(self, since: Any) -> tuple[str, dict[str, Any]]:
        """The statement and its values. With no `since` yet, every row that has a watermark."""
        if since is not None:
            return self._text, {"since": since}
        text, at = "", 0
        for found in _SINCE.finditer(self._bare):
            text += self._text[at : found.start()] + "IS NOT NULL"
            at = found.end()
        return text + self._text[at:], {}

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

    def _check_order(self, column: str) -> None:
        order = [found for found in _ORDER.finditer(self._bare) if _outermost(self._bare, found.start())]
        wanted = f"must end with ORDER BY {column}"
        if not order:
            raise self._refuse(wanted)
        first = _FIRST.match(self._bare, order[-1].end())
        if first is None or first[1].lower() != column.lower() or (first[2] or "").lower() == "desc":
            raise self._refuse(f"{wanted}, oldest first")
        if _LIMIT.search(self._bare, order[-1].end()) or _TOP.match(self._bare):
            raise self._refuse("limits its rows; leave that out, they are read in pages")


def _outermost(text: str, at: int) -> bool:
    return text.count("(", 0, at) == text.count(")", 0, at)
