"""What a chart is drawn from: stretches of time with their last, lowest and highest value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kpis.types import Target
from kpis.views import AppRow, InterfaceRow, RequestRow


class Step(StrEnum):
    """How long the stretches of a trend are."""

    QUARTER = "quarter"
    HOUR = "hour"
    DAY = "day"

    @property
    def length(self) -> timedelta:
        return {Step.QUARTER: timedelta(minutes=15), Step.HOUR: timedelta(hours=1)}.get(
            self, timedelta(days=1)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One stretch from `at` on. The line goes through `last`; `low` and `high` are kept beside it, so
    that no extreme is hidden however long the stretch. All three are None in a gap."""

    at: datetime
    last: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """Between which values the same hour (or weekday) of `weeks` other weeks lay: 10th to 90th percentile."""

    at: datetime
    low: float
    high: float
    weeks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiTrend:
    """One figure from `begin` to `end`, oldest first, in stretches of `step`.

    `usual` is empty where fewer than `kpis.history.LEAST_WEEKS` weeks stand behind it; `weeks` is how
    many there are at most.
    """

    step: Step
    begin: datetime
    end: datetime
    points: tuple[Stretch, ...]
    usual: tuple[Usual, ...]
    weeks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """The rows behind a figure, what matters most first, a page's worth of `total`; of one kind only.

    `word` says which rows they are: a message of the catalogue.
    """

    word: str
    total: int
    requests: tuple[RequestRow, ...] = ()
    apps: tuple[AppRow, ...] = ()
    interfaces: tuple[InterfaceRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiView:
    """The page of one figure. `opds` are codes, worst first (city scope only), `courses` theirs.

    `behind` is None where the figure has no rows of things, or the viewer may see aggregates only:
    then `kept_back` says so.
    """

    kpi: str
    target: Target | None
    trend: KpiTrend
    opds: tuple[str, ...]
    courses: Mapping[str, tuple[Stretch, ...]]
    behind: Behind | None
    kept_back: bool
