"""Severity by direction, target and act line; freshness by age; a missing value is unknown, never good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis.judge import distance, fresh_since, freshness, judged, severity
from kpis.percentile import percentile, share
from kpis.types import Better, Freshness, Measurement, Severity, Target

LOW, HIGH = Better.LOWER, Better.HIGHER
ON, WATCH, ACT, UNKNOWN = Severity.ON_TARGET, Severity.WATCH, Severity.ACT, Severity.UNKNOWN


@pytest.mark.parametrize(
    ("better", "target", "act", "value", "wanted"),
    [
        (LOW, 10, 20, 0, ON),
        (LOW, 10, 20, 10, ON),
        (LOW, 10, 20, 10.000001, WATCH),
        (LOW, 10, 20, 19.999999, WATCH),
        (LOW, 10, 20, 20, ACT),
        (LOW, 10, 20, 1e9, ACT),
        (LOW, 0, 1, 0, ON),
        (LOW, 0, 1, 1, ACT),
        (LOW, 5, 5, 5, ON),
        (LOW, 5, 5, 5.1, ACT),
        (HIGH, 0.85, 0.7, 1, ON),
        (HIGH, 0.85, 0.7, 0.85, ON),
        (HIGH, 0.85, 0.7, 0.849, WATCH),
        (HIGH, 0.85, 0.7, 0.701, WATCH),
        (HIGH, 0.85, 0.7, 0.7, ACT),
        (HIGH, 0.85, 0.7, 0, ACT),
        (HIGH, 0.25, 0, -3, ACT),
        (HIGH, 1, 0, 0, ACT),
        (LOW, 10, 20, None, UNKNOWN),
        (HIGH, 10, 5, None, UNKNOWN),
    ],
)
def test_severity(better: Better, target: float, act: float, value: float | None, wanted: Severity) -> None:
    assert severity(value, Target(target=target, act=act), better) is wanted


def test_without_a_target_or_before_it_is_settled_nothing_is_judged() -> None:
    target = Target(target=1, act=2)
    assert severity(5, None, LOW) is UNKNOWN
    assert judged(Measurement(value=5, observed_at=None, settled=False), target, LOW) is UNKNOWN
    assert judged(Measurement(value=5, observed_at=None), target, LOW) is ACT


SEEN = datetime(2026, 8, 19, 3, 0, tzinfo=UTC)
STEP = timedelta(hours=2)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("age", "wanted", "since"),
    [
        (-timedelta(minutes=4), Freshness.FRESH, None),
        (timedelta(0), Freshness.FRESH, None),
        (STEP, Freshness.FRESH, None),
        (STEP + TICK, Freshness.LATE, SEEN + STEP),
        (3 * STEP, Freshness.LATE, SEEN + STEP),
        (3 * STEP + TICK, Freshness.STALE, SEEN + 3 * STEP),
        (timedelta(days=900), Freshness.STALE, SEEN + 3 * STEP),
    ],
)
def test_freshness_and_when_it_began(age: timedelta, wanted: Freshness, since: datetime | None) -> None:
    assert freshness(SEEN, SEEN + age, STEP) is wanted
    assert fresh_since(SEEN, wanted, STEP) == since


def test_what_was_never_observed_is_never_and_not_stale() -> None:
    assert freshness(None, SEEN, STEP) is Freshness.NEVER


@pytest.mark.parametrize(
    ("better", "value", "wanted"),
    [(LOW, 15, 0.5), (LOW, 20, 1.0), (LOW, 40, 3.0), (LOW, 10, 0.0), (LOW, 3, 0.0), (LOW, None, 0.0)],
)
def test_distance_is_one_at_the_act_line(better: Better, value: float | None, wanted: float) -> None:
    assert distance(value, Target(target=10, act=20), better) == pytest.approx(wanted)
    mirrored = None if value is None else -value
    assert distance(mirrored, Target(target=-10, act=-20), HIGH) == pytest.approx(wanted)


def test_distance_without_a_width_or_a_target() -> None:
    assert distance(7, Target(target=5, act=5), LOW) == 3.0
    assert distance(7, None, LOW) == 0.0


_values = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=50)


@given(values=_values, fraction=st.floats(0, 1) | st.sampled_from([0.0, 0.5, 0.9, 1.0]))
def test_percentile_is_numpys_linear_one(values: list[float], fraction: float) -> None:
    found = percentile(sorted(values), fraction)
    assert found == pytest.approx(np.percentile(values, fraction * 100, method="linear"), rel=1e-9, abs=1e-6)


def test_nothing_has_no_percentile_and_no_share() -> None:
    assert percentile([], 0.5) is None
    assert share(0, 0) is None
    assert share(0, 4) == 0.0
