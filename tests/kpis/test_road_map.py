"""The road map, the OPD connected, the chain's stages and an interface's rows against what was sent."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from kpis import opd_integration
from kpis.opd_integration.interface import named
from kpis.spans import Span
from kpis.views import IntegrationView, InterfaceView
from tests.pipeline.world import NOW, World, ago, record

TODAY = date(2026, 8, 19)
QUARTER = Span(first=TODAY - timedelta(days=89), last=TODAY, name="90d")
OF = "dinkes/simpus/pasien"


def view(world: World, opd: str | None = None, span: Span = QUARTER) -> IntegrationView:
    with world.store.read() as conn:
        return opd_integration.view(conn, world.settings, NOW, opd, span)


def interface(world: World, of: str = OF, span: Span = QUARTER) -> InterfaceView:
    with world.store.read() as conn:
        return opd_integration.interface_view(conn, world.settings, NOW, of, span)


def promise(world: World, *rows: tuple[str, int, int | None], **more: Any) -> None:
    """`(opd, days from today it is due, days from today it is done)`."""
    found = []
    for number, (opd, due, done) in enumerate(rows):
        kept = {} if done is None else {"done_on": str(TODAY + timedelta(days=done))}
        due_on = str(TODAY + timedelta(days=due))
        fields = {"id": f"m{number}{more.get('kind', '')}", "opd": opd, "due_on": due_on, **kept, **more}
        found.append(record("milestone", **fields))
    assert world.take("milestone", *found).rejected == 0


PLAN = (
    ("dinkes", -400, -390), ("dinkes", -60, -70), ("dishub", -30, None), ("dishub", -8, -1), ("damkar", 0, 0),
    ("damkar", 5, None), ("dinkes", 40, 3), ("dishub", 90, None), ("dinkes", -900, -880),
    ("dinkes", -900, None),
)  # fmt: skip


def test_the_burn_up_counts_what_was_due_and_done_by_each_day(world: World) -> None:
    promise(world, *PLAN, budget=1000.0, progress=0.5)
    found = view(world).road_map
    assert found is not None
    for point in found.points:
        with world.store.read() as conn:
            due, done = conn.execute(
                sa.text("SELECT sum(due_on <= :d), sum(done_on <= :d) FROM milestone")
                if world.store.embedded
                else sa.text(
                    "SELECT sum((due_on <= :d)::int), sum(coalesce((done_on <= :d)::int, 0)) FROM milestone"
                ),
                {"d": point.day.isoformat() if world.store.embedded else point.day},
            ).one()
        assert point.due == due, point.day
        assert point.done == (done if point.day <= TODAY else None), point.day
    assert [point.day for point in found.points] == sorted(point.day for point in found.points)
    assert TODAY in [point.day for point in found.points]
    assert found.total == len(PLAN)


def test_what_is_late_is_due_and_not_done_and_what_is_promised_is_no_fact(world: World) -> None:
    promise(world, *PLAN)
    found = view(world).road_map
    assert found is not None
    assert [(row.opd, row.due_on) for row in found.late] == [("dishub", TODAY - timedelta(days=30))]
    assert found.late_count == 2, "the one of years ago is counted though it is not listed"
    assert [row.due_on - TODAY for row in found.coming] == [timedelta(days=n) for n in (5, 40, 90)]
    assert found.coming[1].done_on is None, "done three days from now is a plan"


def test_progress_is_weighted_by_budget(world: World) -> None:
    promise(world, ("dinkes", -10, -5), budget=300.0, progress=0.1, kind="a")
    promise(world, ("dishub", -10, None), budget=100.0, progress=0.5, kind="b")
    promise(world, ("dishub", 10, None), budget=600.0, kind="c")
    promise(world, ("dishub", 10, None), kind="d")
    found = view(world).road_map
    assert found is not None
    assert (found.budget, found.budget_due, found.budget_done) == (1000, 400, 350)
    mine = view(world, "dishub").road_map
    assert mine is not None
    assert (mine.total, mine.budget, mine.budget_done) == (3, 700, 50)


def test_an_opd_is_connected_while_a_good_sync_is_within_three_intervals(world: World) -> None:
    """An interval of a day: a good sync counts on its day and the two after it."""
    for number, (opd, days, ok) in enumerate(
        [
            ("dinkes", 10, True),
            ("dinkes", 3, True),
            ("dishub", 3, True),
            ("dishub", 2, False),
            ("damkar", 1, False),
        ]
    ):
        run = {"id": f"s{number}", "opd": opd, "started_at": ago(days=days), "ok": ok}
        world.take("sync_run", record("sync_run", **run))
    promise(world, ("dinkes", -20, None), ("dinkes", -4, None), ("dishub", -2, None), kind="connect")
    promise(world, ("damkar", -50, None), kind="train")
    found = {day.day: (day.connected, day.target) for day in view(world).connected}
    near = [found[TODAY - timedelta(days=n)] for n in (11, 10, 8, 7, 3, 2, 1, 0)]
    assert near == [(0, 1), (1, 1), (1, 1), (0, 1), (2, 1), (2, 2), (2, 2), (0, 2)]
    assert found[QUARTER.first] == (0, 0)
    assert [day.connected for day in view(world, "dishub").connected][-4:] == [1, 1, 1, 0]


def test_a_year_is_looked_at_week_by_week(world: World) -> None:
    world.take("sync_run", record("sync_run", started_at=ago(hours=1)))
    year = Span(first=TODAY - timedelta(days=364), last=TODAY, name="year")
    days = view(world, span=year).connected
    assert len(days) == 53
    assert (days[-1].day, days[-1].connected, days[-1].target) == (TODAY, 1, None)


def test_a_short_range_still_shows_a_quarter(world: World) -> None:
    today = Span(first=TODAY, last=TODAY, name="today")
    assert len(view(world, span=today).connected) == 90


def test_the_funnel_counts_codes_and_rupiah_stage_by_stage(world: World) -> None:
    for number, (opd, code, stage, amount) in enumerate(
        [
            ("dinkes", "1", "plan", 100), ("dinkes", "1", "budget", 100), ("dinkes", "1", "procurement", 140),
            ("dinkes", "2", "plan", 50), ("dishub", "1", "plan", 10), ("dishub", "1", "budget", 10),
            ("dishub", "1", "budget", 5),
        ]
    ):  # fmt: skip
        row = {"id": f"l{number}", "opd": opd, "code": code, "stage": stage, "amount": amount}
        world.take("ledger", record("ledger", **row))
    city = {one.stage: (one.codes, one.amount, one.breaks) for one in view(world).chain}
    assert city == {
        "plan": (3, 160, 0), "budget": (2, 115, 1), "procurement": (1, 140, 1), "contract": (0, 0, 0),
        "realisation": (0, 0, 0),
    }  # fmt: skip
    assert [one.amount for one in view(world, "dishub").chain][:2] == [10, 15]
    assert sum(one.breaks for one in view(world).chain) == world.value("consistency_breaks")


def test_an_interfaces_days_and_runs_are_the_runs_that_were_sent(world: World) -> None:
    sent = [(hours, hours % 7 != 0) for hours in range(1, 24 * 40, 5)]
    world.take(
        "sync_run",
        *(
            record(
                "sync_run", id=f"s{n}", started_at=ago(hours=n), ok=ok, rows_read=n, error=None if ok else "x"
            )
            for n, ok in sent
        ),
        record("sync_run", id="other", opd="dishub", started_at=ago(hours=2)),
    )
    found = interface(world)
    assert sum(day.runs for day in found.days) == found.run_count == len(sent)
    assert sum(day.ok for day in found.days) == found.ok_count == sum(ok for _, ok in sent)
    assert [day.day for day in found.days] == [TODAY - timedelta(days=n) for n in range(89, -1, -1)]
    assert [run.rows_read for run in found.runs] == [n for n, _ in sent]
    assert view(world).days["dinkes", "simpus", "pasien"] == found.days
    week = interface(world, span=Span(first=TODAY - timedelta(days=6), last=TODAY, name="7d"))
    assert len(week.runs) == week.run_count == sum(n < 6 * 24 + 10 for n, _ in sent)


def test_runs_are_listed_up_to_a_bound_over_the_end_of_months(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kpis.opd_integration.interface.MOST_RUNS", 20)
    world.take(
        "sync_run", *(record("sync_run", id=f"s{n}", started_at=ago(days=2 * n + 1)) for n in range(40))
    )
    found = interface(world)
    assert [run.started_at for run in found.runs] == [NOW - timedelta(days=2 * n + 1) for n in range(20)]
    assert found.run_count == 40


@pytest.mark.parametrize("asked", ["", "dinkes", "dinkes/simpus", "dinkes/simpus/none", "a/b/c/d", "//"])
def test_an_interface_nobody_knows_has_no_row(world: World, asked: str) -> None:
    world.take("sync_run", record("sync_run"))
    assert interface(world, asked).row is None


def test_an_interface_is_spelled_so_that_it_is_found_again() -> None:
    for key in (("bkad", "sipd", "realisasi"), ("a", "b/c", "d e%2F?#")):
        assert named(opd_integration.spelled(key)) == key
