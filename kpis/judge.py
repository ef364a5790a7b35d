"""Measurement + target + now → severity and freshness. The only place that decides either."""

from __future__ import annotations

from datetime import datetime, timedelta

from kpis.types import Better, Freshness, Measurement, Severity, Target

LATE_FACTOR = 3


def severity(value: float | None, target: Target | None, better: Better) -> Severity:
    """On target when the target is met, act when the act line is reached, watch between them.

    A missing value and a KPI without a target cannot be judged.
    """
    if value is None or target is None:
        return Severity.UNKNOWN
    sign = 1 if better is Better.LOWER else -1
    if sign * value <= sign * target.target:
        return Severity.ON_TARGET
    return Severity.ACT if sign * value >= sign * target.act else Severity.WATCH


def judged(measurement: Measurement, target: Target | None, better: Better) -> Severity:
    """The severity of a measurement; unknown while it is not settled."""
    return severity(measurement.value, target, better) if measurement.settled else Severity.UNKNOWN


def freshness(observed_at: datetime | None, now: datetime, interval: timedelta) -> Freshness:
    """Fresh up to the expected interval, late up to three times that, stale beyond."""
    if observed_at is None:
        return Freshness.NEVER
    age = now - observed_at
    if age <= interval:
        return Freshness.FRESH
    return Freshness.LATE if age <= LATE_FACTOR * interval else Freshness.STALE


def fresh_since(observed_at: datetime, state: Freshness, interval: timedelta) -> datetime | None:
    """When `state` began: late and stale begin by the clock, not by an event."""
    if state is Freshness.LATE:
        return observed_at + interval
    if state is Freshness.STALE:
        return observed_at + LATE_FACTOR * interval
    return None


def distance(value: float | None, target: Target | None, better: Better) -> float:
    """How far past its target a value is, 1.0 at the act line; 0 when met or not to be judged."""
    if value is None or target is None:
        return 0.0
    past = value - target.target if better is Better.LOWER else target.target - value
    if past <= 0:
        return 0.0
    width = abs(target.act - target.target)
    return past / width if width else 1.0 + past
