"""What the application page shows: every application of the inventory, worst first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.app_uptime.figures import DAY_US, AppTruth, truths
from kpis.app_uptime.inventory import in_maintenance, inventory
from kpis.app_uptime.runs import longest_gap
from kpis.app_uptime.tables import uptime_check as c
from kpis.config import Application, Settings
from kpis.days import day_start, local_day
from kpis.partitions import first_of, following, month_of
from kpis.percentile import share
from kpis.store import instant, maybe_instant, micros
from kpis.views import AppDay, AppGlance, AppRow, AppState, UptimeGlance, UptimeView

HEARTBEAT_DAYS = 90
MONTH_DAYS = 30
_WORST = (AppState.DOWN, AppState.UNKNOWN, AppState.MAINTENANCE, AppState.UP, AppState.NEVER)


def _state(truth: AppTruth | None, maintained: bool, t: int, gap: int) -> AppState:
    if maintained:
        return AppState.MAINTENANCE
    if truth is None:
        return AppState.NEVER
    if t - truth.last_at > gap:
        return AppState.UNKNOWN
    return AppState.UP if truth.up else AppState.DOWN


@dataclass(frozen=True, slots=True)
class _Calendar:
    """The days of a heartbeat: their edges in microseconds, today's end being the present."""

    days: tuple[date, ...]
    edges: tuple[int, ...]

    def of(self, truth: AppTruth, maintained: Sequence[tuple[int, int]]) -> tuple[AppDay, ...]:
        return tuple(
            AppDay(
                day=day, up_s=up, down_s=down, passed_s=(end - start) / 1e6,
                maintained_s=sum(max(min(b, end) - max(a, start), 0) for a, b in maintained) / 1e6,
            )
            for day, (start, end), (up, down) in zip(
                self.days, pairwise(self.edges), truth.between(self.edges), strict=True
            )
        )  # fmt: skip


def _calendar(at: datetime, settings: Settings) -> _Calendar:
    today = local_day(at, settings.zone)
    days = tuple(today - timedelta(days=back) for back in range(HEARTBEAT_DAYS - 1, -1, -1))
    return _Calendar(days, (*(day_start(day, settings.zone) for day in days), micros(at)))


def _maintained(settings: Settings) -> dict[str, list[tuple[int, int]]]:
    """Each application's declared maintenance, in microseconds."""
    found: dict[str, list[tuple[int, int]]] = {}
    for one in settings.maintenance:
        found.setdefault(one.app, []).append((micros(one.starts_at), micros(one.ends_at)))
    return found


def _latest(conn: Connection, known: dict[str, AppTruth]) -> dict[str, Any]:
    """The latest check of each application; of several at one instant, a failed one."""
    columns = (c.c.app, c.c.observed_at, c.c.latency_ms, c.c.status_code, c.c.error, c.c.cert_expires_at)
    found: dict[str, Any] = {}
    for month, wanted in _by_month(known):
        low, high = (first_of(m, c.c.observed_at) for m in (month, following(month)))
        # Joined as a table of its own, each pair is looked up by its index on both stores; told of the
        # month, PostgreSQL plans for one partition instead of all there ever were.
        pairs = sa.values(sa.column("app", sa.Text), sa.column("at", sa.BigInteger), name="wanted")
        one = pairs.data(wanted).cte("wanted")
        here = sa.and_(
            c.c.app == one.c.app, c.c.observed_at == one.c.at, c.c.observed_at >= low, c.c.observed_at < high
        )
        query = sa.select(*columns).select_from(one).join(c, here)
        found.update(
            {row.app: row for row in conn.execute(query.order_by(c.c.up.desc(), c.c.source, c.c.id))}
        )
    return found


def _by_month(known: dict[str, AppTruth]) -> Iterator[tuple[int, list[tuple[str, int]]]]:
    """Each application with the instant of its latest check, under that instant's month, 400 at a time."""
    found: dict[int, list[tuple[str, int]]] = {}
    for app, truth in known.items():
        found.setdefault(month_of(truth.last_at), []).append((app, truth.last_at))
    for month, wanted in found.items():
        for start in range(0, len(wanted), 400):
            yield month, wanted[start : start + 400]


def _row(
    settings: Settings,
    at: datetime,
    app: Application,
    truth: AppTruth | None,
    latest: Any,
    maintained: bool,
    days: tuple[AppDay, ...],
) -> AppRow:
    t = micros(at)
    day = truth.seconds(t - DAY_US, t) if truth else (0.0, 0.0)
    month = truth.seconds(t - 30 * DAY_US, t) if truth else (0.0, 0.0)
    return AppRow(
        app=app.app,
        name=app.name,
        opd=app.opd,
        owner=app.owner,
        url=app.url,
        hosting=app.hosting,
        state=_state(truth, maintained, t, longest_gap(settings)),
        since=instant(truth.since) if truth else None,
        observed_at=instant(truth.last_at) if truth else None,
        latency_ms=latest.latency_ms if latest else None,
        status_code=latest.status_code if latest else None,
        error=latest.error if latest else None,
        cert_expires_at=maybe_instant(latest.cert_expires_at) if latest else None,
        uptime_24h=share(day[0], sum(day)),
        uptime_30d=share(month[0], sum(month)),
        days=days,
    )


def app_rows(
    conn: Connection, settings: Settings, at: datetime, opd: str | None = None, only: str | None = None
) -> tuple[AppRow, ...]:
    """The inventory with its latest states, worst first; of one OPD, or `only` one application."""
    known = truths(conn, settings, at, HEARTBEAT_DAYS, only)
    maintained, declared = in_maintenance(settings, at), _maintained(settings)
    latest, calendar = _latest(conn, known), _calendar(at, settings)
    rows = [
        _row(
            settings, at, app, truth, latest.get(app.app), app.app in maintained,
            calendar.of(truth, declared.get(app.app, ())) if truth else (),
        )
        for app in inventory(conn, settings)
        if opd in (None, app.opd) and only in (None, app.app)
        for truth in (known.get(app.app),)
    ]  # fmt: skip
    return tuple(sorted(rows, key=_worst))


def view(conn: Connection, settings: Settings, at: datetime, opd: str | None = None) -> UptimeView:
    """The page's view for the city, or for one OPD."""
    rows = app_rows(conn, settings, at, opd)
    return UptimeView(
        apps=rows,
        without_owner=sum(1 for r in rows if r.owner is None and r.opd is None),
        never_checked=sum(1 for r in rows if r.state is AppState.NEVER),
        objective=settings.app_uptime.objective,
    )


def glance(conn: Connection, settings: Settings, at: datetime) -> UptimeGlance:
    """The inventory as a wall shows it: without its heartbeats and its latest checks."""
    known, maintained = truths(conn, settings, at, MONTH_DAYS), in_maintenance(settings, at)
    t, gap = micros(at), longest_gap(settings)
    rows = []
    for app in inventory(conn, settings):
        truth = known.get(app.app)
        month = truth.seconds(t - MONTH_DAYS * DAY_US, t) if truth else (0.0, 0.0)
        rows.append(
            AppGlance(
                app=app.app, opd=app.opd, state=_state(truth, app.app in maintained, t, gap),
                since=instant(truth.since) if truth else None,
                observed_at=instant(truth.last_at) if truth else None,
                uptime_30d=share(month[0], sum(month)),
            )
        )  # fmt: skip
    return UptimeGlance(apps=tuple(sorted(rows, key=_worst)), objective=settings.app_uptime.objective)


def _worst(row: AppRow | AppGlance) -> tuple[int, float, str]:
    """Worst first: by state, then by the share of thirty days it was up."""
    return _WORST.index(row.state), 1.0 if row.uptime_30d is None else row.uptime_30d, row.app
