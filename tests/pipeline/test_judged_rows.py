"""Readings kept from one look to the next are those that would be judged anew."""

from __future__ import annotations

from ingest.evaluate import Evaluator
from kpis import readings
from kpis.readings import Judged
from tests.conftest import FrozenClock
from tests.pipeline.world import World, ago, record


def test_what_is_kept_is_what_would_be_judged_anew(world: World, clock: FrozenClock) -> None:
    """Over changes, and over every hour in which freshness may turn by the clock alone."""
    world.with_settings(kpi={"requests_open": {"target": 0, "act": 2}})
    kept, judge = Judged(world.settings), Evaluator(world.store, world.settings, world.now)
    severities = set()
    for number in range(30):
        if number % 10 == 0:
            news = {"id": f"r{number}", "updated_at": ago(clock.at, seconds=1)}
            world.take("service_request", record("service_request", **news))
            world.take("uptime_check", record("uptime_check", id=f"c{number}", up=number == 0))
            judge.cycle(everything=True)
        with world.store.read() as conn:
            found = kept.current(conn, world.now())
            assert found == readings.current(conn, world.settings, world.now())
        severities |= {(r.severity, r.freshness) for r in found.values()}
        clock.tick(minutes=37)
    assert len(severities) > 4


def test_a_row_that_did_not_change_is_not_judged_again(world: World, clock: FrozenClock) -> None:
    kept = Judged(world.settings)
    world.take("service_request", record("service_request"))
    Evaluator(world.store, world.settings, world.now).cycle(everything=True)
    with world.store.read() as conn:
        first = kept.current(conn, world.now())
        clock.tick(seconds=1)
        again = kept.current(conn, world.now())
    assert all(again[key] is reading for key, reading in first.items())
