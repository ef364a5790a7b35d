"""E-attendance of the city's day, worked out by hand: who is expected, present, late, away."""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kpis import e_attendance
from kpis.days import day_off
from tests.conftest import FrozenClock
from tests.pipeline.world import World, record, settings_for

_numbers = itertools.count()
RATE, LATE, DOUBT = "attendance_rate_today", "late_share_today", "doubtful_share_today"
DAY = date(2026, 8, 19)


def at(clock: str, day: date = DAY, zone: str = "Asia/Jakarta") -> str:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo(zone)).isoformat()


def gate(world: World, who: str, clock: str, kind: str = "in", *, day: date = DAY, **fields: Any) -> None:
    """Somebody passes the gate at a local time."""
    zone = world.settings.city.timezone
    found = record(
        "attendance", id=f"a{next(_numbers)}", employee=who, at=at(clock, day, zone), kind=kind, **fields
    )
    outcome = world.take("attendance", found)
    assert outcome.accepted == 1, outcome.refusals


def told(world: World, who: str, category: str, opd: str = "dinkes", day: date = DAY) -> None:
    fields = {
        "id": f"d{next(_numbers)}",
        "employee": who,
        "category": category,
        "opd": opd,
        "day": day.isoformat(),
    }
    assert world.take("attendance_day", record("attendance_day", **fields)).accepted == 1


def test_a_day_nobody_told_of_is_missing_not_zero(world: World) -> None:
    found = world.reading(RATE)
    assert (found.value, found.numerator, found.denominator, found.freshness) == (None, 0, 30, "never")
    assert world.value(LATE) is None
    assert world.value(DOUBT) is None
    gate(world, "p1", "07:00", opd="dishub")
    assert world.value(RATE) == pytest.approx(1 / 30)
    assert world.value(RATE, "dishub") == pytest.approx(1 / 20)
    assert world.value(RATE, "dinkes") is None, "its machine was silent"


def test_told_that_nobody_came_is_zero(world: World) -> None:
    told(world, "p1", "tanpa_keterangan")
    assert world.value(RATE, "dinkes") == 0


def test_people_of_an_opd_without_headcount_stay_out_of_the_citys_rate(world: World) -> None:
    gate(world, "p1", "07:00")
    told(world, "p8", "cuti", "damkar")
    gate(world, "p9", "07:00", opd="damkar")
    rate = world.reading(RATE)
    assert (rate.numerator, rate.denominator) == (1, 30)
    assert world.value(RATE, "damkar") is None, "its headcount is not known"
    assert world.reading(LATE).denominator == 2, "both are present"


def test_present_late_and_expected(world: World) -> None:
    for who, clock in {"p1": "06:50", "p2": "07:45", "p3": "07:45:01", "p4": "09:59"}.items():
        gate(world, who, clock)
    gate(world, "p5", "07:00", opd="dishub")
    rate = world.reading(RATE)
    assert (rate.value, rate.numerator, rate.denominator) == (pytest.approx(5 / 30), 5, 30)
    assert world.value(RATE, "dinkes") == pytest.approx(4 / 10)
    assert world.value(RATE, "dishub") == pytest.approx(1 / 20)
    late = world.reading(LATE)
    assert (late.value, late.numerator, late.denominator) == (pytest.approx(2 / 5), 2, 5)
    assert world.value(LATE, "dinkes") == 0.5
    assert world.value(LATE, "dishub") == 0


@pytest.mark.parametrize(
    ("time", "late"), [("07:30", 0), ("07:45:00", 0), ("07:45:00.000001", 1), ("07:46", 1)]
)
def test_late_is_after_start_plus_grace(embedded: World, time: str, late: int) -> None:
    gate(embedded, "p1", time)
    assert embedded.value(LATE) == late


@pytest.mark.parametrize(("grace", "late"), [("0s", 1), ("10m", 0)])
def test_the_grace_is_the_citys(embedded: World, grace: str, late: int) -> None:
    embedded.with_settings(e_attendance={"grace": grace})
    gate(embedded, "p1", "07:35")
    assert embedded.value(LATE) == late


def test_the_first_clock_in_counts_and_leaving_is_no_arrival(world: World) -> None:
    gate(world, "p1", "07:00")
    gate(world, "p1", "09:00")
    gate(world, "p2", "09:30")
    gate(world, "p2", "07:10")  # arrives later than it happened
    gate(world, "p3", "08:00", "out")
    found = world.reading(LATE)
    assert (found.numerator, found.denominator) == (0, 2)


@pytest.mark.parametrize(
    ("day", "time", "late"),
    [
        (date(2026, 3, 2), "08:15", 0),  # within Ramadan
        (date(2026, 3, 2), "08:16", 1),
        (date(2026, 2, 18), "08:15", 1),  # the day before it
        (date(2026, 3, 20), "08:15", 0),  # its last day
        (date(2026, 3, 23), "08:15", 1),
    ],
)
def test_ramadan_begins_the_day_later(embedded: World, day: date, time: str, late: int) -> None:
    fast = [{"first": date(2026, 2, 19), "last": date(2026, 3, 20)}]
    embedded.with_settings(e_attendance={"ramadan": fast, "national_holidays": False})
    gate(embedded, "p1", time, day=day)
    noon = datetime.fromisoformat(at("12:00", day))
    assert embedded.value(LATE, at=noon) == late


@pytest.mark.parametrize(
    ("day", "rules", "off"),
    [
        (date(2026, 8, 19), {}, None),
        (date(2026, 8, 22), {}, "weekend"),
        (date(2026, 8, 23), {}, "weekend"),
        (date(2026, 8, 22), {"workdays": [1, 2, 3, 4, 5, 6]}, None),
        (date(2026, 8, 22), {"day_on": [{"day": date(2026, 8, 22)}]}, None),
        (date(2026, 8, 17), {}, "Hari Kemerdekaan Republik Indonesia"),
        (date(2026, 8, 17), {"national_holidays": False}, None),
        (date(2026, 8, 17), {"day_on": [{"day": date(2026, 8, 17)}]}, None),
        (date(2026, 8, 19), {"day_off": [{"day": date(2026, 8, 19), "name": "Hari jadi"}]}, "Hari jadi"),
        (date(2026, 12, 24), {}, "Cuti Bersama Hari Raya Natal"),
    ],
)
def test_days_off(day: date, rules: dict[str, Any], off: str | None) -> None:
    found = day_off(day, settings_for("sqlite:////tmp/x.db", e_attendance=rules).e_attendance)
    assert found == off


def test_nobody_is_expected_on_a_day_off(world: World) -> None:
    world.with_settings(e_attendance={"day_off": [{"day": DAY, "name": "Hari jadi"}]})
    gate(world, "p1", "07:00")
    found = world.reading(RATE)
    assert (found.value, found.numerator, found.denominator) == (None, 1, 0)


def test_approved_leave_leaves_the_denominator_and_the_rest_does_not(world: World) -> None:
    for who, category in {"p1": "cuti", "p2": "sakit", "p3": "izin", "p4": "tanpa_keterangan",
                          "p5": "dinas_luar", "p6": "hadir"}.items():  # fmt: skip
        told(world, who, category)
    gate(world, "p7", "07:00")
    found = world.reading(RATE, "dinkes")
    assert (found.numerator, found.denominator) == (
        3,
        7,
    )
    assert world.reading(RATE).denominator == 27
    assert world.reading(LATE).denominator == 2, "dinas luar is away and never late"


def test_leave_goes_before_a_clock_in_and_presence_before_dinas_luar(world: World) -> None:
    told(world, "p1", "cuti")
    gate(world, "p1", "09:00")
    told(world, "p2", "dinas_luar")
    gate(world, "p2", "09:00")
    rate = world.reading(RATE, "dinkes")
    assert (rate.numerator, rate.denominator) == (1, 9)
    late = world.reading(LATE, "dinkes")
    assert (late.numerator, late.denominator) == (1, 1)


def test_a_person_at_two_opd_is_one_person_of_the_city(world: World) -> None:
    gate(world, "p1", "07:00")
    gate(world, "p1", "09:00", opd="dishub")
    assert world.reading(RATE).numerator == 1
    assert world.value(RATE, "dinkes") == 0.1
    assert world.value(RATE, "dishub") == 0.05
    assert world.value(LATE) == 0, "the first clock-in of the day was in time"
    assert world.value(LATE, "dishub") == 1


def test_doubtful_check_ins(world: World) -> None:
    gate(world, "p1", "07:00", doubtful=True)
    gate(world, "p1", "09:00", "out", doubtful=True)
    gate(world, "p2", "07:00", doubtful=False)
    gate(world, "p3", "07:00")
    gate(world, "p3", "09:00", doubtful=True, opd="dishub")
    gate(world, "p4", "07:00", day=DAY - timedelta(days=1), doubtful=True)
    found = world.reading(DOUBT)
    assert (found.value, found.numerator, found.denominator) == (0.5, 2, 4)
    assert world.value(DOUBT, "dinkes") == pytest.approx(1 / 3)
    assert world.value(DOUBT, "dishub") == 1
    assert world.value(DOUBT, "damkar") is None


@pytest.mark.parametrize("zone", ["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"])
def test_a_day_is_the_citys_day(world: World, zone: str) -> None:
    """The first and the last microsecond of the day, and those beside it, in each of the three zones."""
    world.with_settings(city={"timezone": zone})
    day = date(2026, 8, 18)
    gate(world, "p1", "23:59:59.999999", day=date(2026, 8, 17))
    gate(world, "p2", "00:00", day=day)
    gate(world, "p3", "23:59:59.999999", day=day)
    gate(world, "p4", "00:00", day=date(2026, 8, 19))
    last = datetime.fromisoformat(at("23:59:59.999999", day, zone))
    assert world.reading(RATE, at=last).numerator == 2
    assert world.reading(RATE, at=last + timedelta(microseconds=1)).numerator == 1
    assert world.reading(LATE, at=last).numerator == 1


def test_the_shift_begins_by_the_citys_clock(world: World) -> None:
    for zone in ("Asia/Makassar", "Asia/Jayapura"):
        world.reset(world.now)
        world.with_settings(city={"timezone": zone})
        gate(world, "p1", "07:45")
        gate(world, "p2", "07:46")
        assert world.reading(LATE).numerator == 1


def test_the_day_as_it_was_at_eight(world: World) -> None:
    gate(world, "p1", "07:00")
    gate(world, "p2", "08:30")
    gate(world, "p3", "08:00:00.000001", doubtful=True)
    eight = datetime.fromisoformat(at("08:00"))
    assert world.reading(RATE, at=eight).numerator == 1
    assert world.value(LATE, at=eight) == 0
    assert world.value(DOUBT, at=eight) == 0
    yesterday = eight - timedelta(days=1)
    assert world.reading(RATE, at=yesterday).numerator == 0


def test_before_the_shift_has_begun_nothing_is_judged(world: World) -> None:
    targets = {RATE: {"target": 0.9, "act": 0.8}, LATE: {"target": 0.08, "act": 0.15}}
    world.with_settings(kpi=targets)
    gate(world, "p1", "06:30")
    limit = datetime.fromisoformat(at("07:45"))
    assert world.reading(RATE, at=limit).severity == "unknown"
    assert world.reading(RATE, at=limit).value is not None
    assert world.reading(RATE, at=limit + timedelta(microseconds=1)).severity == "act"


def test_an_opd_that_sent_nothing_today_is_stale_and_not_never(world: World, clock: FrozenClock) -> None:
    """One OPD's first clock-in of a Monday says nothing of the others: theirs are as old as Friday's."""
    friday = DAY - timedelta(days=5)
    gate(world, "p1", "07:00", day=friday)
    gate(world, "p2", "07:00", opd="dishub", day=friday)
    gate(world, "p2", "16:00", "out", opd="dishub", day=friday)
    told(world, "p9", "cuti", opd="dishub", day=DAY)
    gate(world, "p1", "07:05")
    assert world.reading(RATE, "dinkes").freshness == "fresh"
    found = world.reading(RATE, "dishub")
    assert found.freshness == "stale"
    assert found.observed_at == datetime.fromisoformat(at("16:00", friday))
    assert world.reading(RATE, "damkar").freshness == "never"
    then = datetime.fromisoformat(at("15:00", friday))
    assert world.reading(RATE, "dishub", then).observed_at == datetime.fromisoformat(at("07:00", friday))


def test_a_day_without_any_clock_is_a_gap_in_the_thirty_days(embedded: World) -> None:
    gate(embedded, "p1", "07:00", day=date(2026, 8, 18))
    told(embedded, "p2", "dinas_luar", day=date(2026, 8, 14))
    with embedded.store.read() as conn:
        found = e_attendance.view(conn, embedded.settings, datetime.fromisoformat(at("10:00")))
    assert [day.day for day in found.days if day.off is None] == [date(2026, 8, 18)]
