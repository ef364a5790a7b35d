"""The frozen settings that config.toml becomes; `kpis.config` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from kpis.clock import Clock
from kpis.types import City, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """`url` is an SQLAlchemy URL with its driver named; `embedded` is true for SQLite."""

    url: str
    embedded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """Where the MQTT broker is; `embedded` means ingest runs one itself on that address.

    `shared`: several ingests share the messages among them, by MQTT 5 shared subscriptions.
    """

    host: str
    port: int
    tls: bool
    embedded: bool
    username: str | None
    password: str | None
    client_id: str
    ca_file: Path | None
    shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """Where the pages are served, and how many of them may be open at once."""

    host: str
    port: int
    viewers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One wall screen at `/wall/<name>`: its pages in turn, each shown for `every`.

    `layout` is "one", "two_by_two" (four pages at once, one a quarter) or "portrait". A screen with a
    `quarter`, 1 to 4 from the top left, is one of four that make a 2×2 wall of the same pages together.
    From `blank_from` to `blank_to`, the city's time, it shows a small clock only. `place` says where it
    hangs, `owner` is the code of the OPD that answers for it.
    """

    name: str
    title: str
    pages: tuple[str, ...]
    every: timedelta
    layout: str
    quarter: int | None
    blank_from: time | None
    blank_to: time | None
    place: str | None = None
    owner: str | None = None

    @property
    def fields(self) -> tuple[tuple[str, ...], ...]:
        """The pages that take turns in each field of the screen: one field, or four."""
        if self.layout != "two_by_two":
            return (self.pages,)
        quarters = tuple(self.pages[place::4] for place in range(4))
        return quarters if self.quarter is None else (quarters[self.quarter - 1],)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """One configured source. Which of the later fields are used depends on `type`.

    mqtt: `topic` (with `feed` when it is not the contract's `city/v1/<feed>/<source>`).
    database: `url`, `query`, `watermark`, `start`, `overlap`, `every`. file: `folder`, `pattern`, `every`.
    probe: `every`, `timeout`, `concurrency`. `mapping` holds JMESPath expressions by field;
    `timezone` reads times that carry no offset; `interval` is how often it should be heard.
    """

    name: str
    type: str
    feed: str | None
    topic: str | None
    mapping: Mapping[str, str]
    timezone: ZoneInfo | None
    interval: timedelta | None
    url: str | None
    query: str | None
    watermark: str | None
    start: str | int | datetime | None
    overlap: timedelta
    every: timedelta
    timeout: timedelta
    concurrency: int
    folder: Path | None
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One entry of the application inventory; gaps are None. `probe` is whether we check it ourselves."""

    app: str
    name: str
    opd: str | None
    owner: str | None
    url: str | None
    hosting: str | None
    probe: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One registered interface of an OPD's system; registration alone earns the second step."""

    opd: str
    system: str
    interface: str
    interval: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """Declared maintenance of one application."""

    app: str
    starts_at: datetime
    ends_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRules:
    interval: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class UptimeRules:
    """`interval` between two checks of one application; `objective` is the uptime promised."""

    interval: timedelta
    objective: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationRules:
    """The ladder: a sync is current for `interval`; `matched` and `rejected` bound the top step.

    `tolerance` is the relative difference two ledger amounts may have and still agree.
    """

    interval: timedelta
    matched: float
    rejected: float
    tolerance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramadan:
    """First and last day of one Ramadan, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceRules:
    """Office hours (Perpres 21/2023) and days off. `workdays` are ISO weekdays, 1 = Monday."""

    interval: timedelta
    shift_start: time
    shift_end: time
    grace: timedelta
    ramadan_start: time
    ramadan: tuple[Ramadan, ...]
    workdays: frozenset[int]
    national_holidays: bool
    days_off: Mapping[date, str]
    days_on: frozenset[date]


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiSettings:
    """What config.toml says of one KPI: targets for the city and for one OPD, by when, and who owns it."""

    city: Target | None
    opd: Target | None
    interval: timedelta | None
    owner: str | None
    by: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    seed: int
    speed: float
    history_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    path: Path
    city: City
    language: str
    store: StoreSettings
    broker: BrokerSettings
    web: WebSettings
    tiles: tuple[str, ...]
    screens: tuple[Screen, ...]
    map_file: Path | None
    service_requests: RequestRules
    app_uptime: UptimeRules
    opd_integration: IntegrationRules
    e_attendance: AttendanceRules
    kpis: Mapping[str, KpiSettings]
    sources: tuple[SourceSettings, ...]
    applications: tuple[Application, ...]
    interfaces: tuple[Interface, ...]
    maintenance: tuple[Maintenance, ...]
    retention: Mapping[str, int]
    demo: DemoSettings
    is_demo: bool
    clock: Clock

    def screen(self, name: str) -> Screen | None:
        """The wall screen of that name; "wall" is always there."""
        return next((screen for screen in self.screens if screen.name == name), None)

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone; a day is the city's day."""
        return ZoneInfo(self.city.timezone)
