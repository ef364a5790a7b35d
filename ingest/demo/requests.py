"""Service requests of the pretend city: each has its whole life from the moment it is opened.

A request is drawn from the seed and its day alone, so what was told of it yesterday still holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np

from ingest.demo.city import City
from ingest.demo.days import DAY, stamp
from ingest.demo.seeds import chance
from ingest.demo.words import FLOOD, PLEAS, QUESTIONS, SINCE, SPOTS, STREETS, SUBJECTS, THANKS

LOOK_BACK = 75
"""Days after which hardly any request is still alive; older ones are told only as they ended."""

_CHANNELS = ("sms", "whatsapp", "aplikasi", "web", "tatap_muka")
_CHANNEL_WEIGHTS = (0.34, 0.28, 0.18, 0.13, 0.07)
_STEPS = ("received", "verified", "assigned", "in_progress", "answered", "closed")


@dataclass(frozen=True, slots=True)
class Request:
    """`moments` are those of `_STEPS` it goes through, in order; `end` replaces the last status."""

    id: str
    fields: dict[str, Any]
    moments: tuple[float, ...]
    end: str
    confirmed: bool | None
    reopened: int

    @property
    def source(self) -> str:
        return "sms" if self.fields["channel"] == "sms" else "lapor"

    def status(self, place: int) -> str:
        return self.end if place == len(self.moments) - 1 else _STEPS[place]

    def record(self, moment: float) -> bytes | None:
        """As it stood at a moment; None before it was opened."""
        place = sum(1 for at in self.moments if at <= moment) - 1
        if place < 0:
            return None
        found: dict[str, Any] = {"id": self.id, **self.fields, "status": self.status(place)}
        found["updated_at"] = stamp(self.moments[place])
        for step, name in ((1, "verified_at"), (2, "assigned_at"), (4, "answered_at"), (5, "closed_at")):
            if place >= step and (step != 5 or self.end == "closed"):
                found[name] = stamp(self.moments[step])
        if found["status"] == "closed":
            found["reopened"] = self.reopened
            if self.confirmed is not None:
                found["confirmed"] = self.confirmed
        return json.dumps(found, ensure_ascii=False).encode()


def _of_day(city: City, day: date) -> int:
    """How many are opened: fewer on a day off, many more in the days after heavy rain."""
    draw = chance(city.seed, "load", day)
    usual = 218 if city.days.is_worked(day) else 150
    return int(draw.poisson(usual * (1.55 if is_flood(city, day) else 1.0)))


def is_flood(city: City, day: date) -> bool:
    """Heavy rain falls on about one day of thirty and is complained of for two."""
    return any(chance(city.seed, "rain", day - timedelta(days=n)).uniform() < 0.033 for n in (0, 1))


@lru_cache(maxsize=200)
def _day(city: City, day: date) -> tuple[Request, ...]:
    draw = chance(city.seed, "requests", day)
    count = _of_day(city, day)
    midnight = city.days.midnight(day)
    # People write by day, with a rise before noon and one in the evening.
    hour = (
        np.where(draw.random(count) < 0.6, draw.normal(10.2, 2.4, count), draw.normal(18.3, 2.6, count)) % 24
    )
    opened = np.sort(midnight + hour * 3600)
    subject = draw.choice(len(SUBJECTS), count, p=_weights(is_flood(city, day)))
    lives = _lives(city, draw, opened, np.array([SUBJECTS[s].days for s in subject]))
    kind = draw.choice(3, count, p=(0.78, 0.08, 0.14))
    due = np.where(kind == 2, 5, 14)
    due_at = city.days.after_workdays(opened, due.astype(np.int64))
    return tuple(
        _request(
            city, draw, f"{day:%y%m%d}-{n:04d}", int(subject[n]), int(kind[n]), float(due_at[n]), lives[n]
        )
        for n in range(count)
    )


def _weights(flood: bool) -> Any:
    weights = np.array([s.weight * (6 if flood and s.name == FLOOD else 1) for s in SUBJECTS])
    return weights / weights.sum()


def _lives(city: City, draw: np.random.Generator, opened: Any, days: Any) -> Any:
    """Six moments for each request, in order, moved into office hours."""
    count = len(opened)
    always = np.zeros(count, dtype=np.bool_)
    pace = days * draw.lognormal(0.0, 0.55, count)
    stuck = draw.random(count) < 0.035
    pace[stuck] += draw.uniform(14, 45, int(stuck.sum()))
    spans = (
        draw.exponential(0.25, count), draw.exponential(0.3, count), draw.exponential(0.35, count) + 0.05,
        pace * draw.uniform(0.1, 0.3, count), pace * draw.uniform(0.5, 0.9, count),
    )  # fmt: skip
    moments = [opened]
    for span in spans:
        later = moments[-1] + span * DAY
        moments.append(city.days.into_hours(later, draw.random(count), 7.5 * 3600, 16 * 3600, always))
    return np.stack(moments, axis=1)


def _request(
    city: City, draw: np.random.Generator, number: str, subject: int, kind: int, due_at: float, moments: Any
) -> Request:
    about = SUBJECTS[subject]
    place = city.places[int(draw.integers(len(city.places)))]
    lon, lat = place.points[int(draw.integers(len(place.points)))]
    opds = [opd for opd in about.opds if opd in city.codes] or [
        city.codes[int(draw.integers(len(city.codes)))]
    ]
    fate = draw.uniform()
    end, steps = ("closed", 6) if fate > 0.06 else ("rejected", 2) if fate > 0.025 else ("archived", 5)
    fields = {
        "opd": opds[int(draw.integers(len(opds)))],
        "opened_at": stamp(float(moments[0])),
        "class": ("complaint", "aspiration", "information")[kind],
        "category": about.name,
        "channel": _CHANNELS[int(draw.choice(5, p=_CHANNEL_WEIGHTS))],
        "kelurahan": place.name,
        "kecamatan": place.kecamatan,
        "lat": lat,
        "lon": lon,
        "due_at": stamp(due_at),
        "text": _text(draw, subject, kind),
    }
    answer = draw.uniform()
    confirmed = True if answer < 0.56 else False if answer < 0.64 else None
    return Request(
        number, fields, tuple(float(m) for m in moments[:steps]), end, confirmed, int(draw.uniform() < 0.034)
    )


def _text(draw: np.random.Generator, subject: int, kind: int) -> str:
    def one(choices: tuple[str, ...]) -> str:
        return choices[int(draw.integers(len(choices)))]

    opening = one(SUBJECTS[subject].openings)
    lead = {0: "", 1: one(THANKS) + ": ", 2: one(QUESTIONS) + ", "}[kind]
    text = f"{lead}{opening} di {one(STREETS)} {one(SPOTS)}, {one(SINCE)}. {one(PLEAS)}"
    dice = draw.uniform()
    # Numbers that nobody has: they show that what came in is masked.
    if dice < 0.03:
        text += f" Hubungi 0812-0000-{int(draw.integers(1000, 9999))}."
    elif dice < 0.04:
        text += f" NIK 357300{int(draw.integers(1, 28)):02d}0190{int(draw.integers(1, 9999)):04d}."
    return text


def opened_on(city: City, day: date) -> tuple[Request, ...]:
    """The requests of one day, by the moment they were opened."""
    return _day(city, day)


def at(city: City, days: list[date], moment: float) -> Iterator[tuple[Request, bytes]]:
    """Every request of the days as it stood at a moment."""
    for day in days:
        for request in opened_on(city, day):
            record = request.record(moment)
            if record is not None:
                yield request, record


def changes(city: City, start: float, end: float) -> Iterator[tuple[Request, bytes]]:
    """Every step a request took in (start, end], one record a step, in order of time."""
    last = city.days.of(end)
    found: list[tuple[float, Request]] = []
    for day in city.days.span(last - timedelta(days=LOOK_BACK), last):
        for request in opened_on(city, day):
            if request.moments[0] <= end and request.moments[-1] > start:
                found += [(m, request) for m in request.moments if start < m <= end]
    for moment, request in sorted(found, key=lambda pair: (pair[0], pair[1].id)):
        record = request.record(moment)
        assert record is not None
        yield request, record
