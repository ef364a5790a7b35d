"""The ladder, sync runs, the age of data and the budget chain, worked out by hand."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from kpis.opd_integration import opd_steps, view
from kpis.opd_integration.ladder import interface_rows
from kpis.views import LedgerBreak, Step
from tests.pipeline.world import NOW, World, ago, record

_numbers = itertools.count()
GOOD = {"matched": 95, "unmatched": 5, "rows_read": 100, "rows_rejected": 2}


def run(world: World, hours: float = 1, *, ok: bool = True, **fields: Any) -> None:
    """One sync run that started so many hours ago."""
    found = record("sync_run", id=f"s{next(_numbers)}", started_at=ago(hours=hours), ok=ok, **fields)
    outcome = world.take("sync_run", found)
    assert outcome.accepted == 1, outcome.refusals


def step(world: World, opd: str = "dinkes") -> Step:
    with world.store.read() as conn:
        rows = interface_rows(conn, world.settings, world.now())
    return {s.opd: s.step for s in opd_steps(world.settings, rows)}[opd]


REGISTERED = [{"opd": "dinkes", "system": "simpus", "interface": "pasien"}]


# --- the ladder -------------------------------------------------------------------------------------


def test_without_an_interface_an_opd_stands_on_the_ground(world: World) -> None:
    assert step(world) is Step.BELUM
    assert world.value("opd_integrated") is None


def test_registration_alone_is_the_second_step(world: World) -> None:
    world.with_settings(interface=REGISTERED)
    assert step(world) is Step.TERDAFTAR
    found = world.reading("opd_integrated")
    assert (found.value, found.denominator, found.freshness) == (0, 3, "never")


def test_a_failed_sync_earns_nothing(world: World) -> None:
    run(world, ok=False)
    assert step(world) is Step.TERDAFTAR


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, Step.TERHUBUNG),  # a connection and no more: nothing was matched
        ({"matched": 0, "unmatched": 0}, Step.TERHUBUNG),
        ({"matched": 94, "unmatched": 6}, Step.TERHUBUNG),
        ({"matched": 95, "unmatched": 5}, Step.TERINTEGRASI),
        ({"matched": 95, "unmatched": 5, "rows_read": 100, "rows_rejected": 2}, Step.TERINTEGRASI),
        ({"matched": 95, "unmatched": 5, "rows_read": 100, "rows_rejected": 3}, Step.TERHUBUNG),
        ({"matched": 10}, Step.TERINTEGRASI),
    ],
)
def test_the_rates_decide_the_top_step(embedded: World, fields: dict[str, Any], wanted: Step) -> None:
    run(embedded, **fields)
    assert step(embedded) is wanted
    assert embedded.value("opd_integrated") == (wanted is Step.TERINTEGRASI)
    assert embedded.value("opd_integrated", "dinkes") == (wanted is Step.TERINTEGRASI)


def test_a_sync_is_evidence_for_three_intervals(world: World) -> None:
    run(world, 72, **GOOD)
    assert step(world) is Step.TERINTEGRASI
    world.wipe()
    run(world, 72.001, **GOOD)
    assert step(world) is Step.TERDAFTAR
    world.with_settings(interface=[{**REGISTERED[0], "interval": "25h"}])
    assert step(world) is Step.TERINTEGRASI, "the interface's own interval"


def test_a_failure_after_a_good_sync_leaves_the_evidence(world: World) -> None:
    run(world, 30, **GOOD)
    run(world, 1, ok=False)
    assert step(world) is Step.TERINTEGRASI


def test_one_interface_of_two_at_the_top_is_in_part(world: World) -> None:
    run(world, **GOOD)
    run(world, interface="obat", matched=1, unmatched=9)
    assert step(world) is Step.SEBAGIAN
    assert world.value("opd_integrated") == 0
    run(world, 0.5, interface="obat", **GOOD)
    assert step(world) is Step.TERINTEGRASI
    assert world.value("opd_integrated") == 1


def test_the_ladder_as_it_was(world: World) -> None:
    run(world, 50, **GOOD)
    run(world, 10, matched=1, unmatched=1)
    assert world.value("opd_integrated") == 0
    assert world.value("opd_integrated", at=NOW - timedelta(hours=11)) == 1
    assert world.value("opd_integrated", at=NOW - timedelta(hours=51)) is None


# --- runs and ages ------------------------------------------------------------------------------------


def test_good_runs_of_the_last_day(world: World) -> None:
    for hours, ok in ((0, True), (1, False), (23.99, True), (24, False), (30, False)):
        run(world, hours, ok=ok)
    run(world, 2, ok=False, opd="dishub")
    found = world.reading("sync_success_share_24h")
    assert (found.value, found.numerator, found.denominator) == (0.5, 2, 4)
    assert world.value("sync_success_share_24h", "dinkes") == pytest.approx(2 / 3)
    assert world.value("sync_success_share_24h", "dishub") == 0
    assert world.value("sync_success_share_24h", "damkar") is None
    assert world.value("sync_success_share_24h", at=NOW - timedelta(hours=1)) == 0.25


def test_the_age_of_the_worst_systems_data(world: World) -> None:
    run(world, 5, system="a", data_as_of=ago(hours=6))
    run(world, 1, system="a", data_as_of=ago(hours=2))
    run(world, 1, system="b", opd="dishub", data_as_of=ago(hours=30))
    run(world, 1, system="c", opd="dishub")
    assert world.value("data_age_hours_worst") == pytest.approx(30)
    assert world.value("data_age_hours_worst", "dinkes") == pytest.approx(2)
    assert world.value("data_age_hours_worst", "damkar") is None
    assert world.value("data_age_hours_worst", "dinkes", at=NOW - timedelta(hours=2)) == pytest.approx(4)


# --- the budget chain ---------------------------------------------------------------------------------


def amounts(world: World, code: str = "1.02", opd: str = "dinkes", year: int = 2026, **stages: float) -> None:
    rows = [
        record(
            "ledger",
            id=f"{opd}{year}{code}{stage}",
            opd=opd,
            year=year,
            code=code,
            stage=stage,
            amount=amount,
        )
        for stage, amount in stages.items()
    ]
    assert world.take("ledger", *rows).rejected == 0


def found_breaks(world: World, opd: str | None = None) -> list[tuple[str, str, str]]:
    with world.store.read() as conn:
        shown: tuple[LedgerBreak, ...] = view(conn, world.settings, world.now(), opd).breaks
    return [(b.code, b.stage, b.reason) for b in shown]


@pytest.mark.parametrize(
    ("stages", "wanted"),
    [
        ({"plan": 100}, None),
        ({"plan": 100, "budget": 100}, None),
        ({"plan": 100, "budget": 100, "procurement": 80, "contract": 80, "realisation": 80}, None),
        ({"plan": 100, "budget": 100, "procurement": 0, "contract": 0}, None),
        ({"budget": 100}, ("budget", "missing_before")),
        ({"plan": 100, "budget": 101}, ("budget", "differs")),
        ({"plan": 100, "budget": 99}, ("budget", "differs")),
        ({"plan": 100, "budget": 100, "procurement": 101}, ("procurement", "exceeds")),
        ({"plan": 100, "budget": 100, "procurement": 90, "contract": 91}, ("contract", "exceeds")),
        (
            {"plan": 9, "budget": 9, "procurement": 9, "contract": 8, "realisation": 9},
            ("realisation", "exceeds"),
        ),
        ({"plan": 100, "procurement": 90}, ("procurement", "missing_before")),
        ({"plan": 100, "budget": 100, "contract": 90}, ("contract", "missing_before")),
        ({"realisation": 1}, ("realisation", "missing_before")),
        ({"plan": 100, "budget": 120, "procurement": 150, "contract": 200}, ("budget", "differs")),
    ],
)
def test_the_first_break_of_a_code(
    world: World, stages: dict[str, float], wanted: tuple[str, str] | None
) -> None:
    amounts(world, **stages)
    assert found_breaks(world) == ([] if wanted is None else [("1.02", *wanted)])
    found = world.reading("consistency_breaks")
    assert (found.value, found.denominator) == (0 if wanted is None else 1, 1)


@pytest.mark.parametrize(("budget", "breaks"), [(101, 0), (99, 0), (101.01, 1), (98.99, 1)])
def test_amounts_agree_within_the_tolerance(embedded: World, budget: float, breaks: int) -> None:
    embedded.with_settings(opd_integration={"tolerance": 0.01})
    amounts(embedded, plan=100, budget=budget)
    assert embedded.value("consistency_breaks") == breaks


def test_several_rows_of_one_stage_add_up(world: World) -> None:
    amounts(world, plan=100, budget=100, procurement=90)
    rows = [record("ledger", id=f"k{n}", code="1.02", stage="contract", amount=45.5) for n in range(2)]
    world.take("ledger", *rows)
    assert found_breaks(world) == [("1.02", "contract", "exceeds")]


def test_breaks_per_opd_and_year(world: World) -> None:
    amounts(world, "1.01", plan=1, budget=2)
    amounts(world, "1.02", plan=1, budget=1)
    amounts(world, "1.02", year=2025, plan=1, budget=2)
    amounts(world, "2.01", opd="dishub", plan=1, budget=2)
    assert world.value("consistency_breaks") == 3
    of_one = world.reading("consistency_breaks", "dinkes")
    assert (of_one.value, of_one.denominator) == (2, 3), "of its own codes"
    assert world.value("consistency_breaks", "dishub") == 1
    assert world.reading("consistency_breaks", "damkar").denominator == 0


def test_two_opd_that_use_one_code_each_have_their_own_chain(world: World) -> None:
    """Every kecamatan has the same codes for its own office: the slack of one hides no break of another."""
    amounts(world, "7.01", plan=100, budget=100, procurement=40)
    amounts(world, "7.01", opd="dishub", plan=100, budget=100, procurement=130)
    assert world.value("consistency_breaks") == 1
    assert world.value("consistency_breaks", "dinkes") == 0
    assert world.value("consistency_breaks", "dishub") == 1
    assert found_breaks(world, "dishub") == [("7.01", "procurement", "exceeds")]


def test_a_mended_amount_closes_the_break(world: World) -> None:
    amounts(world, plan=100, budget=120)
    assert world.value("consistency_breaks") == 1
    fixed = record(
        "ledger", id="dinkes20261.02budget", code="1.02", stage="budget", amount=100, updated_at=ago(hours=1)
    )
    world.take("ledger", fixed)
    assert world.value("consistency_breaks") == 0
