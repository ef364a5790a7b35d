"""The city's days: where midnight falls, which days are worked, what is a working day later."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cached_property

import holidays
import numpy as np
from numpy.typing import NDArray

from kpis.config import Settings

Moments = NDArray[np.float64]
"""Instants in seconds since 1970 UTC; infinity is never."""

HOUR = 3600.0
DAY = 86400.0


def stamps(moments: Moments) -> list[str]:
    """RFC 3339 without its final Z, whole seconds in UTC; only finite moments."""
    seconds = np.floor(moments).astype("int64").astype("datetime64[s]")
    return [str(text) for text in np.datetime_as_string(seconds).tolist()]


def stamp(moment: float) -> str:
    """One moment in RFC 3339, whole seconds in UTC."""
    return f"{np.datetime64(int(moment // 1), 's')}Z"


class Days:
    """Calendar arithmetic over five years around a day, in one city's time zone and rules."""

    def __init__(self, settings: Settings, around: date) -> None:
        self._rules = settings.e_attendance
        self.zone = settings.zone
        self.first = date(around.year - 2, 1, 1)
        self.count = (date(around.year + 3, 1, 1) - self.first).days

    @cached_property
    def midnights(self) -> Moments:
        """The instant each day begins; one more than there are days."""
        start = datetime(self.first.year, 1, 1, tzinfo=self.zone)
        return np.array([(start + timedelta(days=n)).timestamp() for n in range(self.count + 1)])

    @cached_property
    def worked(self) -> NDArray[np.bool_]:
        """Whether each day is a working day of the offices."""
        years = range(self.first.year, self.first.year + 5)
        known = holidays.country_holidays("ID", years=years, categories=("public", "government"))
        off = set(known) if self._rules.national_holidays else set()
        off |= set(self._rules.days_off)
        flags = np.zeros(self.count, dtype=np.bool_)
        for place in range(self.count):
            day = self.day(place)
            usual = day.isoweekday() in self._rules.workdays and day not in off
            flags[place] = usual or day in self._rules.days_on
        return flags

    @cached_property
    def _next_worked(self) -> NDArray[np.int64]:
        """For each day the first working day at or after it."""
        found = np.full(self.count, self.count - 1, dtype=np.int64)
        upcoming = self.count - 1
        for place in range(self.count - 1, -1, -1):
            if self.worked[place]:
                upcoming = place
            found[place] = upcoming
        return found

    @cached_property
    def _worked_places(self) -> NDArray[np.int64]:
        return np.flatnonzero(self.worked)

    def place(self, day: date) -> int:
        """The day's position in the arrays."""
        place = (day - self.first).days
        if not 0 <= place < self.count:
            raise ValueError(f"{day} is beyond the years around {self.first.year + 2}")
        return place

    def day(self, place: int) -> date:
        return self.first + timedelta(days=int(place))

    def midnight(self, day: date) -> float:
        return float(self.midnights[self.place(day)])

    def of(self, moment: float) -> date:
        """The city's day a moment falls on."""
        return datetime.fromtimestamp(moment, self.zone).date()

    def is_worked(self, day: date) -> bool:
        return bool(self.worked[self.place(day)])

    def shift_start(self, day: date) -> float:
        """When the office day begins, in seconds after midnight (Perpres 21/2023; later in Ramadan)."""
        fasting = any(period.first <= day <= period.last for period in self._rules.ramadan)
        start = self._rules.ramadan_start if fasting else self._rules.shift_start
        return start.hour * HOUR + start.minute * 60

    def shift_end(self, day: date) -> float:
        end = self._rules.shift_end
        return end.hour * HOUR + end.minute * 60

    def span(self, first: date, last: date) -> list[date]:
        """The days from first to last, both included."""
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]

    def into_hours(
        self, moments: Moments, spread: Moments, opens: float, closes: float, every_day: NDArray[np.bool_]
    ) -> Moments:
        """Moves moments outside office hours to the next opening, `spread` (0..1) over three hours.

        Where `every_day` is true the office is open on days off too. Nothing moves backwards.
        """
        place = np.searchsorted(self.midnights, moments, side="right") - 1
        place = np.clip(place, 0, self.count - 2)
        second = moments - self.midnights[place]
        open_today = every_day | self.worked[place]
        inside = open_today & (second >= opens) & (second < closes)
        early = open_today & (second < opens)
        tomorrow = place + 1
        later = np.where(every_day, tomorrow, self._next_worked[tomorrow])
        target = np.where(early, place, later)
        moved = self.midnights[target] + opens + spread * 3 * HOUR
        return np.where(inside, moments, moved)

    def after_workdays(self, moments: Moments, days: NDArray[np.int64]) -> Moments:
        """The end of office hours on the nth working day after the day of each moment."""
        place = np.searchsorted(self.midnights, moments, side="right") - 1
        rank = np.searchsorted(self._worked_places, place, side="right") - 1 + days
        rank = np.minimum(rank, len(self._worked_places) - 1)
        due: Moments = self.midnights[self._worked_places[rank]] + 16 * HOUR
        return due
