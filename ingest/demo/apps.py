"""The pretend city's 120 applications: their addresses and gaps, their outages, their checks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from ingest.demo.city import City
from ingest.demo.days import DAY, stamp
from ingest.demo.seeds import chance, number
from ingest.demo.words import HOSTING, OWNERS, SERVICES, THEMES

COUNT = 120
PROBED = 20
CHECK_S = 60.0
ROUGH_S = 1800.0
"""Between two checks of the past; three of the demo's expected intervals, so that nothing is unobserved."""

_CYCLE_S, _DOWN_FROM_S, _DOWN_TO_S = 480.0, 40.0, 220.0
_FLAKY = 12
_ERRORS = (("http 503", 503), ("http 502", 502), ("timeout", None), ("connect", None))


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One application. `slow` is its usual latency in ms; gaps are None."""

    place: int
    app: str
    name: str
    opd: str | None
    owner: str | None
    hosting: str | None
    slow: float

    @property
    def probed(self) -> bool:
        """Whether it lives on the demo's own web server and is checked by the probe."""
        return self.place >= COUNT - PROBED


@lru_cache(maxsize=4)
def _apps(seed: int, codes: tuple[str, ...]) -> tuple[App, ...]:
    draw = chance(seed, "apps")
    found = []
    for place in range(COUNT):
        opd = codes[place % len(codes)]
        form, label = SERVICES[(place // len(codes) + place * 3) % len(SERVICES)]
        theme = THEMES.get(opd, opd.removeprefix("kec-").title())
        owned = draw.uniform() > 0.2
        found.append(
            App(
                place=place,
                app=f"{label}{place // (len(codes) * 4) or ''}.{opd}.kotacontoh.go.id",
                name=form.format(theme),
                opd=opd if owned or draw.uniform() > 0.5 else None,
                owner=OWNERS[int(draw.integers(len(OWNERS)))] if owned else None,
                hosting=HOSTING[int(draw.integers(len(HOSTING)))] if draw.uniform() > 0.1 else None,
                slow=float(draw.uniform(60, 480)),
            )
        )
    return tuple(found)


def apps(city: City) -> tuple[App, ...]:
    """Every application, always in the same order, addresses without doubles."""
    return _apps(city.seed, city.codes)


@lru_cache(maxsize=512)
def _outages(seed: int, midnight: float, day: date) -> tuple[tuple[int, float, float], ...]:
    draw = chance(seed, "outages", day)
    found = []
    for _ in range(int(draw.poisson(2.5))):
        start = midnight + float(draw.uniform(0, DAY))
        found.append((int(draw.integers(COUNT)), start, start + float(draw.lognormal(6.9, 0.7))))
    if draw.uniform() < 0.12:
        # A bad day: one application is away for hours.
        start = midnight + float(draw.uniform(6, 14)) * 3600
        found.append((int(draw.integers(COUNT)), start, start + float(draw.uniform(2, 6)) * 3600))
    return tuple(found)


def outages(city: City, day: date) -> tuple[tuple[int, float, float], ...]:
    """`(application, start, end)` of what fails on a day, in seconds since 1970."""
    return _outages(city.seed, city.days.midnight(day), day)


def is_down(city: City, app: App, moment: float, live_from: float) -> bool:
    """Whether an application is down; from `live_from` on a short incident returns every few minutes."""
    day = city.days.of(moment)
    for one in (day, city.days.of(moment - DAY)):
        if any(place == app.place and start <= moment < end for place, start, end in outages(city, one)):
            return True
    since = moment - live_from
    if since < 0:
        return False
    cycle = int(since // _CYCLE_S)
    struck = COUNT - 1 - number(city.seed, "incident", cycle) % _FLAKY * 9
    return struck == app.place and _DOWN_FROM_S <= since % _CYCLE_S < _DOWN_TO_S


def check(city: City, app: App, moment: float, live_from: float) -> bytes:
    """The record of one check."""
    dice = number(city.seed, app.app, int(moment))
    head = (
        f'{{"id":"{app.app}:{int(moment)}","app":"{app.app}",'
        f'"observed_at":"{stamp(moment)}","probe":"kominfo-1"'
    )
    if is_down(city, app, moment, live_from):
        error, code = _ERRORS[dice % len(_ERRORS)]
        status = f',"status_code":{code}' if code else ""
        return f'{head},"up":false,"error":"{error}"{status}}}'.encode()
    latency = app.slow * (0.7 + dice % 997 / 1200)
    return f'{head},"up":true,"status_code":200,"latency_ms":{latency:.0f}}}'.encode()


def _offset(app: App, every: float) -> float:
    return app.place * every / COUNT


def checks(
    city: City, start: float, end: float, every: float, live_from: float, *, probed: bool = True
) -> Iterator[bytes]:
    """The monitor's checks in (start, end], `every` seconds for each application, spread evenly.

    `probed` False leaves out the applications that the probe checks itself.
    """
    for app in apps(city):
        if app.probed and not probed:
            continue
        offset = _offset(app, every)
        turn = int((start - offset) // every) + 1
        while (moment := turn * every + offset) <= end:
            yield check(city, app, moment, live_from)
            turn += 1


def inventory(city: City) -> Iterator[bytes]:
    """The application inventory, gaps left out."""
    for app in apps(city):
        entry = {
            "id": app.app,
            "name": app.name,
            "opd": app.opd,
            "owner": app.owner,
            "hosting": app.hosting,
            "kind": "aplikasi",
            "updated_at": "2026-01-05T08:00:00+07:00",
        }
        yield json.dumps({k: v for k, v in entry.items() if v is not None}, ensure_ascii=False).encode()
