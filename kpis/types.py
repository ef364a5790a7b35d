"""What the city measures: the words both sides of the KPI tables share. No I/O.

Every instant here is an aware `datetime`; shares are 0..1; missing is `None`, never 0 or NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kpis.spans import Span

if TYPE_CHECKING:
    from kpis.screens.state import ScreenRow


class Severity(StrEnum):
    """How far from its target a value is."""

    ON_TARGET = "on_target"
    WATCH = "watch"
    ACT = "act"
    UNKNOWN = "unknown"


class Freshness(StrEnum):
    """How old the newest observation behind a value is, against its expected interval."""

    FRESH = "fresh"
    LATE = "late"
    STALE = "stale"
    NEVER = "never"


class Better(StrEnum):
    """Which direction is the good one."""

    LOWER = "lower"
    HIGHER = "higher"


class Unit(StrEnum):
    """What a value counts; the view turns it into words and digits."""

    COUNT = "count"
    SHARE = "share"
    DAYS = "days"
    HOURS = "hours"


class Domain(StrEnum):
    """The four domains; also the names of the pages that show them."""

    SERVICE_REQUESTS = "service_requests"
    APP_UPTIME = "app_uptime"
    OPD_INTEGRATION = "opd_integration"
    E_ATTENDANCE = "e_attendance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One value as the tables give it, not yet judged.

    `observed_at` is when the newest thing behind it was observed, not when it was computed.
    `reporting` of `expected` inputs (OPD, applications, systems) stand behind it. `settled` is
    False while it is too early to judge (attendance before the shift has begun).
    """

    value: float | None
    observed_at: datetime | None
    settled: bool = True
    numerator: float | None = None
    denominator: float | None = None
    reporting: int | None = None
    expected: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One figure the city answers for: one entry in its domain's tuple.

    `title` is a message of the catalogue (English); `take` picks the measurement out of the
    domain's figures for one scope, so that one query serves all KPIs of a domain.
    """

    key: str
    domain: Domain
    title: str
    unit: Unit
    better: Better
    take: Callable[[Any], Measurement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`target` is met or missed; past `act` somebody has to act. Both in the KPI's own unit."""

    target: float
    act: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A measurement judged at one moment, with the fields in which readings are given out.

    `opd` is None for the city. `since` is when a late or stale freshness began, else when the
    present severity did; None while no evaluator has watched it. A stale reading keeps its severity.
    """

    kpi: str
    opd: str | None
    value: float | None
    unit: Unit
    target: float | None
    better: Better
    severity: Severity
    freshness: Freshness
    observed_at: datetime | None
    since: datetime | None
    reporting: int | None
    expected: int | None
    numerator: float | None
    denominator: float | None

    def as_json(self) -> dict[str, Any]:
        """The reading as the contract spells it, instants in RFC 3339 with `Z`."""
        return {
            "kpi": self.kpi,
            "opd": self.opd,
            "value": self.value,
            "unit": self.unit.value,
            "target": self.target,
            "better": self.better.value,
            "severity": self.severity.value,
            "freshness": self.freshness.value,
            "observed_at": rfc3339(self.observed_at),
            "since": rfc3339(self.since),
            "reporting": self.reporting,
            "expected": self.expected,
            "numerator": self.numerator,
            "denominator": self.denominator,
        }


def rfc3339(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, `Z` spelled, or None."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opd:
    """A department (organisasi perangkat daerah). `employees` is its headcount, None if unknown.

    `head` is who leads it and `contact` a link to them (tel:, mailto:, https:). Both are for the
    mayor's page alone: never for a wall or a public page.
    """

    code: str
    name: str
    abbreviation: str
    english: str
    employees: int | None
    head: str | None = None
    contact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """The city as the pages name it. `timezone` is an IANA name; `zone` is WIB, WITA, WIT or UTC±n.

    `map_file` holds the boundaries of its kelurahan (GeoJSON), None for a city without a map.
    """

    name: str
    timezone: str
    zone: str
    opds: tuple[Opd, ...]
    map_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """One moment of a trend; `value` None is a gap and is drawn as one."""

    at: datetime
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """A reading somebody has to look at, with how far it is from its target.

    `distance` is |value - target| over |act - target|: 1.0 is the act line. Sorted by severity,
    then distance, then how long. `opd` None means the city's own.
    """

    reading: Reading
    title: str
    distance: float
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything one page shows for one scope at one moment; panels ask for nothing else.

    `opd` is the scope (None = city). `readings` are the scope's own by KPI key; `by_opd` holds
    every OPD's readings by KPI key then OPD code (city scope only, else empty). `trends` are the
    last 24 h by KPI key, or of the days looked at where they reach the present. `span` are those days,
    and `pick` is what the address picks on its page, None for nothing: of "opd:dlh", `readings` and
    `trends` are that OPD's. `owners` names the OPD code that answers for a city figure, by KPI key
    (`kpi.<key>.owner`). `day_off` says why nobody is expected at work today, None on a working day.
    `detail` is the page's own view from `kpis.views` or `kpis.charts`. `store_ok` is False while the
    store cannot be read and the snapshot is the last one that could.
    """

    page: str
    opd: str | None
    at: datetime
    version: int
    city: City
    kpis: Mapping[str, Kpi]
    readings: Mapping[str, Reading]
    by_opd: Mapping[str, Mapping[str, Reading]]
    trends: Mapping[str, tuple[TrendPoint, ...]]
    attention: tuple[Attention, ...]
    detail: Any
    span: Span
    pick: str | None = None
    store_ok: bool = True
    day_off: str | None = None
    demo: bool = False
    clock_speed: float = 1.0
    owners: Mapping[str, str] = field(default_factory=dict)
    screens: tuple[ScreenRow, ...] = ()
