"""The morning against a usual one, and the days of a range: which days are compared, and with what."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from importlib import import_module
from statistics import median
from typing import Any

import pytest
import sqlalchemy as sa

from kpis import e_attendance
from kpis.spans import Span
from kpis.views import AttendanceView
from tests.kpis.test_e_attendance import DAY, at, gate, told
from tests.pipeline.world import World

MONTH = Span(first=DAY - timedelta(days=29), last=DAY, name="30d")


def view(
    world: World, day: date = DAY, clock: str = "10:00", opd: str | None = None, span: Span | None = None
) -> AttendanceView:
    with world.store.read() as conn:
        return e_attendance.view(conn, world.settings, datetime.fromisoformat(at(clock, day)), opd, span)


def come(world: World, day: date, *clocks: str, opd: str = "dinkes") -> None:
    for number, clock in enumerate(clocks):
        gate(world, f"{opd}{number}", clock, day=day, opd=opd)


def curve(found: AttendanceView, name: str) -> dict[int, float]:
    return {p.minute: value for p in found.arrivals if (value := getattr(p, name)) is not None}


def test_a_morning_is_compared_with_the_same_weekday_of_earlier_weeks(world: World) -> None:
    """17 August, a Monday, is a holiday; 12 and 5 August and 29 July are Wednesdays like 19 August."""
    come(world, DAY, "07:05", "07:15")
    for weeks, clocks in ((1, ("07:25",)), (2, ("07:05", "07:06", "07:30")), (3, ("07:01", "08:00"))):
        come(world, DAY - timedelta(weeks=weeks), *clocks)
    come(world, DAY - timedelta(days=1), *["07:00"] * 9)
    found = view(world)
    assert found.usual_days == tuple(DAY - timedelta(weeks=n) for n in (1, 2, 3))
    people = 30  # of the OPD whose headcount is known
    for minute, counts in ((420, (0, 0, 0)), (430, (0, 2, 1)), (450, (1, 3, 1)), (480, (1, 3, 2))):
        assert curve(found, "usual")[minute] == pytest.approx(median(counts) / people), minute
        assert curve(found, "low")[minute] <= curve(found, "usual")[minute] <= curve(found, "high")[minute]
    assert curve(found, "high")[450] == pytest.approx(2 / people)
    assert curve(found, "today")[430] == pytest.approx(1 / people)
    assert curve(found, "today")[600] == pytest.approx(2 / people)


def test_the_curve_is_what_the_clocks_say(world: World) -> None:
    clocks = ("06:00", "06:10", "06:10:01", "07:29:59", "07:30", "07:30:01", "09:59", "10:00", "10:00:01")
    come(world, DAY, *clocks)
    for minute, share in curve(view(world, clock="11:00"), "today").items():
        edge = datetime.fromisoformat(at(f"{minute // 60:02}:{minute % 60:02}"))
        query = "SELECT count(*) FROM attendance WHERE at <= :edge"
        with world.store.read() as conn:
            count = conn.execute(sa.text(query), {"edge": int(edge.timestamp() * 1e6)}).scalar_one()
        assert share == pytest.approx(count / 30), minute


def test_a_curve_ends_now_and_an_opd_has_its_own(world: World) -> None:
    come(world, DAY, "07:00")
    come(world, DAY, "07:00", "07:00", opd="dishub")
    assert max(curve(view(world, clock="07:45"), "today")) == 460
    assert curve(view(world, opd="dishub"), "today")[600] == pytest.approx(2 / 20)
    assert view(world, opd="damkar").arrivals == (), "nobody knows how many people it has"


def test_a_holiday_is_no_usual_day(world: World) -> None:
    holiday = date(2026, 8, 17)
    come(world, holiday, "07:00")
    come(world, date(2026, 8, 10), "07:10")
    assert view(world, date(2026, 8, 24)).usual_days == (date(2026, 8, 10),)


def test_ramadan_is_compared_with_ramadan_alone(world: World) -> None:
    world.with_settings(
        e_attendance={"ramadan": [{"first": date(2026, 7, 30), "last": date(2026, 8, 13)}], "grace": "15m"}
    )
    for weeks in range(1, 6):
        come(world, DAY - timedelta(weeks=weeks), "07:00")
    assert view(world).usual_days == tuple(DAY - timedelta(weeks=n) for n in (3, 4, 5))
    fasting = DAY - timedelta(weeks=1)
    assert view(world, fasting).usual_days == (DAY - timedelta(weeks=2),)


def test_a_day_nobody_was_heard_of_is_no_usual_day(world: World) -> None:
    told(world, "p1", "cuti", day=DAY - timedelta(weeks=1))
    come(world, DAY - timedelta(weeks=2), "07:00")
    assert view(world).usual_days == (DAY - timedelta(weeks=2),)


def test_earlier_mornings_are_counted_once_until_one_of_them_changes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = import_module("kpis.e_attendance.view")
    counted: list[date] = []
    count = module._first_ins

    def counting(conn: Any, settings: Any, day: date, opds: list[str]) -> Any:
        counted.append(day)
        return count(conn, settings, day, opds)

    monkeypatch.setattr(module, "_first_ins", counting)
    before = DAY - timedelta(weeks=1)
    come(world, before, "07:00")
    assert curve(view(world), "usual")[420] == pytest.approx(1 / 30)
    assert before in counted
    counted.clear()
    assert curve(view(world), "usual")[420] == pytest.approx(1 / 30)
    assert counted == [DAY], "only today is counted again"
    gate(world, "p77", "06:50", day=before)
    assert curve(view(world), "usual")[420] == pytest.approx(2 / 30)


def days(found: AttendanceView) -> dict[date, tuple[Any, ...]]:
    return {day.day: (day.attended, day.due, day.late, day.off is not None) for day in found.days}


def test_days_off_are_said_and_a_silent_day_is_a_gap(world: World) -> None:
    come(world, date(2026, 8, 18), "07:00", "09:00")
    told(world, "x", "cuti", day=date(2026, 8, 18))
    told(world, "y", "dinas_luar", day=date(2026, 8, 18))
    told(world, "y", "dinas_luar", day=date(2026, 8, 14))
    found = view(world, span=Span(first=date(2026, 8, 14), last=DAY, name="custom"))
    shown = days(found)
    assert (found.first, found.last) == (DAY - timedelta(days=29), DAY), "a month at least"
    assert shown[date(2026, 8, 18)] == (3, 29, 1, False)
    assert shown[date(2026, 8, 17)] == (0, 0, 0, True)
    assert shown[date(2026, 8, 16)] == (0, 0, 0, True)
    assert date(2026, 8, 14) not in shown
    assert DAY not in shown


@pytest.mark.parametrize("length", [30, 90, 365])
def test_a_range_shows_its_days(world: World, length: int) -> None:
    first = DAY - timedelta(days=length - 1)
    come(world, DAY - timedelta(days=length // 2 // 7 * 7), "07:00")
    come(world, first - timedelta(days=7), "07:00")
    found = view(world, span=Span(first=first, last=DAY, name="x"))
    worked = [day for day in found.days if day.off is None]
    assert [day.day for day in worked] == [DAY - timedelta(days=length // 2 // 7 * 7)]
    assert len(found.days) > length * 2 / 7 - 2
    assert all(first <= day.day <= DAY for day in found.days)
