"""No page and no cycle reads a growing table from one end to the other: each query finds its rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dashboard.snapshot import Key
from dashboard.tables import Tables
from ingest.evaluate import Evaluator
from kpis import readings
from kpis.catalogue import catalogue
from kpis.clock import Clock
from kpis.config import Settings
from kpis.opd_integration.ladder import interface_rows
from kpis.readings import measure
from kpis.store import Store
from kpis.views import InterfaceRow
from layouts.pages import PAGES
from tests.pipeline.world import FEEDS, NOW, World, ago, city, record

# What grows with the city's years. The ledger's chain is read whole, once for each change of it.
GROWING = (
    "service_request", "request_day", "uptime_check", "app_run", "sync_run", "sync_day", "attendance",
    "attendance_day", "attendance_person", "attendance_cell", "message", "milestone", "reading_history",
    "reading_day", "reading_change", "source_hour", "reject",
)  # fmt: skip
_SCANS = re.compile(rf"^SCAN ({'|'.join(GROWING)})\b(?! USING INDEX reject_last$)")

PICKED = (
    ("app", "app:web"), ("interface", "of:dinkes/simpus/pasien"), ("app_uptime", "opd:dinkes"),
    ("integration", "opd:dinkes"), ("attendance", "opd:dinkes"),
)  # fmt: skip

_STAGED = re.compile(r"\bstage_[a-z]")


def asked(store: Store) -> dict[str, Any]:
    """Fills with every question to the tables from now on, and what it was given; stages aside."""
    found: dict[str, Any] = {}

    def keep(_conn: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "WITH")) and not _STAGED.search(statement):
            found.setdefault(statement, given)

    sa.event.listen(store._reader, "before_cursor_execute", keep)
    sa.event.listen(store._writer, "before_cursor_execute", keep)
    return found


def of_table(asked: dict[str, Any], table: str) -> list[str]:
    return [statement for statement in asked if re.search(rf"(FROM|JOIN) {table}\b", statement)]


def plan(conn: sa.Connection, statement: str, given: Any) -> str:
    return "\n".join(row[0] for row in conn.exec_driver_sql(f"EXPLAIN {statement}", given))


def test_what_grows_is_looked_up(embedded: World) -> None:
    for feed in FEEDS:
        embedded.take(feed, record(feed), {"id": ""})
    statements = asked(embedded.store)
    Evaluator(embedded.store, embedded.settings, embedded.now).cycle(everything=True)
    tables = Tables(embedded.settings, embedded.store)
    for page in PAGES:
        for kpi in catalogue() if page.of_kpi else (None,):
            for days in ("today", "7d", "year"):
                tables.read(Key(page.name, "dinkes" if page.scope == "opd" else None, 1, None, days, kpi))
    for page, pick in PICKED:
        tables.read(Key(page, range="year", pick=pick))
    embedded.take("uptime_check", record("uptime_check", id="c2"))
    with embedded.store.read() as conn:
        measure(conn, embedded.settings, NOW)
        readings.current(conn, embedded.settings, NOW)
        plans = {
            statement: [row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)]
            for statement, given in dict(statements).items()
        }
    assert len(plans) > 40
    scanned = {statement: plan for statement, plan in plans.items() if any(map(_SCANS.match, plan))}
    assert not scanned, "\n".join(f"{' '.join(s.split())[:200]}\n    {plan}" for s, plan in scanned.items())


@pytest.mark.parametrize("apps", [0, 1, 3])
def test_every_application_that_was_ever_checked_is_found(world: World, apps: int) -> None:
    for number in range(apps):
        for up, minute in ((True, 10), (False, 20), (True, 30)):
            check = {"id": f"{number}-{minute}", "app": f"app{number}", "up": up}
            at = NOW.replace(hour=1, minute=minute).isoformat()
            world.take("uptime_check", record("uptime_check", observed_at=at, **check))
    found = world.reading("apps_down_now")
    assert (found.expected, found.denominator) == (apps, apps)


def test_the_ledger_is_read_once_for_each_change_of_it(world: World) -> None:
    world.take("ledger", record("ledger"))
    assert world.reading("consistency_breaks").denominator == 1
    asked_again = asked(world.store)
    world.take("sync_run", record("sync_run"))
    assert world.reading("consistency_breaks").denominator == 1
    assert not of_table(asked_again, "ledger"), "a sync run is no reason to compare every code again"
    world.take("ledger", record("ledger", id="l2", code="1.02.02", stage="budget"))
    found = world.reading("consistency_breaks")
    assert (found.value, found.denominator) == (1, 2)
    assert of_table(asked_again, "ledger")


def test_the_ledger_before_its_newest_row_is_read_as_it_was(world: World) -> None:
    world.take("ledger", record("ledger", updated_at=ago(days=3)))
    world.take("ledger", record("ledger", id="l2", stage="budget", amount=900, updated_at=ago(days=1)))
    assert world.value("consistency_breaks") == 1
    assert world.value("consistency_breaks", at=NOW - timedelta(days=2)) == 0
    assert world.value("consistency_breaks", at=NOW - timedelta(days=4)) is None
    assert world.value("consistency_breaks") == 1


OLD_RUN = {"data_as_of": ago(days=201), "matched": 99, "unmatched": 1}


def interface(world: World) -> InterfaceRow:
    with world.store.read() as conn:
        (found,) = interface_rows(conn, world.settings, NOW)
    return found


def test_a_run_of_long_ago_counts_whenever_it_comes_in(world: World) -> None:
    world.take("sync_run", record("sync_run", id="new", ok=False))
    assert (interface(world).last_ok_at, interface(world).data_as_of) == (None, None)
    for id_, days in (("older", 200), ("newer", 100)):
        world.take("sync_run", record("sync_run", id=id_, started_at=ago(days=days), **OLD_RUN))
        found = interface(world)
        assert found.last_ok_at == NOW - timedelta(days=days)
        assert found.data_as_of == NOW - timedelta(days=201)
        assert found.matched_share == 0.99
        assert found.last_run_at == NOW - timedelta(hours=1)


def test_what_was_long_ago_is_looked_up_once(world: World) -> None:
    world.take("sync_run", record("sync_run", id="old", started_at=ago(days=200), **OLD_RUN))
    world.take("sync_run", record("sync_run", id="new", ok=False))
    interface(world)
    asked_again = asked(world.store)
    world.take("sync_run", record("sync_run", id="newer", ok=False, started_at=ago(minutes=5)))
    assert interface(world).last_ok_at == NOW - timedelta(days=200)
    looked = of_table(asked_again, "sync_run")
    assert looked
    assert all("started_at >" in statement or "started_at IN" in statement for statement in looked)


def test_pages_plan_for_the_months_they_show_and_no_others(
    postgres_url: Callable[[], str],
) -> None:
    with city(postgres_url()) as world:
        for back in range(18):
            at = {"id": f"m{back}"}
            world.take("uptime_check", record("uptime_check", observed_at=ago(days=30 * back + 1), **at))
            world.take("sync_run", record("sync_run", started_at=ago(days=30 * back + 1), **at))
            world.take("attendance", record("attendance", at=ago(days=30 * back + 1), **at))
        tables = Tables(frozen(world.settings), world.store)
        evaluator = Evaluator(world.store, world.settings, world.now)

        def look() -> None:
            evaluator.cycle(everything=True)
            for page in PAGES:
                kpi = "app_uptime_30d" if page.of_kpi else None
                tables.read(Key(page.name, "dinkes" if page.scope == "opd" else None, kpi=kpi))

        look()
        statements = asked(world.store)
        look()
        parts = re.compile(r"\b(?:uptime_check|sync_run|attendance|attendance_day)_(20\d{4})\b")
        with world.store.read() as conn:
            plans = {one: plan(conn, one, given) for one, given in dict(statements).items()}
    found = {one: sorted(set(parts.findall(text))) for one, text in plans.items() if parts.search(text)}
    assert len(found) > 5
    assert not {one: which for one, which in found.items() if len(which) > 3}


def frozen(settings: Settings) -> Settings:
    """The same settings with a clock that stands at NOW."""
    return replace(settings, clock=Clock(real=NOW, city=NOW, speed=0.0))
