"""Which days an address asks for, what is refused, and that there are not too many of them."""

from __future__ import annotations

from datetime import date

import pytest

from kpis.spans import LONGEST, PROBLEMS, asked, is_custom, span_of

TODAY = date(2026, 11, 16)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({}, "today"),
        ({"range": "7d"}, "7d"),
        ({"range": "year"}, "year"),
        ({"from": "2026-08-01", "to": "2026-08-17"}, "2026-08-01..2026-08-17"),
        ({"from": "20260801", "to": "2026-08-17", "range": "7d"}, "2026-08-01..2026-08-17"),
        ({"range": "2026-08-01..2026-08-17"}, "2026-08-01..2026-08-17"),
        ({"from": "2026-01-01", "to": "2026-12-31"}, "2026-01-01..2026-12-31"),
        ({"from": "2026-01-01", "to": "2027-01-02"}, "!long"),
        ({"from": "2026-08-17", "to": "2026-08-01"}, "!order"),
        ({"from": "2026-08-17"}, "!both"),
        ({"to": "2026-08-17"}, "!both"),
        ({"from": "yesterday", "to": "2026-08-17"}, "!unknown"),
        ({"from": "1999-12-31", "to": "2000-01-02"}, "!unknown"),
        ({"from": "2026-02-29", "to": "2026-03-01"}, "!unknown"),
        ({"range": ".."}, "!both"),
        ({"range": "8d"}, "!unknown"),
        ({"range": "!order"}, "!order"),
        ({"range": "!nonsense"}, "!unknown"),
    ],
)
def test_a_range_is_read_from_the_address(query: dict[str, str], text: str) -> None:
    assert asked(query) == text
    assert asked({"range": text}) == text, "it means the same where it is handed on"


@pytest.mark.parametrize(
    ("text", "first", "days"),
    [
        ("today", date(2026, 11, 16), 1),
        ("7d", date(2026, 11, 10), 7),
        ("30d", date(2026, 10, 18), 30),
        ("90d", date(2026, 8, 19), 90),
        ("year", date(2025, 11, 17), 365),
    ],
)
def test_a_usual_range_ends_today(text: str, first: date, days: int) -> None:
    span = span_of(text, TODAY)
    assert (span.first, span.last, span.days, span.now) == (first, TODAY, days, True)
    assert span_of(asked(span.query), TODAY) == span, "its own link leads back to it"


def test_a_range_of_ones_own_ends_where_it_says_but_not_after_today() -> None:
    past = span_of("2026-08-01..2026-08-17", TODAY)
    assert (past.first, past.last, past.now, past.days) == (date(2026, 8, 1), date(2026, 8, 17), False, 17)
    assert past.query == {"from": "2026-08-01", "to": "2026-08-17"}
    ahead = span_of("2026-11-10..2026-12-31", TODAY)
    assert (ahead.first, ahead.last, ahead.now) == (date(2026, 11, 10), TODAY, True)
    assert span_of("2026-11-17..2026-11-18", TODAY).problem == "!future"


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_cannot_be_shown_is_today_with_the_reason(problem: str) -> None:
    span = span_of(problem, TODAY)
    assert (span.first, span.last, span.name, span.problem) == (TODAY, TODAY, "today", problem)
    assert span.query == {}


def test_only_a_range_of_ones_own_is_one_of_many() -> None:
    assert is_custom("2026-08-01..2026-08-17")
    assert not any(map(is_custom, ["today", "7d", "year", *PROBLEMS]))
    assert LONGEST == 366
