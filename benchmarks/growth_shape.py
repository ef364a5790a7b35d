"""The city whose past grows: how much of each feed, for how long, and what its settings say of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from kpis.clock import Clock
from kpis.config import Settings, StoreSettings, load
from kpis.store import EPOCH

# A working Wednesday, 10:00 in Jakarta: every domain has a today.
NOW = datetime(2026, 11, 18, 3, 0, tzinfo=UTC)
DENSE_DAYS = 90
APPS = 60
INTERFACES = 40
CODES = 2_000
STAGES = 5
_ROOT = Path(__file__).resolve().parent.parent

# What a small city sends a day: 60 applications looked at every hour, 400 people on 5 of 7 days (of 33
# one is away, which a record says), 40 interfaces every 2 hours, 60 requests.
_PEOPLE = 400
_CHECK_S = 3_600.0
_SYNC_S = 7_200.0
_REQUESTS = 60.0
_PER_DAY = APPS * 86_400 / _CHECK_S + _PEOPLE * 5 / 7 * 65 / 33 + INTERFACES * 86_400 / _SYNC_S + _REQUESTS


@dataclass(frozen=True, slots=True)
class Shape:
    """How long a past, and how dense: seconds between two checks of an application and two syncs of an
    interface, people who clock in, requests a day. The ledger has 2,000 codes a year whatever else."""

    days: int
    check_s: float
    sync_s: float
    people: int
    requests: float

    @property
    def first_day(self) -> date:
        return NOW.date() - timedelta(days=self.days)

    @property
    def years(self) -> tuple[int, ...]:
        return tuple(range(self.first_day.year, NOW.year + 1))

    @property
    def months(self) -> list[int]:
        """Every month of the past, yyyymm; the events' partitions."""
        days = (self.first_day - timedelta(days=1) + timedelta(days=n) for n in range(self.days + 3))
        return sorted({day.year * 100 + day.month for day in days})


def longer(facts: int) -> Shape:
    """The small city, for as long as so many facts took to come: 10⁵ are five weeks, 10⁷ eleven years."""
    days = max(1, round(facts / _PER_DAY))
    for _ in range(3):
        ledger = CODES * STAGES * len(_at(days, 1).years)
        days = max(1, round((facts - ledger) / _PER_DAY))
    return _at(days, 1)


def denser(facts: int) -> Shape:
    """Ninety days of a city as large as so many facts take: 10⁵ are a town, 10⁷ a metropolis."""
    rest = facts - CODES * STAGES * len(_at(DENSE_DAYS, 1).years)
    return _at(DENSE_DAYS, rest / (_PER_DAY * DENSE_DAYS))


def _at(days: int, dense: float) -> Shape:
    return Shape(days, _CHECK_S / dense, _SYNC_S / dense, round(_PEOPLE * dense), _REQUESTS * dense)


def settings_for(shape: Shape, url: str) -> Settings:
    """config.toml's city on the store at `url`, its clock standing at NOW."""
    base = load(_ROOT / "config.toml", {})
    return replace(
        base,
        store=StoreSettings(url=url, embedded=url.startswith("sqlite")),
        clock=Clock(real=EPOCH, city=NOW, speed=0.0),
        app_uptime=replace(base.app_uptime, interval=timedelta(seconds=shape.check_s)),
        opd_integration=replace(base.opd_integration, interval=timedelta(seconds=max(shape.sync_s, 7_200.0))),
    )
