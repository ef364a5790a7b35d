"""A short soak: a page that stands open does not grow, and pages that go leave nothing behind."""

from __future__ import annotations

from typing import Any

from benchmarks import soak


def test_a_short_soak_leaves_nothing_behind() -> None:
    found: dict[str, Any] = soak.run(["--minutes", "0.15", "--cycles", "600"])
    assert found["changes"] > 20
    assert abs(found["listeners_growth"]) < 0.02
    assert found["heap_growth"] < 0.1
    assert found["nodes_growth"] < 0.1
    assert found["subscriptions_left"] == 0
    assert found["tasks_left"] <= 0
    assert found["files_left"] < 10
    assert found["states_seen"] > 200


def test_growth_is_between_the_first_and_the_last_third() -> None:
    assert soak.growth([100, 100, 90, 500, 100, 100, 110, 110, 20]) == 0.1
    assert soak.growth([4]) == 0
