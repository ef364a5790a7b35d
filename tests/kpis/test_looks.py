"""When a look begins and ends, and what is said to have changed since; each rule as a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from kpis.looks import AWAY, FIRST, LONGEST, Change, Turn, asked_since, grouped, last_look
from kpis.types import Freshness, Severity
from kpis.views import StateChange
from tests.dashboard.fakes import reading

NOW = datetime(2026, 8, 19, 3, 0, tzinfo=UTC)
SINCE = NOW - FIRST
WIB = ZoneInfo("Asia/Jakarta")


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def cookie(since: datetime | int, seen: datetime) -> str:
    began = since if isinstance(since, int) else int(since.timestamp())
    return f"{began}.{int(seen.timestamp())}"


@pytest.mark.parametrize(
    ("kept", "found"),
    [
        (None, None),
        ("", None),
        # In front of somebody a moment ago: a reload shows the same look.
        (cookie(ago(hours=9), ago(seconds=20)), ago(hours=9)),
        (cookie(ago(hours=9), NOW - AWAY), ago(hours=9)),
        # Put away for longer: a new look begins where the last one ended.
        (cookie(ago(hours=9), NOW - AWAY - timedelta(seconds=1)), ago(minutes=35)),
        (cookie(ago(days=9), ago(days=2)), ago(days=2)),
        # A first look goes on being one until it ends.
        (cookie(0, ago(minutes=1)), None),
        (cookie(0, ago(hours=5)), ago(hours=5)),
        # Looks begin on a grid of five minutes, so that nothing is left out.
        (cookie(ago(hours=9, seconds=7), ago(seconds=1)), ago(hours=9, minutes=5)),
        # Nobody remembers so far back, and nobody looked tomorrow.
        (cookie(ago(days=40), ago(days=31)), None),
        (cookie(ago(days=31), ago(seconds=1)), None),
        (cookie(ago(hours=1), NOW + timedelta(hours=1)), None),
        (cookie(ago(hours=1), ago(hours=2)), None),
        # A device whose clock runs a little fast.
        (cookie(ago(hours=1), NOW + timedelta(seconds=30)), ago(hours=1)),
        ("1.2.3", None),
        ("x.y", None),
        ("-5.10", None),
        ("٣.٣", None),
        ("9" * 30 + "." + "9" * 30, None),
        ("99999999999.99999999999", None),
    ],
)
def test_a_look_ends_after_half_an_hour_away(kept: str | None, found: datetime | None) -> None:
    assert last_look(kept, NOW) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, None),
        ("", None),
        ("2026-08-19T08:30", datetime(2026, 8, 19, 1, 30, tzinfo=UTC)),
        ("2026-08-19T08:30+09:00", datetime(2026, 8, 18, 23, 30, tzinfo=UTC)),
        ("20260818T2330Z", datetime(2026, 8, 18, 23, 30, tzinfo=UTC)),
        ("2026-08-18", datetime(2026, 8, 17, 17, 0, tzinfo=UTC)),
        ("2026-08-19T08:33:59", datetime(2026, 8, 19, 1, 30, tzinfo=UTC)),
        ("2026-08-19T10:01", None),  # in a minute's time
        ((NOW - LONGEST).isoformat(), NOW - LONGEST),
        ((NOW - LONGEST - timedelta(minutes=1)).isoformat(), None),
        ("yesterday", None),
        ("0001-01-01T00:00", None),
        ("9999-12-31T23:59", None),
        ("2026-08-19T08:30" + " " * 60, None),
    ],
)
def test_an_address_names_a_moment_of_the_last_thirty_days(text: str | None, found: datetime | None) -> None:
    assert asked_since(text, WIB, NOW) == found


# --- what changed ------------------------------------------------------------------------------------

G, W, A, U = "on_target", "watch", "act", "unknown"


def moves(*states: str, kpi: str = "requests_open", opd: str | None = None) -> list[StateChange]:
    """A figure that went through these states, an hour apart."""
    return [
        StateChange(kpi=kpi, opd=opd, at=ago(hours=20 - n), before=before, after=after, value=1.0)
        for n, (before, after) in enumerate(pairwise(states))
    ]


def changes(*rows: StateChange, by_day: tuple[str, ...] = ()) -> tuple[Change, ...]:
    return grouped(rows, (), SINCE, distances={}, by_day=by_day)


@pytest.mark.parametrize(
    ("states", "turn", "times"),
    [
        ((G, A), Turn.ACT, 1),
        ((W, A), Turn.ACT, 1),
        ((U, A), Turn.ACT, 1),
        ((G, W, A), Turn.ACT, 2),
        ((G, W), Turn.WATCH, 1),
        ((A, W), Turn.EASED, 1),
        ((A, G), Turn.RECOVERED, 1),
        ((A, W, G), Turn.RECOVERED, 2),
        ((G, U), Turn.LOST, 1),
        # Flapping is one line, whichever way it ended.
        ((G, A, G, A, G, A), Turn.ACT, 5),
        ((A, G, A, G, A), Turn.UNSTEADY, 4),
        ((G, W, G), Turn.UNSTEADY, 2),
        # A gap is no move: it went away and came back as it was.
        ((G, U, G), None, 0),
        ((A, U, A), None, 0),
        ((G, U, A), Turn.ACT, 1),
        # That a figure came in and is as it should be is no news.
        ((U, G), None, 0),
        ((U, G, U), None, 0),
        ((U, W), Turn.WATCH, 1),
    ],
)
def test_what_became_of_a_figure_is_one_line(states: tuple[str, ...], turn: Turn | None, times: int) -> None:
    found = changes(*moves(*states))
    assert [(one.turn, one.times) for one in found] == ([] if turn is None else [(turn, times)])


@pytest.mark.parametrize(
    ("states", "turn"),
    [
        ((G, U), None),
        ((G, U, G), None),
        ((G, U, A), Turn.ACT),
        ((U, A), Turn.ACT),
        ((A, U), None),
        ((U,), None),
    ],
)
def test_the_night_is_no_change_of_attendance(states: tuple[str, ...], turn: Turn | None) -> None:
    found = changes(*moves(*states, kpi="late_share_today"), by_day=("late_share_today",))
    assert [one.turn for one in found] == ([] if turn is None else [turn])


def test_the_loudest_comes_first_and_the_city_before_its_opd() -> None:
    rows = [
        *moves(A, G, kpi="a"), *moves(G, W, kpi="b"), *moves(G, A, kpi="c", opd="dlh"), *moves(G, A, kpi="d"),
        *moves(G, A, kpi="e", opd="dlh"), *moves(G, W, G, kpi="f"), *moves(A, W, kpi="g"),
    ]  # fmt: skip
    found = grouped(rows, (), SINCE, distances={("e", "dlh"): 3.0, ("c", "dlh"): 1.0})
    assert [one.kpi for one in found] == ["d", "e", "c", "b", "f", "g", "a"]
    assert [one.turn.better for one in found] == [False] * 5 + [True] * 2


def test_a_figure_that_fell_silent_since_the_look_is_said_to_be_stale() -> None:
    stale = reading(freshness=Freshness.STALE, severity=Severity.ACT, since=ago(hours=2))
    before = replace(stale, kpi="apps_down_now", since=SINCE - timedelta(seconds=1))
    found = grouped(moves(G, A), (stale, before), SINCE, distances={})
    assert [(one.kpi, one.turn, one.after) for one in found] == [("requests_open", Turn.STALE, Severity.ACT)]
