"""Snapshots for the page tests: a fixed moment of a pretend city with every state in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from kpis.config import load
from kpis.spans import span_of
from kpis.types import (
    Attention,
    Better,
    City,
    Domain,
    Freshness,
    Kpi,
    Measurement,
    Reading,
    Severity,
    Snapshot,
    TrendPoint,
    Unit,
)

NOW = datetime(2026, 11, 16, 1, 42, 20, tzinfo=UTC)  # a Monday, 08:42 in the west of the country
SETTINGS = load(Path(__file__).parents[2] / "config.toml")
CITY: City = SETTINGS.city

_SR, _AU, _OI, _EA = Domain.SERVICE_REQUESTS, Domain.APP_UPTIME, Domain.OPD_INTEGRATION, Domain.E_ATTENDANCE
_L, _H = Better.LOWER, Better.HIGHER
_N, _S, _D, _T = Unit.COUNT, Unit.SHARE, Unit.DAYS, Unit.HOURS
# key, domain, title, unit, better, value, target, severity, freshness, minutes since, observed minutes ago
ROWS: tuple[tuple[Any, ...], ...] = (
    ("requests_open", _SR, "Open requests", _N, _L, 2341, 2200, "watch", "fresh", 190, 1),
    ("requests_overdue_share", _SR, "Overdue requests", _S, _L, 0.2412, 0.10, "act", "fresh", 38, 1),
    (
        "requests_on_time_share_30d",
        _SR,
        "Closed on time, 30 days",
        _S,
        _H,
        0.8712,
        0.85,
        "on_target",
        "fresh",
        900,
        1,
    ),
    (
        "requests_close_days_p50_30d",
        _SR,
        "Days to close, median 30 days",
        _D,
        _L,
        6.41,
        7,
        "on_target",
        "fresh",
        9000,
        1,
    ),
    (
        "requests_close_days_p90_30d",
        _SR,
        "Days to close, 90th percentile",
        _D,
        _L,
        16.2,
        14,
        "watch",
        "fresh",
        2000,
        1,
    ),
    (
        "requests_first_response_hours_p50_30d",
        _SR,
        "Hours to first answer, median",
        _T,
        _L,
        31.5,
        72,
        "on_target",
        "late",
        8,
        150,
    ),
    (
        "requests_reopened_share_30d",
        _SR,
        "Reopened, 30 days",
        _S,
        _L,
        0.041,
        0.05,
        "on_target",
        "fresh",
        9000,
        1,
    ),
    (
        "requests_confirmed_share_30d",
        _SR,
        "Confirmed by citizens, 30 days",
        _S,
        _H,
        None,
        0.50,
        "unknown",
        "never",
        0,
        None,
    ),
    ("apps_down_now", _AU, "Applications down", _N, _L, 7, 0, "act", "fresh", 11, 0),
    ("app_uptime_24h", _AU, "Application uptime, 24 hours", _S, _H, 0.98952, 0.995, "watch", "fresh", 61, 0),
    (
        "app_uptime_30d",
        _AU,
        "Application uptime, 30 days",
        _S,
        _H,
        0.99624,
        0.995,
        "on_target",
        "fresh",
        9000,
        0,
    ),
    (
        "error_budget_left_30d",
        _AU,
        "Error budget left, 30 days",
        _S,
        _H,
        -0.35,
        0.25,
        "act",
        "fresh",
        2900,
        0,
    ),
    ("opd_integrated", _OI, "Integrated OPD", _N, _H, 21, 27, "watch", "stale", 47, 47 + 72 * 60),
    (
        "sync_success_share_24h",
        _OI,
        "Successful syncs, 24 hours",
        _S,
        _H,
        0.884,
        0.98,
        "act",
        "stale",
        47,
        47,
    ),
    ("data_age_hours_worst", _OI, "Oldest data, hours", _T, _L, 312.0, 24, "act", "fresh", 20000, 40),
    ("consistency_breaks", _OI, "Budget chain breaks", _N, _L, 14, 0, "watch", "fresh", 5000, 40),
    ("attendance_rate_today", _EA, "Attendance today", _S, _H, 0.931, 0.90, "on_target", "fresh", 60, 2),
    ("late_share_today", _EA, "Late today", _S, _L, 0.094, 0.08, "watch", "fresh", 22, 2),
    (
        "doubtful_share_today",
        _EA,
        "Doubtful check-ins today",
        _S,
        _L,
        0.0004,
        0.02,
        "on_target",
        "fresh",
        22,
        2,
    ),
)
OWNERS = {"requests_open": "diskominfo", "consistency_breaks": "bappeda"}
BY_DOMAIN = {_SR: "setda", _AU: "diskominfo", _OI: "diskominfo", _EA: "bkpsdm"}


def _nothing(_: Any) -> Measurement:
    return Measurement(value=None, observed_at=None)


KPIS: Mapping[str, Kpi] = {
    row[0]: Kpi(key=row[0], domain=row[1], title=row[2], unit=row[3], better=row[4], take=_nothing)
    for row in ROWS
}


def reading(row: tuple[Any, ...], opd: str | None = None, **changes: Any) -> Reading:
    """A reading of one row, for the city or as one OPD's."""
    key, domain, _, unit, better, value, target, severity, freshness, since, seen = row
    heard = {_SR: (28, 30), _AU: (112, 120), _OI: (30, 30), _EA: (29, 30)}[domain]
    found = Reading(
        kpi=key,
        opd=opd,
        value=value,
        unit=unit,
        target=target,
        better=better,
        severity=Severity(severity),
        freshness=Freshness(freshness),
        observed_at=None if seen is None else NOW - timedelta(minutes=seen, seconds=20),
        since=None if severity == "unknown" else NOW - timedelta(minutes=since),
        reporting=heard[0],
        expected=heard[1],
        numerator=None,
        denominator=None,
    )
    return replace(found, **changes)


def trends() -> dict[str, tuple[TrendPoint, ...]]:
    """A day of quarter hours around each value, with a hole in the early morning."""
    found = {}
    for number, row in enumerate(ROWS):
        value, points = row[5], []
        for slot in range(97):
            gap = value is None or (30 <= slot < 38 and number % 3 == 0)
            wave = 1 + 0.08 * math.sin(slot / 9 + number) + 0.03 * math.sin(slot * 1.7 + number)
            at = NOW.replace(minute=30, second=0) - timedelta(minutes=15 * (96 - slot))
            points.append(TrendPoint(at=at, value=None if gap else value * wave))
        found[row[0]] = tuple(points)
    return found


def by_opd() -> dict[str, dict[str, Reading]]:
    """Every KPI for every OPD: most on target, some not, one silent."""
    found: dict[str, dict[str, Reading]] = {}
    for number, row in enumerate(ROWS):
        found[row[0]] = {}
        for place, opd in enumerate(CITY.opds):
            pick = (place * 7 + number * 5) % 23
            severity = "act" if pick == 0 else "watch" if pick in (1, 2) else "on_target"
            fresh = "stale" if pick == 3 else "never" if opd.code == "kec-barat" else "fresh"
            changed = (*row[:7], severity, fresh, 30 + pick, None if fresh == "never" else pick)
            found[row[0]][opd.code] = reading(
                changed, opd.code, **({"value": None} if fresh == "never" else {})
            )
    return found


def attention(
    readings: Mapping[str, Reading], others: Mapping[str, Mapping[str, Reading]]
) -> tuple[Attention, ...]:
    """Everything at act or watch, city first, as the snapshot sorts it."""
    every = [*readings.values(), *(one for inner in others.values() for one in inner.values())]
    rows = [
        Attention(
            reading=one,
            title=KPIS[one.kpi].title,
            distance=1.0 if one.severity is Severity.ACT else 0.4,
            owner=one.opd or owners()[one.kpi],
        )
        for one in every
        if one.severity in (Severity.ACT, Severity.WATCH) and one.value is not None
    ]
    return tuple(sorted(rows, key=lambda row: (row.reading.severity is not Severity.ACT, -row.distance)))


def owners() -> dict[str, str]:
    return {key: OWNERS.get(key, BY_DOMAIN[kpi.domain]) for key, kpi in KPIS.items()}


def snapshot(page: str, detail: Any, *, opd: str | None = None, **changes: Any) -> Snapshot:
    """The moment of one page: the city's, or one OPD's."""
    others = by_opd()
    readings = {row[0]: reading(row) for row in ROWS}
    if opd is not None:
        readings = {key: inner[opd] for key, inner in others.items()}
        others = {}
    found = Snapshot(
        page=page,
        opd=opd,
        at=NOW,
        version=7,
        city=CITY,
        kpis=KPIS,
        readings=readings,
        by_opd=others,
        trends=trends(),
        attention=attention(readings, others),
        detail=detail,
        span=span_of("today", date(2026, 11, 16)),
        demo=True,
        owners=owners(),
    )
    return replace(found, **changes)
