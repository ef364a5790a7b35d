"""When a domain is judged again: by what judging it costs, and by whether records pour in."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ingest.turns import GAP_S, POURS, Turns
from kpis.catalogue import DOMAINS
from kpis.types import Domain

QUICK, DEAR = Domain.SERVICE_REQUESTS, Domain.E_ATTENDANCE


def due(turns: Turns, now: float, *changed: Domain) -> set[Domain]:
    """Of the domains that changed, all unless some are named, whose turn it is."""
    wanted = changed or tuple(Domain)
    return {one.domain for one in turns.choose(now, [d for d in DOMAINS if d.domain in wanted])}


def judged(turns: Turns, now: float, costs: Mapping[Domain, float]) -> float:
    """The moment the turn that began at `now` has ended."""
    ended = now + sum(costs.values())
    turns.had(ended, costs, ended - now)
    return ended


def test_a_change_after_a_quiet_time_never_waits() -> None:
    turns = Turns()
    assert due(turns, 0.0) == set(Domain)
    ended = judged(turns, 100.0, {QUICK: 0.02, DEAR: 0.4})
    assert turns.at == pytest.approx(ended + GAP_S)
    assert due(turns, ended + 2.0, QUICK) == {QUICK}
    assert due(turns, ended + 2.0, DEAR) == {DEAR}


def test_a_quick_domain_waits_for_a_dear_one_once_at_most() -> None:
    turns = Turns()
    ended = judged(turns, 100.0, {QUICK: 0.02, DEAR: 0.4})
    assert due(turns, ended + 0.03, QUICK, DEAR) == {QUICK}
    ended = judged(turns, ended + 0.35, {QUICK: 0.02})
    assert due(turns, ended + 0.1, QUICK, DEAR) == {QUICK}, "longer due"
    ended = judged(turns, ended + 0.1, {QUICK: 0.02})
    assert due(turns, ended + 0.1, QUICK, DEAR) == {DEAR}, "and now it is its turn, alone"


def test_while_records_pour_in_judging_takes_a_tenth_of_the_time() -> None:
    turns = Turns()
    now, spent = 100.0, 0.0
    turns.count(now, 0)
    while now < 120.0:
        turns.count(now, int((now - 100.0) * POURS * 2))
        costs = dict.fromkeys(due(turns, now), 0.02)
        began, now = now, judged(turns, now, costs)
        spent += now - began
        now = max(now, turns.at)
    assert 0.05 < spent / 20.0 <= 0.11


def test_a_trickle_is_no_flood() -> None:
    turns = Turns()
    turns.count(100.0, 0)
    turns.count(101.0, POURS - 1)
    ended = judged(turns, 101.0, {QUICK: 0.1})
    assert turns.at == pytest.approx(ended + GAP_S)
