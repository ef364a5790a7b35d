"""Readings: measurements judged, as the evaluator last wrote them, with their history.

Severity is written when it is judged; freshness is derived at read time, because it changes by the
clock alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.catalogue import DOMAINS, Measured, catalogue
from kpis.config import KpiSettings, Settings
from kpis.judge import distance, fresh_since, freshness, judged
from kpis.store import instant, maybe_instant, metadata, micros
from kpis.types import (
    Attention,
    Domain,
    Freshness,
    Kpi,
    Measurement,
    Reading,
    Severity,
    Target,
    TrendPoint,
)
from kpis.views import Past, StateChange

Key = tuple[str, str | None]
BUCKET_US = 900_000_000
TREND = timedelta(hours=24)
PAST_WITHIN = timedelta(hours=36)
"""How far before a moment of the past a figure's last row may lie to stand for it."""
_MICROSECOND = timedelta(microseconds=1)

# The city's own rows stand under the empty OPD code: a key column cannot be NULL.
reading = sa.Table(
    "reading",
    metadata,
    sa.Column("kpi", sa.Text, primary_key=True),
    sa.Column("opd", sa.Text, primary_key=True),
    sa.Column("value", sa.Float(53)),
    sa.Column("observed_at", sa.BigInteger),
    sa.Column("settled", sa.Boolean, nullable=False),
    sa.Column("numerator", sa.Float(53)),
    sa.Column("denominator", sa.Float(53)),
    sa.Column("reporting", sa.Integer),
    sa.Column("expected", sa.Integer),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("evaluated_at", sa.BigInteger, nullable=False),
)

reading_history = sa.Table(
    "reading_history",
    metadata,
    sa.Column("kpi", sa.Text, primary_key=True),
    sa.Column("opd", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, primary_key=True),
    sa.Column("value", sa.Float(53)),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Index("reading_history_at", "at"),
)

reading_change = sa.Table(
    "reading_change",
    metadata,
    sa.Column("kpi", sa.Text, primary_key=True),
    sa.Column("opd", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, primary_key=True),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("value", sa.Float(53)),
    sa.Index("reading_change_at", "at"),
)

_NO_SETTINGS = KpiSettings(city=None, opd=None, interval=None, owner=None)


def target_of(settings: Settings, kpi: str, opd: str | None) -> Target | None:
    """The target that holds for a KPI in a scope, None when config.toml gives none."""
    configured = settings.kpis.get(kpi, _NO_SETTINGS)
    return configured.city if opd is None else configured.opd


def interval_of(settings: Settings, kpi: Kpi) -> timedelta:
    """How often the KPI's data is expected: its own interval, else its domain's."""
    own = settings.kpis.get(kpi.key, _NO_SETTINGS).interval
    return (
        own
        or {
            Domain.SERVICE_REQUESTS: settings.service_requests.interval,
            Domain.APP_UPTIME: settings.app_uptime.interval,
            Domain.OPD_INTEGRATION: settings.opd_integration.interval,
            Domain.E_ATTENDANCE: settings.e_attendance.interval,
        }[kpi.domain]
    )


def judge(
    settings: Settings, kpi: Kpi, opd: str | None, m: Measurement, at: datetime, since: datetime | None
) -> Reading:
    """One measurement as a reading at `at`. `since` is when its severity began, None if not known."""
    target = target_of(settings, kpi.key, opd)
    interval = interval_of(settings, kpi)
    state = freshness(m.observed_at, at, interval)
    if m.observed_at is not None:
        since = fresh_since(m.observed_at, state, interval) or since
    return Reading(
        kpi=kpi.key,
        opd=opd,
        value=m.value,
        unit=kpi.unit,
        target=target.target if target else None,
        better=kpi.better,
        severity=judged(m, target, kpi.better),
        freshness=state,
        observed_at=m.observed_at,
        since=since,
        reporting=m.reporting,
        expected=m.expected,
        numerator=m.numerator,
        denominator=m.denominator,
    )


def measure(
    conn: Connection, settings: Settings, at: datetime, domains: Iterable[Measured] = DOMAINS
) -> dict[Key, Measurement]:
    """Every measurement of the domains at `at`, by KPI key and OPD code (None for the city)."""
    return {
        (kpi.key, opd): kpi.take(figures)
        for domain in domains
        for opd, figures in domain.figures(conn, settings, at).items()
        for kpi in domain.kpis
    }


def as_of(conn: Connection, settings: Settings, at: datetime) -> dict[Key, Reading]:
    """Readings computed from the facts as they were at `at`."""
    known = catalogue()
    began = _began(conn, at)
    found = {}
    for key, m in measure(conn, settings, at).items():
        r = judge(settings, known[key[0]], key[1], m, at, None)
        severity, since = began.get(key, ("", None))
        found[key] = replace(r, since=r.since or since) if severity == r.severity.value else r
    return found


def _began(conn: Connection, at: datetime) -> dict[Key, tuple[str, datetime]]:
    """The severity an evaluator last saw up to `at`, and when it began."""
    t = micros(at)
    c = reading_change
    last = (
        sa.select(c.c.kpi, c.c.opd, sa.func.max(c.c.at).label("at"))
        .where(c.c.at <= t)
        .group_by(c.c.kpi, c.c.opd)
        .subquery()
    )
    same = sa.and_(c.c.kpi == last.c.kpi, c.c.opd == last.c.opd, c.c.at == last.c.at)
    query = sa.select(c.c.kpi, c.c.opd, c.c.after, c.c.at).join(last, same)
    found = {(kpi, opd or None): (after, instant(us)) for kpi, opd, after, us in conn.execute(query)}
    # The newest reading knows better where late data moved its beginning back.
    found.update({k: (r.severity, instant(r.since)) for k, r in stored(conn).items() if r.evaluated_at <= t})
    return found


def stored(conn: Connection, kpis: Collection[str] | None = None) -> dict[Key, sa.Row[Any]]:
    """The rows the evaluator wrote last, of all KPIs or of those named."""
    query = sa.select(reading)
    if kpis is not None:
        query = query.where(reading.c.kpi.in_(kpis))
    return {(row.kpi, row.opd or None): row for row in conn.execute(query)}


def current(conn: Connection, settings: Settings, at: datetime) -> dict[Key, Reading]:
    """The latest readings with freshness as of `at`; empty before the first evaluation.

    What an earlier configuration or release judged is left out: nobody judges it any more.
    """
    return Judged(settings).current(conn, at)


class Judged:
    """Readings of stored rows. Those of the last call are kept: only a row that is another one, or whose
    freshness has changed since, is judged again. Calls from several threads do no harm."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._scopes = {None, *(opd.code for opd in settings.city.opds)}
        self._known = {key: (kpi, interval_of(settings, kpi)) for key, kpi in catalogue().items()}
        self._last: dict[Key, tuple[sa.Row[Any], Reading]] = {}

    def current(self, conn: Connection, at: datetime) -> dict[Key, Reading]:
        """As the function `current` says."""
        found = {
            key: (row, self._reading(key, row, at))
            for key, row in stored(conn).items()
            if key[0] in self._known and key[1] in self._scopes
        }
        self._last = found
        return {key: reading for key, (_, reading) in found.items()}

    def _reading(self, key: Key, row: sa.Row[Any], at: datetime) -> Reading:
        kpi, interval = self._known[key[0]]
        before, last = self._last.get(key, (None, None))
        if last is not None and before == row and freshness(last.observed_at, at, interval) is last.freshness:
            return last
        return judge(self._settings, kpi, key[1], measurement_of(row), at, instant(row.since))


def measurement_of(row: sa.Row[Any]) -> Measurement:
    """The measurement a stored reading was judged from."""
    return Measurement(
        value=row.value,
        observed_at=maybe_instant(row.observed_at),
        settled=bool(row.settled),
        numerator=row.numerator,
        denominator=row.denominator,
        reporting=row.reporting,
        expected=row.expected,
    )


def trends(conn: Connection, opd: str | None, at: datetime) -> dict[str, tuple[TrendPoint, ...]]:
    """The last 24 hours of each KPI of one scope, oldest first."""
    h = reading_history
    t = micros(at)
    query = (
        sa.select(h.c.kpi, h.c.at, h.c.value)
        .where(h.c.opd == (opd or ""), h.c.at > t - TREND // timedelta(microseconds=1), h.c.at <= t)
        .order_by(h.c.kpi, h.c.at)
    )
    found: dict[str, list[TrendPoint]] = {}
    for kpi, us, value in conn.execute(query):
        found.setdefault(kpi, []).append(TrendPoint(at=instant(us), value=value))
    return {kpi: tuple(points) for kpi, points in found.items()}


def before(
    conn: Connection, at: datetime, opd: str | None = None, within: timedelta = PAST_WITHIN
) -> dict[Key, Past]:
    """What every figure was at `at`, as its history tells: the newest row of the time `within` before.

    Of one scope where `opd` names it ("" is the city's own). A figure without such a row is left out:
    nobody judged it then.
    """
    r, h = reading, reading_history
    t = micros(at)
    same = (h.c.kpi == r.c.kpi, h.c.opd == r.c.opd, h.c.at <= t, h.c.at > t - within // _MICROSECOND)

    def newest(column: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
        """One step down the history's key, where a join may be planned as a walk through all of it."""
        found = sa.select(column).where(*same).order_by(h.c.at.desc()).limit(1)
        return found.correlate(r).scalar_subquery()

    query = sa.select(r.c.kpi, r.c.opd, newest(h.c.at), newest(h.c.value), newest(h.c.severity))
    if opd is not None:
        query = query.where(r.c.opd == opd)
    return {
        (kpi, code or None): Past(at=instant(us), value=value, severity=severity)
        for kpi, code, us, value, severity in conn.execute(query)
        if us is not None
    }


def changes(
    conn: Connection, opd: str | None, since: datetime, at: datetime, most: int = 50
) -> tuple[StateChange, ...]:
    """Changes of severity after `since`, newest first; of every scope when `opd` is None."""
    c = reading_change
    query = sa.select(c).where(c.c.at > micros(since), c.c.at <= micros(at), c.c.before != "")
    if opd is not None:
        query = query.where(c.c.opd == opd)
    return tuple(
        StateChange(
            kpi=row.kpi,
            opd=row.opd or None,
            at=instant(row.at),
            before=row.before,
            after=row.after,
            value=row.value,
        )
        for row in conn.execute(query.order_by(c.c.at.desc(), c.c.kpi, c.c.opd).limit(most))
    )


_RANK = {Severity.ACT: 0, Severity.WATCH: 1}


def attention(settings: Settings, readings: Mapping[Key, Reading]) -> tuple[Attention, ...]:
    """What somebody has to look at: act before watch, the city's own first, then how far and how long.

    A stale reading stays in the list with the severity it had; it was not mended by silence.
    """
    known = catalogue()
    names = {opd.code: opd.abbreviation for opd in settings.city.opds}
    found = []
    for (key, opd), r in readings.items():
        if r.severity not in _RANK or r.freshness is Freshness.NEVER:
            continue
        owner = opd or settings.kpis.get(key, _NO_SETTINGS).owner
        found.append(
            Attention(
                reading=r,
                title=known[key].title,
                owner=names.get(owner or "", ""),
                distance=distance(r.value, target_of(settings, key, opd), r.better),
            )
        )
    far_future = instant(2**52)
    found.sort(
        key=lambda a: (
            _RANK[a.reading.severity],
            a.reading.opd is not None,
            -a.distance,
            a.reading.since or far_future,
            a.reading.kpi,
            a.reading.opd or "",
        )
    )
    return tuple(found)


def aged(r: Reading, settings: Settings, at: datetime) -> Reading:
    """The same reading with its freshness as of a later moment."""
    interval = interval_of(settings, catalogue()[r.kpi])
    state = freshness(r.observed_at, at, interval)
    began = fresh_since(r.observed_at, state, interval) if r.observed_at else None
    return replace(r, freshness=state, since=began or r.since)
