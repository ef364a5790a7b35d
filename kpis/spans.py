"""The days a page looks at: asked for in its address, bounded there, and settled at read time.

`?range=today|7d|30d|90d|year`, or `?from=YYYY-MM-DD&to=YYYY-MM-DD` with both days included. A range
is kept as one short text, so that a view of "7 days" moves on at midnight by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

TODAY = "today"
CUSTOM = "custom"
NAMES: Mapping[str, int] = {TODAY: 1, "7d": 7, "30d": 30, "90d": 90, "year": 365}
LONGEST = 366
"""Days a custom range may have: as long as a leap year."""
EARLIEST = date(2000, 1, 1)
PROBLEMS = ("!unknown", "!both", "!order", "!long", "!future")
_BETWEEN = ".."


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The city's days from `first` to `last`, both included.

    `name` is a key of `NAMES`, or "custom". `now` says that it reaches today, so that its end moves
    with the clock. `problem` is why another range was shown than the one asked for, one of `PROBLEMS`.
    """

    first: date
    last: date
    name: str
    now: bool = True
    problem: str | None = None

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def query(self) -> dict[str, str]:
        """What a link holds to show the same range; nothing for today, which is the usual one."""
        if self.name == CUSTOM:
            return {"from": self.first.isoformat(), "to": self.last.isoformat()}
        return {} if self.name == TODAY else {"range": self.name}


def asked(query: Mapping[str, str]) -> str:
    """The range of an address: a name, "2026-08-01..2026-08-17", or one of `PROBLEMS`.

    `from` and `to` hold before `range`. Whatever is written there, there are no more texts than names,
    problems, and pairs of days no further apart than `LONGEST`.
    """
    first, last = query.get("from", ""), query.get("to", "")
    if first or last:
        return _pair(first, last)
    text = query.get("range", "")
    if _BETWEEN in text:
        return _pair(*text.split(_BETWEEN, 1))
    if not text or text in NAMES or text in PROBLEMS:
        return text or TODAY
    return "!unknown"


def _pair(first: str, last: str) -> str:
    if not first or not last:
        return "!both"
    try:
        begin, end = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        return "!unknown"
    if begin > end:
        return "!order"
    if begin < EARLIEST:
        return "!unknown"
    if (end - begin).days >= LONGEST:
        return "!long"
    return f"{begin.isoformat()}{_BETWEEN}{end.isoformat()}"


def is_custom(text: str) -> bool:
    """Whether a range of `asked` is somebody's own, of which there are many."""
    return _BETWEEN in text


def span_of(text: str, today: date) -> Span:
    """The days that a text of `asked` means `today`; a range that begins later is none."""
    if is_custom(text):
        first, last = map(date.fromisoformat, text.split(_BETWEEN))
        if first > today:
            return _standard(today, "!future")
        return Span(first=first, last=min(last, today), name=CUSTOM, now=last >= today)
    if text in PROBLEMS:
        return _standard(today, text)
    return Span(first=today - timedelta(days=NAMES[text] - 1), last=today, name=text)


def widened(span: Span, days: int) -> Span:
    """`span`, begun earlier where it has fewer than `days`: a history of one day shows no course."""
    if span.days >= days:
        return span
    return replace(span, first=span.last - timedelta(days=days - 1))


def _standard(today: date, problem: str) -> Span:
    return Span(first=today, last=today, name=TODAY, problem=problem)
