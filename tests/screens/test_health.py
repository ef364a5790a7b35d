"""A screen that falls silent, or shows nothing new, is an alarm; one that is meant to be dark is none."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kpis.screens.health import INTERVAL
from kpis.screens.state import ScreenState
from kpis.screens.tables import screen_device
from kpis.types import Freshness
from tests.conftest import FrozenClock
from tests.screens.conftest import Hall

THREE = 3 * INTERVAL


def state(hall: Hall, name: str = "lobi") -> ScreenState:
    return hall.rows()[name].state


def test_a_screen_is_silent_beyond_three_intervals_and_well_when_heard_again(hall: Hall) -> None:
    token = hall.enrol("lobi")
    heard = hall.clock.now()
    assert hall.report(token)
    assert (state(hall), hall.rows()["lobi"].alarm) == (ScreenState.SHOWING, False)
    hall.clock.tick(seconds=INTERVAL.total_seconds() + 1)
    assert (state(hall), hall.rows()["lobi"].alarm) == (ScreenState.LATE, False)
    hall.clock.set(heard + THREE)
    assert state(hall) is ScreenState.LATE
    hall.clock.tick(seconds=1)
    row = hall.rows()["lobi"]
    assert (row.state, row.freshness, row.alarm) == (ScreenState.SILENT, Freshness.STALE, True)
    assert (row.heard_at, row.since) == (heard, heard + THREE)
    assert hall.report(token)
    assert (state(hall), hall.rows()["lobi"].alarm) == (ScreenState.SHOWING, False)


def test_a_device_that_was_enrolled_and_never_spoke_is_silent_too(hall: Hall) -> None:
    hall.enrol("lobi")
    assert state(hall) is ScreenState.SHOWING
    hall.clock.tick(seconds=THREE.total_seconds() + 1)
    assert state(hall) is ScreenState.SILENT


def test_a_screen_that_nobody_enrolled_or_that_was_revoked_is_no_alarm(hall: Hall) -> None:
    hall.enrol("balai")
    hall.revoke("balai")
    hall.clock.tick(hours=1)
    rows = hall.rows()
    assert (rows["lobi"].state, rows["balai"].state) == (ScreenState.NEVER, ScreenState.REVOKED)
    assert not any(row.alarm for row in rows.values())


def test_silence_does_not_count_while_nobody_could_hear(hall: Hall) -> None:
    token = hall.enrol("lobi")
    hall.report(token)
    back = hall.clock.tick(minutes=30)
    hall.clock.tick(seconds=30)
    assert hall.rows(listening=back)["lobi"].state is ScreenState.SHOWING
    hall.clock.tick(seconds=THREE.total_seconds())
    row = hall.rows(listening=back)["lobi"]
    assert (row.state, row.since) == (ScreenState.SILENT, back + THREE)


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("21:59:59", ScreenState.SILENT),
        ("22:00:00", ScreenState.BLANK),
        ("23:30:00", ScreenState.BLANK),
        ("05:29:59", ScreenState.BLANK),
        ("05:30:00", ScreenState.SHOWING),
        ("05:31:59", ScreenState.LATE),
        ("05:32:01", ScreenState.SILENT),
    ],
)
def test_blank_hours_are_no_alarm_and_silence_counts_from_their_end(
    hall: Hall, local: str, expected: ScreenState
) -> None:
    token = hall.enrol("balai")
    hall.report(token)
    begin = hall.clock.now().astimezone(hall.settings.zone)
    hour, minute, second = map(int, local.split(":"))
    at = begin.replace(hour=hour, minute=minute, second=second)
    hall.clock.set(at if at > begin else at + timedelta(days=1))
    assert state(hall, "balai") is expected


def test_a_picture_that_stands_still_while_changes_arrive_is_an_alarm(hall: Hall) -> None:
    token = hall.enrol("lobi")
    now = hall.clock.tick(minutes=10)
    hall.report(token, due=now, painted=now - THREE)
    assert state(hall) is ScreenState.SHOWING
    hall.report(token, due=now, painted=now - THREE - timedelta(seconds=1))
    row = hall.rows()["lobi"]
    assert (row.state, row.alarm, row.since) == (ScreenState.FROZEN, True, now - timedelta(seconds=1))
    hall.report(token, due=now, painted=None)
    assert state(hall) is ScreenState.FROZEN, "it never showed anything since it was enrolled"
    hall.report(token, due=None, painted=now - timedelta(hours=8))
    assert state(hall) is ScreenState.SHOWING, "a quiet night has no changes to show"


def test_a_screen_without_a_stream_says_so(hall: Hall) -> None:
    hall.report(hall.enrol("lobi"), connection="lost")
    assert state(hall) is ScreenState.CUT


def test_a_report_overwrites_the_one_before(hall: Hall) -> None:
    token = hall.enrol("lobi")
    for number in range(20):
        hall.clock.tick(seconds=30)
        assert hall.report(token, nodes=number)
    assert hall.count(screen_device) == 1
    row = hall.rows()["lobi"]
    assert (row.nodes, row.heap_bytes, row.width, row.height) == (19, 24_000_000, 1920, 1080)
    assert (row.page, row.build, row.heard_at) == ("overview", "0123456789ab", hall.clock.now())


def test_a_revoked_screen_is_not_heard_any_more(hall: Hall) -> None:
    token = hall.enrol("lobi")
    hall.revoke("lobi")
    assert not hall.report(token)
    assert hall.rows()["lobi"].heard_at is None


def test_the_owner_is_the_screens_own_else_who_answers_for_the_applications(hall: Hall) -> None:
    rows = hall.rows()
    assert (rows["lobi"].owner, rows["balai"].owner) == ("dishub", "dinkes")
    assert (rows["lobi"].title, rows["lobi"].place) == ("Lobi utama", "Lantai 1")


def test_in_a_city_whose_clock_runs_faster_a_real_interval_is_as_much_longer(
    hall: Hall, clock: FrozenClock
) -> None:
    fast = type(hall.settings.clock)(real=clock.now(), city=clock.now(), speed=60)
    object.__setattr__(hall.settings, "clock", fast)
    token = hall.enrol("lobi")
    hall.report(token)
    clock.tick(minutes=119)
    assert state(hall) is ScreenState.LATE
    clock.tick(minutes=2)
    assert state(hall) is ScreenState.SILENT


def test_the_worst_stands_first(hall: Hall) -> None:
    hall.report(hall.enrol("lobi"))
    assert list(hall.rows()) == ["lobi", "balai", "wall"]
    hall.enrol("wall")
    hall.clock.tick(minutes=5)
    hall.report(hall.enrol("lobi"))
    assert list(hall.rows()) == ["wall", "lobi", "balai"]
