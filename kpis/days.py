"""The city's days: which date an instant falls on, and which days are worked."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from kpis.config import AttendanceRules
from kpis.store import instant, micros

_QUARTER_US = 900_000_000
# A calendar without any working day must not be searched for ever.
_LONGEST_REST = 60


class DayOf:
    """The city's date of an instant, as ISO text; quick because offsets change on quarter hours only."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._known: dict[int, str] = {}

    def __call__(self, us: int) -> str:
        quarter = us // _QUARTER_US
        day = self._known.get(quarter)
        if day is None:
            if len(self._known) > 50_000:
                self._known.clear()
            day = instant(us).astimezone(self._zone).date().isoformat()
            self._known[quarter] = day
        return day


def day_start(day: date, zone: ZoneInfo) -> int:
    """The first instant of the city's day, in microseconds."""
    return micros(datetime(day.year, day.month, day.day, tzinfo=zone))


def local_day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


@lru_cache(maxsize=64)
def _national(year: int) -> dict[date, str]:
    """National holidays and joint leave of one year (Indonesia; joint leave is known to 2027)."""
    found = holidays.country_holidays("ID", years=year, categories=("public", "government"), language="id")
    return dict(found.items())


def day_off(day: date, rules: AttendanceRules) -> str | None:
    """Why nobody is expected on `day`: the holiday's name, `"weekend"`, or None on a working day."""
    if day in rules.days_on:
        return None
    if day in rules.days_off:
        return rules.days_off[day]
    if day.isoweekday() not in rules.workdays:
        return "weekend"
    return _national(day.year).get(day) if rules.national_holidays else None


def working_day(day: date, count: int, rules: AttendanceRules) -> date:
    """The `count`-th working day after `day`; after sixty days off in a row, that day itself counts."""
    found, left, off = day, count, 0
    while left:
        found += timedelta(days=1)
        off = 0 if day_off(found, rules) is None else off + 1
        left -= off == 0 or off > _LONGEST_REST
    return found


def is_fasting(day: date, rules: AttendanceRules) -> bool:
    """Whether the day lies in Ramadan, when the offices keep other hours."""
    return any(r.first <= day <= r.last for r in rules.ramadan)


def late_after(day: date, rules: AttendanceRules, zone: ZoneInfo) -> int:
    """The last instant of `day`, in microseconds, at which a first clock-in is still in time.

    Start of the shift plus grace; the Ramadan start within Ramadan (Perpres 21/2023).
    """
    start = rules.ramadan_start if is_fasting(day, rules) else rules.shift_start
    return micros(datetime.combine(day, start, tzinfo=zone)) + rules.grace // timedelta(microseconds=1)
