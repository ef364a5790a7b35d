"""Snapshots from real tables: one scope's own figures, and how they age when the store is away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dashboard.scope import Scope
from dashboard.snapshot import Key
from dashboard.tables import Tables
from kpis.clock import Clock
from kpis.config import Settings, load, store_settings
from kpis.store import Store, open_store
from kpis.types import Freshness, Severity
from tests.dashboard.running import ROOT, Hand

ALL = Scope(city=True, opds=frozenset({"dlh", "dinkes"}))


@pytest.fixture
def settings(store_url: str) -> Settings:
    return replace(load(ROOT / "config.toml", {}), store=store_settings(store_url, Path()))


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with open_store(settings) as store:
        yield store


@pytest.fixture
def tables(settings: Settings, store: Store) -> Tables:
    hand = Hand(store)
    hand.write("requests_open", 4711, severity=Severity.ACT)
    hand.write("requests_open", 12, "dlh", Severity.WATCH)
    hand.write("requests_open", 34, "dinkes")
    return Tables(settings, store)


def test_the_citys_snapshot_holds_its_own_readings_and_every_opds(tables: Tables) -> None:
    shown = tables.read(Key("wall"))
    assert (shown.opd, shown.version, shown.store_ok) == (None, 3, True)
    assert shown.readings["requests_open"].value == 4711
    assert {opd: one.value for opd, one in shown.by_opd["requests_open"].items()} == {"dlh": 12, "dinkes": 34}
    assert shown.owners["requests_open"] == "diskominfo"


def test_an_opds_snapshot_holds_nothing_of_the_others(tables: Tables) -> None:
    shown = tables.read(Key("opd", "dlh"))
    assert {key: one.value for key, one in shown.readings.items()} == {"requests_open": 12}
    assert shown.by_opd == {}
    assert {item.reading.opd for item in shown.attention} <= {"dlh"}


def test_a_store_without_readings_gives_a_page_without_figures(settings: Settings, store: Store) -> None:
    shown = Tables(settings, store).read(Key("wall"))
    assert (dict(shown.readings), shown.attention, shown.version) == ({}, (), 0)


@pytest.mark.parametrize(
    "page",
    ["wall", "mayor", "service_requests", "app_uptime", "integration", "attendance", "sources"],
)
def test_every_page_can_be_read_from_an_empty_store(settings: Settings, store: Store, page: str) -> None:
    assert Tables(settings, store).read(Key(page)).detail is not None


def test_while_the_store_is_away_the_last_figures_age(
    settings: Settings, store: Store, tables: Tables
) -> None:
    last = tables.read(Key("wall"))
    assert last.readings["requests_open"].freshness is Freshness.FRESH
    now = datetime.now(UTC)
    later = replace(settings, clock=Clock(real=now, city=now + timedelta(days=2)))
    shown = Tables(later, store).aged(last)
    assert shown.readings["requests_open"].freshness is Freshness.STALE
    assert shown.by_opd["requests_open"]["dlh"].freshness is Freshness.STALE
    assert {item.reading.freshness for item in shown.attention} == {Freshness.STALE}
    assert shown.readings["requests_open"].value == 4711
    assert shown.readings["requests_open"].severity is Severity.ACT
    assert (shown.store_ok, shown.at) == (False, last.at)


def test_readings_come_city_first_and_only_as_far_as_the_scope_reaches(tables: Tables) -> None:
    def listed(scope: Scope, opd: str | None = None) -> list[tuple[str | None, float | None]]:
        return [(one.opd, one.value) for one in tables.current(scope, opd)]

    assert listed(ALL) == [(None, 4711), ("dinkes", 34), ("dlh", 12)]
    assert listed(ALL, "dlh") == [("dlh", 12)]
    assert listed(Scope(city=False, opds=frozenset({"dlh"}))) == [("dlh", 12)]
