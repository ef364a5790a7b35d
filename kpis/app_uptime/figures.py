"""What is measured of application uptime at one moment, for the city and every OPD at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.app_uptime.inventory import in_maintenance, inventory
from kpis.app_uptime.runs import longest_gap
from kpis.app_uptime.tables import app_run, checked_apps
from kpis.app_uptime.tables import uptime_check as c
from kpis.config import Settings
from kpis.percentile import share
from kpis.store import instant, micros
from kpis.types import Better, Domain, Kpi, Measurement, Unit

DAY_US = 86_400_000_000


@dataclass(slots=True)
class Stretch:
    """An observed stretch of one application, `end` excluded, in microseconds."""

    start: int
    end: int
    up: bool


@dataclass(slots=True)
class AppTruth:
    """One application as it was at one moment: its observed stretches and its latest check."""

    stretches: list[Stretch]
    last_at: int
    up: bool
    since: int

    def seconds(self, start: int, end: int) -> tuple[float, float]:
        """Seconds up and down between two instants; the rest was unobserved."""
        up = down = 0
        for s in self.stretches:
            covered = min(s.end, end) - max(s.start, start)
            if covered > 0:
                if s.up:
                    up += covered
                else:
                    down += covered
        return up / 1e6, down / 1e6

    def between(self, edges: Sequence[int]) -> list[tuple[float, float]]:
        """`seconds` of each pair of neighbours among rising instants, in one walk along the stretches."""
        found = [[0, 0] for _ in edges[1:]]
        place = 0
        for s in self.stretches:
            while place < len(found) and edges[place + 1] <= s.start:
                place += 1
            here = place
            while here < len(found) and edges[here] < s.end:
                covered = min(s.end, edges[here + 1]) - max(s.start, edges[here])
                found[here][0 if s.up else 1] += max(covered, 0)
                here += 1
        return [(up / 1e6, down / 1e6) for up, down in found]


def truths(
    conn: Connection, settings: Settings, at: datetime, days: int, only: str | None = None
) -> dict[str, AppTruth]:
    """Each checked application at `at`, or `only` one, with stretches that reach back `days` days.

    A down stretch runs from the first failed check to the next good one; a stretch without a check
    is observed for three expected intervals and no longer.
    """
    t = micros(at)
    gap = longest_gap(settings)
    found: dict[str, AppTruth] = {}
    for app, started, last, up in _runs(conn, t, t - days * DAY_US - gap, only):
        reached = min(last, t)
        truth = found.setdefault(app, AppTruth([], reached, bool(up), started))
        if truth.stretches:
            truth.stretches[-1].end = min(truth.stretches[-1].end, started)
        truth.stretches.append(Stretch(started, min(reached + gap, t), bool(up)))
        truth.last_at, truth.up, truth.since = reached, bool(up), started
    _exact_last(conn, found, t, gap)
    return found


def _runs(conn: Connection, t: int, low: int, only: str | None = None) -> list[tuple[str, int, int, bool]]:
    """Each application's runs that began up to `t`, from the one that held at `low`; the newest one
    stands here however long it has been silent."""
    apps = checked_apps() if only is None else sa.select(sa.literal(only).label("app")).cte("checked")
    r = app_run.c
    before = app_run.alias("before")
    held = sa.select(sa.func.max(before.c.started_at)).where(
        before.c.app == apps.c.app, before.c.started_at <= low
    )
    first = sa.func.coalesce(held.correlate(apps).scalar_subquery(), low)
    query = (
        sa.select(r.app, r.started_at, r.last_at, r.up)
        .select_from(apps)
        .join(app_run, sa.and_(r.app == apps.c.app, r.started_at >= first, r.started_at <= t))
        .order_by(r.app, r.started_at)
    )
    return [(app, started, last, bool(up)) for app, started, last, up in conn.execute(query)]


def _exact_last(conn: Connection, found: dict[str, AppTruth], t: int, gap: int) -> None:
    """A run that goes on past `t` was last checked at some check before `t`: ask the facts for it.

    No run has a longer silence than `gap`, so the checks of so long are all that need to be looked at.
    """
    running = [app for app, truth in found.items() if truth.last_at == t]
    if not running:
        return
    newest = (
        sa.select(c.c.app, sa.func.max(c.c.observed_at))
        .where(c.c.app.in_(running), c.c.observed_at >= t - gap, c.c.observed_at <= t)
        .group_by(c.c.app)
    )
    for app, last in conn.execute(newest):
        found[app].last_at = last


@dataclass(slots=True)
class UptimeFigures:
    """Sums of one scope: seconds over its applications, counts of applications."""

    objective: float
    apps: int = 0
    reporting: int = 0
    checked: int = 0
    down: int = 0
    up_24h: float = 0.0
    down_24h: float = 0.0
    up_30d: float = 0.0
    down_30d: float = 0.0
    observed_at: datetime | None = None


def figures(conn: Connection, settings: Settings, at: datetime) -> dict[str | None, UptimeFigures]:
    """Figures by OPD code, None for the city, as they were at `at`."""
    t = micros(at)
    gap = longest_gap(settings)
    objective = settings.app_uptime.objective
    found: dict[str | None, UptimeFigures] = {None: UptimeFigures(objective)}
    found.update({opd.code: UptimeFigures(objective) for opd in settings.city.opds})
    known = truths(conn, settings, at, 30)
    maintained = in_maintenance(settings, at)
    for application in inventory(conn, settings):
        truth = known.get(application.app)
        scopes = {None, application.opd}
        for scope in scopes:
            f = found[scope]
            f.apps += 1
            if truth is None:
                continue
            f.checked += 1
            f.reporting += t - truth.last_at <= gap
            f.down += not truth.up and application.app not in maintained
            for name, days in (("24h", 1), ("30d", 30)):
                up, down = truth.seconds(t - days * DAY_US, t)
                setattr(f, f"up_{name}", getattr(f, f"up_{name}") + up)
                setattr(f, f"down_{name}", getattr(f, f"down_{name}") + down)
            seen = instant(truth.last_at)
            f.observed_at = seen if f.observed_at is None else max(f.observed_at, seen)
    return found


def _uptime(up: float, down: float, f: UptimeFigures) -> Measurement:
    return Measurement(
        value=share(up, up + down),
        observed_at=f.observed_at,
        numerator=up,
        denominator=up + down,
        reporting=f.reporting,
        expected=f.apps,
    )


def _down(f: UptimeFigures) -> Measurement:
    return Measurement(
        value=f.down if f.checked else None,
        observed_at=f.observed_at,
        numerator=f.down,
        denominator=f.checked,
        reporting=f.reporting,
        expected=f.apps,
    )


def _budget(f: UptimeFigures) -> Measurement:
    uptime = share(f.up_30d, f.up_30d + f.down_30d)
    left = None if uptime is None else 1 - (1 - uptime) / (1 - f.objective)
    return Measurement(
        value=left,
        observed_at=f.observed_at,
        numerator=f.down_30d,
        denominator=(f.up_30d + f.down_30d) * (1 - f.objective),
        reporting=f.reporting,
        expected=f.apps,
    )


_D = Domain.APP_UPTIME
KPIS: tuple[Kpi, ...] = (
    Kpi(
        key="apps_down_now",
        domain=_D,
        title="Applications down",
        unit=Unit.COUNT,
        better=Better.LOWER,
        take=_down,
    ),
    Kpi(
        key="app_uptime_24h",
        domain=_D,
        title="Application uptime, 24 hours",
        unit=Unit.SHARE,
        better=Better.HIGHER,
        take=lambda f: _uptime(f.up_24h, f.down_24h, f),
    ),
    Kpi(
        key="app_uptime_30d",
        domain=_D,
        title="Application uptime, 30 days",
        unit=Unit.SHARE,
        better=Better.HIGHER,
        take=lambda f: _uptime(f.up_30d, f.down_30d, f),
    ),
    Kpi(
        key="error_budget_left_30d",
        domain=_D,
        title="Error budget left, 30 days",
        unit=Unit.SHARE,
        better=Better.HIGHER,
        take=_budget,
    ),
)
