"""The figures of service requests, each worked out by hand (contract.md, Readings out)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from kpis.store import instant, metadata
from tests.conftest import FrozenClock
from tests.pipeline.world import NOW, World, ago, record

TICK = timedelta(microseconds=1)


def put(world: World, *requests: dict[str, Any]) -> None:
    """Requests with ids of their own, `dinkes` and an opening ten days ago unless they say more."""
    found = []
    for number, fields in enumerate(requests):
        newest = fields.get("closed_at") or ago(days=1)
        base = {"id": f"r{number}", "opened_at": ago(days=10), "updated_at": newest}
        found.append(record("service_request", **{**base, **fields}))
    outcome = world.take("service_request", *found)
    assert outcome.accepted == len(found), outcome.refusals


def closed(days: float, **fields: Any) -> dict[str, Any]:
    return {"status": "closed", "closed_at": ago(days=days), **fields}


ENDS = ["closed", "rejected", "archived", "withdrawn"]
OPEN = ["received", "verified", "assigned", "in_progress", "answered"]


@pytest.mark.parametrize("status", ENDS + OPEN)
def test_a_request_is_open_until_it_ends_in_one_of_four_ways(embedded: World, status: str) -> None:
    put(embedded, {"status": status, "updated_at": ago(days=2)})
    assert embedded.value("requests_open") == (0 if status in ENDS else 1)
    assert embedded.value("requests_open", "dinkes") == (0 if status in ENDS else 1)
    assert embedded.value("requests_open", "dishub") == 0


def test_open_at_the_edges_of_opening_and_closing(world: World) -> None:
    put(world, {"opened_at": ago(days=40), "updated_at": ago(days=40), "id": "x"}, closed(5))
    opened, ended = NOW - timedelta(days=10), NOW - timedelta(days=5)
    wanted = {opened - TICK: 1, opened: 2, ended - TICK: 2, ended: 1, NOW: 1}
    assert {at: world.value("requests_open", at=at) for at in wanted} == wanted


def test_a_request_that_changed_since_was_open_then(world: World) -> None:
    put(world, {"status": "verified"})
    assert world.value("requests_open", at=NOW - timedelta(days=5)) == 1
    assert world.value("requests_open", at=NOW - timedelta(days=10) - TICK) is None


def test_ended_by_its_own_time_else_by_the_records(world: World) -> None:
    put(world, {"status": "rejected", "closed_at": ago(days=6), "updated_at": ago(days=2)},
        {"status": "withdrawn", "updated_at": ago(days=4)},
        {"status": "closed", "updated_at": ago(days=3)},
        {"opened_at": ago(days=30), "updated_at": ago(days=30)})  # fmt: skip
    seen = [world.value("requests_open", at=NOW - timedelta(days=d)) for d in (7, 6, 4, 3, 0)]
    assert seen == [4, 3, 2, 1, 1]
    assert world.reading("requests_close_days_p50_30d").denominator == 1, "only closed is closed"


def test_reopened_is_open_again(world: World) -> None:
    put(world, closed(5, id="x"))
    assert world.value("requests_open") == 0
    put(
        world,
        {
            "id": "x",
            "status": "in_progress",
            "closed_at": ago(days=5),
            "updated_at": ago(days=1),
            "reopened": 1,
        },
    )
    assert world.value("requests_open") == 1
    assert world.value("requests_close_days_p50_30d") is None
    put(
        world,
        {"id": "x", "status": "closed", "closed_at": ago(hours=1), "updated_at": ago(hours=1), "reopened": 1},
    )
    assert world.value("requests_open") == 0
    assert world.value("requests_reopened_share_30d") == 1
    assert world.value("requests_close_days_p50_30d") == pytest.approx(10 - 1 / 24)


def test_overdue_is_of_the_open_ones_with_a_due_time_past(world: World) -> None:
    put(
        world,
        {"due_at": NOW.isoformat()},  # due now is not overdue yet
        {"due_at": (NOW - TICK).isoformat()},
        {"due_at": ago(days=-5)},
        {"due_at": ago(days=2), "opd": "dishub"},
        {},  # no due time: neither above nor below the line
        {"due_at": ago(days=8), **closed(1)},  # closed: not open
        {"due_at": ago(days=8), "status": "archived"},
    )
    found = world.reading("requests_overdue_share")
    assert (found.value, found.numerator, found.denominator) == (0.5, 2, 4)
    assert world.value("requests_overdue_share", "dinkes") == pytest.approx(1 / 3)
    assert world.value("requests_overdue_share", "dishub") == 1
    assert world.value("requests_overdue_share", "damkar") is None
    assert world.value("requests_open") == 5


def test_on_time_is_of_the_closed_with_a_due_time(world: World) -> None:
    at = ago(days=3)
    put(
        world,
        closed(3, due_at=at),  # closed at the very moment it was due
        closed(3, due_at=(NOW - timedelta(days=3) - TICK).isoformat()),
        closed(3, due_at=ago(days=-9)),
        closed(3, due_at=ago(days=4), opd="dishub"),
        closed(3),  # no due time
        {"status": "rejected", "closed_at": at, "due_at": ago(days=-9)},
    )
    found = world.reading("requests_on_time_share_30d")
    assert (found.value, found.numerator, found.denominator) == (0.5, 2, 4)
    assert world.value("requests_on_time_share_30d", "dinkes") == pytest.approx(2 / 3)
    assert world.value("requests_on_time_share_30d", "dishub") == 0
    assert world.value("requests_on_time_share_30d", "damkar") is None


@pytest.mark.parametrize(
    ("closed_at", "inside"),
    [
        (NOW, True),
        (NOW - timedelta(days=30) + TICK, True),
        (NOW - timedelta(days=30), False),
        (NOW + timedelta(minutes=3), False),
    ],
)
def test_the_window_is_open_on_the_left_and_closed_on_the_right(
    embedded: World, closed_at: datetime, inside: bool
) -> None:
    fields = {
        "opened_at": ago(days=50),
        "closed_at": closed_at.isoformat(),
        "updated_at": closed_at.isoformat(),
    }
    put(embedded, {**fields, "status": "closed", "answered_at": closed_at.isoformat(), "confirmed": True})
    put(embedded, {"id": "still", "updated_at": ago(days=40), "opened_at": ago(days=40)})
    for kpi in ("requests_close_days_p50_30d", "requests_close_days_p90_30d", "requests_confirmed_share_30d",
                "requests_first_response_hours_p50_30d", "requests_reopened_share_30d"):  # fmt: skip
        assert (embedded.value(kpi) is not None) is inside, kpi


def test_days_to_close_interpolate_linearly(world: World) -> None:
    put(world, *(closed(10 - d) for d in (1, 2, 4, 9)), closed(7, opd="dishub"))
    assert world.value("requests_close_days_p50_30d", "dinkes") == pytest.approx(3)
    assert world.value("requests_close_days_p90_30d", "dinkes") == pytest.approx(4 + 0.7 * 5)
    assert world.value("requests_close_days_p50_30d", "dishub") == pytest.approx(3)
    assert world.value("requests_close_days_p50_30d") == pytest.approx(3)
    assert world.value("requests_close_days_p90_30d") == pytest.approx(4 + 0.6 * 5)
    assert world.value("requests_close_days_p90_30d", "damkar") is None


def test_hours_to_the_first_answer(world: World) -> None:
    put(
        world,
        {"answered_at": ago(days=9), "status": "answered"},
        closed(1, answered_at=ago(days=8)),
        {"answered_at": ago(days=7), "opd": "dishub"},
        {},
    )
    assert world.value("requests_first_response_hours_p50_30d") == pytest.approx(48)
    assert world.value("requests_first_response_hours_p50_30d", "dinkes") == pytest.approx(36)
    assert world.value("requests_first_response_hours_p50_30d", "damkar") is None


def test_reopened_and_confirmed_are_of_all_closed_in_the_window(world: World) -> None:
    put(
        world,
        closed(2, reopened=2, confirmed=True),
        closed(3, reopened=0, confirmed=False),
        closed(4, confirmed=True),
        closed(5, opd="dishub"),
        {"reopened": 5, "confirmed": True},
        {"status": "withdrawn", "reopened": 1, "confirmed": True},
    )
    assert world.value("requests_reopened_share_30d") == 0.25
    assert world.value("requests_confirmed_share_30d") == 0.5
    assert world.value("requests_confirmed_share_30d", "dinkes") == pytest.approx(2 / 3)
    assert world.value("requests_reopened_share_30d", "dishub") == 0
    assert world.reading("requests_confirmed_share_30d").denominator == 4


def test_how_fresh_the_figures_are(world: World, clock: FrozenClock) -> None:
    put(world, {"updated_at": ago(hours=2)})
    found = world.reading("requests_open")
    assert (found.freshness, found.observed_at) == ("fresh", NOW - timedelta(hours=2))
    clock.tick(seconds=1)
    late = world.reading("requests_open")
    assert (late.freshness, late.since) == ("late", NOW)
    clock.tick(hours=4)
    stale = world.reading("requests_open")
    assert (stale.freshness, stale.value, stale.since) == ("stale", 1, NOW + timedelta(hours=4))


# --- the same over a crowd of requests, against sums over the facts ----------------------------------


@pytest.fixture
def crowd(world: World) -> World:
    """Two hundred requests whose times and ways to end come from a fixed draw."""
    import random

    lots = random.Random(7)
    found = []
    for number in range(200):
        opened = lots.uniform(1, 90)
        status = lots.choice([*ENDS, "closed", "closed", *OPEN])
        ended = lots.uniform(0, opened)
        fields: dict[str, Any] = {
            "status": status,
            "opd": lots.choice(["dinkes", "dishub"]),
            "opened_at": ago(days=opened),
        }
        if lots.random() < 0.8:
            fields["due_at"] = ago(days=opened - lots.uniform(1, 30))
        if status == "closed" and lots.random() < 0.9:
            fields["closed_at"] = ago(days=ended)
        if lots.random() < 0.5:
            fields["answered_at"] = ago(days=lots.uniform(ended, opened))
        fields |= {"reopened": lots.choice([None, 0, 1]), "confirmed": lots.choice([None, True, False])}
        found.append(record("service_request", id=f"r{number}", updated_at=ago(days=ended), **fields))
    assert world.take("service_request", *found).accepted == 200
    return world


@pytest.mark.parametrize("back", [0, 5, 20])
def test_every_figure_agrees_with_the_definitions_over_the_facts(crowd: World, back: int) -> None:
    import numpy as np

    at = NOW - timedelta(days=back)
    t = int(at.timestamp() * 1_000_000)
    low = t - 30 * 86_400_000_000
    rows = crowd.rows(metadata.tables["service_request"])
    for opd in (None, "dinkes", "dishub"):
        mine = [r for r in rows if opd in (None, r.opd)]
        ended = {r.id: r.closed_at or r.updated_at for r in mine if r.status in ENDS}
        waits = [r for r in mine if r.opened_at <= t and ended.get(r.id, t + 1) > t]
        done = [r for r in mine if r.status == "closed" and low < ended[r.id] <= t]
        due, done_due = [r for r in waits if r.due_at], [r for r in done if r.due_at]
        days = [(ended[r.id] - r.opened_at) / 86_400e6 for r in done]
        hours = [
            (r.answered_at - r.opened_at) / 3_600e6
            for r in mine
            if r.answered_at and low < r.answered_at <= t
        ]
        wanted = {
            "requests_open": len(waits),
            "requests_overdue_share": sum(r.due_at < t for r in due) / len(due),
            "requests_on_time_share_30d": sum(ended[r.id] <= r.due_at for r in done_due) / len(done_due),
            "requests_close_days_p50_30d": np.percentile(days, 50),
            "requests_close_days_p90_30d": np.percentile(days, 90),
            "requests_first_response_hours_p50_30d": np.percentile(hours, 50),
            "requests_reopened_share_30d": sum((r.reopened or 0) > 0 for r in done) / len(done),
            "requests_confirmed_share_30d": sum(r.confirmed is True for r in done) / len(done),
        }
        found = crowd.readings(at)
        assert {k: found[k, opd].value for k in wanted} == pytest.approx(wanted), instant(t)
