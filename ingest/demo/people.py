"""The pretend city's employees: pseudonyms, and what each working day brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.demo.city import City
from ingest.demo.days import Moments, stamps
from ingest.demo.seeds import chance, scattered

_EXCEPTIONS = (
    ("izin", 0.008), ("sakit", 0.012), ("cuti", 0.028), ("dinas_luar", 0.025), ("tanpa_keterangan", 0.006),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Staff:
    """Everybody, by position: pseudonym, OPD, and the device they clock in at."""

    codes: tuple[str, ...]
    opds: tuple[str, ...]


@lru_cache(maxsize=2)
def _staff(seed: int, heads: tuple[tuple[str, int], ...]) -> Staff:
    total = sum(count for _, count in heads)
    codes = tuple(f"p-{value:06x}" for value in scattered(seed, total))
    return Staff(codes, tuple(code for code, count in heads for _ in range(count)))


def staff(city: City) -> Staff:
    return _staff(city.seed, tuple((opd.code, opd.employees or 0) for opd in city.opds))


@dataclass(frozen=True, slots=True)
class Day:
    """One working day. `arrives` and `leaves` are infinite for who does not come; `category` is an
    index into the exceptions, -1 for none."""

    arrives: Moments
    leaves: Moments
    category: NDArray[np.int64]
    doubtful: NDArray[np.bool_]


@lru_cache(maxsize=8)
def _day(seed: int, total: int, day: date, midnight: float, start: float, end: float) -> Day:
    draw = chance(seed, "attendance", day)
    edges = np.cumsum([share * draw.uniform(0.7, 1.4) for _, share in _EXCEPTIONS])
    category = np.searchsorted(edges, draw.random(total), side="right").astype(np.int64)
    category[category == len(_EXCEPTIONS)] = -1
    comes = (category == -1) & (draw.random(total) > 0.012)
    usual = draw.normal(start - 17 * 60, 11 * 60, total)
    rain = draw.uniform() < 0.15
    straggles = draw.random(total) < (0.075 if rain else 0.045)
    usual[straggles] += draw.exponential(45 * 60, int(straggles.sum())) + 25 * 60
    leaves = np.maximum(end + draw.normal(9 * 60, 8 * 60, total), usual + 1800)
    return Day(
        np.where(comes, midnight + usual, np.inf),
        np.where(comes & (draw.random(total) > 0.02), midnight + leaves, np.inf),
        category,
        draw.random(total) < 0.007,
    )


def working_day(city: City, day: date) -> Day | None:
    """What a day brings; None on a day off."""
    days = city.days
    if not days.is_worked(day):
        return None
    total = len(staff(city).codes)
    return _day(city.seed, total, day, days.midnight(day), days.shift_start(day), days.shift_end(day))


def clocks(
    city: City, day: date, start: float, end: float, kinds: tuple[str, ...] = ("in", "out")
) -> list[bytes]:
    """The clock events of a day in (start, end], as records."""
    found = working_day(city, day)
    if found is None:
        return []
    people = staff(city)
    lines: list[bytes] = []
    for kind, moments in (("in", found.arrives), ("out", found.leaves)):
        if kind not in kinds:
            continue
        places = np.flatnonzero((moments > start) & (moments <= end))
        for place, text in zip(places.tolist(), stamps(moments[places]), strict=True):
            code, opd = people.codes[place], people.opds[place]
            doubt = ""
            if kind == "in" and found.doubtful[place]:
                doubt = ',"doubtful":true,"reason":"koordinat sama dengan perangkat lain"'
            lines.append(
                f'{{"id":"{day}-{code}-{kind}","opd":"{opd}","employee":"{code}","at":"{text}Z",'
                f'"kind":"{kind}","device":"{opd}-{place % 4 + 1}"{doubt}}}'.encode()
            )
    return lines


def categories(city: City, day: date) -> Iterator[tuple[Any, ...]]:
    """Rows `(id, opd, day, pseudonym, category)` of who was not simply at work."""
    found = working_day(city, day)
    if found is None:
        return
    people = staff(city)
    for place in np.flatnonzero(found.category >= 0).tolist():
        name = _EXCEPTIONS[found.category[place]][0]
        yield (f"{day}-{people.codes[place]}", people.opds[place], str(day), people.codes[place], name)
