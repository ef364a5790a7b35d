"""Snapshots: read once however many ask, and the last one stays when the store goes."""

from __future__ import annotations

import asyncio

import pytest

from dashboard.snapshot import Key, Snapshots
from kpis.errors import StoreUnavailable
from tests.dashboard.fakes import FakeTables, settings

WALL = Key("wall")


class Hand:
    """A clock a test moves."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def tables() -> FakeTables:
    return FakeTables(settings())


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def snapshots(tables: FakeTables, hand: Hand) -> Snapshots:
    return Snapshots(tables, keep=3, fresh_for=2, patience=0.3, clock=hand)


async def test_a_hundred_who_ask_at_once_share_one_reading(snapshots: Snapshots, tables: FakeTables) -> None:
    tables.slow = 0.05
    found = await asyncio.gather(*(snapshots.get(WALL) for _ in range(100)))
    assert tables.reads == [WALL]
    assert len({id(one) for one in found}) == 1


async def test_each_version_is_read_once(snapshots: Snapshots, tables: FakeTables) -> None:
    await snapshots.get(WALL)
    tables.version = snapshots.version = 2
    first, second = await snapshots.get(WALL), await snapshots.get(WALL)
    assert len(tables.reads) == 2
    assert first is second
    assert first.version == 2


async def test_a_change_while_reading_is_read_after_it(snapshots: Snapshots, tables: FakeTables) -> None:
    tables.slow = 0.1
    early = asyncio.create_task(snapshots.get(WALL))
    await asyncio.sleep(0.02)
    tables.version = snapshots.version = 2
    assert (await snapshots.get(WALL)).version == 2
    await early
    assert len(tables.reads) == 2


async def test_keys_are_apart(snapshots: Snapshots) -> None:
    city, opd = await snapshots.get(WALL), await snapshots.get(Key("opd", "dlh"))
    assert (city.opd, opd.opd) == (None, "dlh")


async def test_a_snapshot_grows_old_by_the_clock(
    snapshots: Snapshots, tables: FakeTables, hand: Hand
) -> None:
    await snapshots.get(WALL)
    hand.at = 1.9
    await snapshots.get(WALL)
    assert len(tables.reads) == 1
    hand.at = 2.1
    await snapshots.get(WALL)
    assert len(tables.reads) == 2


async def test_the_last_snapshot_stays_and_says_that_the_store_is_away(
    snapshots: Snapshots, tables: FakeTables, hand: Hand
) -> None:
    before = await snapshots.get(WALL)
    tables.away = True
    snapshots.version = 2
    shown = await snapshots.get(WALL)
    assert not shown.store_ok
    assert shown.readings == before.readings
    assert not snapshots.store_ok
    tables.away, tables.version, hand.at = False, 2, 10
    assert (await snapshots.get(WALL)).store_ok
    assert snapshots.store_ok


async def test_a_store_that_is_away_is_not_asked_for_every_request(
    snapshots: Snapshots, tables: FakeTables
) -> None:
    await snapshots.get(WALL)
    tables.away = True
    snapshots.version = 2
    for _ in range(5):
        await snapshots.get(WALL)
    assert len(tables.reads) == 2


async def test_what_is_held_is_read_again_when_the_store_is_in_doubt(
    snapshots: Snapshots, tables: FakeTables
) -> None:
    await snapshots.get(WALL)
    tables.away = True
    snapshots.doubt()
    assert not (await snapshots.get(WALL)).store_ok
    tables.away = False
    snapshots.doubt()
    assert (await snapshots.get(WALL)).store_ok


async def test_a_store_that_does_not_answer_counts_as_away(snapshots: Snapshots, tables: FakeTables) -> None:
    await snapshots.get(WALL)
    tables.slow = 1.0
    snapshots.version = 2
    assert not (await snapshots.get(WALL)).store_ok


async def test_a_page_that_was_never_read_has_nothing_to_show(
    snapshots: Snapshots, tables: FakeTables
) -> None:
    tables.away = True
    with pytest.raises(StoreUnavailable):
        await snapshots.get(WALL)
    tables.away = False
    assert (await snapshots.get(WALL)).store_ok


async def test_no_more_snapshots_are_held_than_allowed(snapshots: Snapshots, tables: FakeTables) -> None:
    for reject in range(10):
        await snapshots.get(Key("sources", None, reject))
    await snapshots.get(Key("sources", None, 9))
    assert len(tables.reads) == 10
    await snapshots.get(Key("sources", None, 0))
    assert len(tables.reads) == 11


async def test_what_a_viewer_can_think_up_crowds_nothing_out(tables: FakeTables, hand: Hand) -> None:
    snapshots = Snapshots(tables, keep=8, keep_rare=2, clock=hand)
    await snapshots.get(WALL)
    many = [Key("service_requests", range=f"2026-01-01..2026-01-{day:02}") for day in range(1, 31)]
    for key in [*many, *(Key("sources", reject=number) for number in range(30))]:
        await snapshots.get(key)
    tables.reads.clear()
    await snapshots.get(WALL)
    assert tables.reads == []
    await snapshots.get(Key("sources", reject=29))
    assert tables.reads == []
    await snapshots.get(many[-1])
    assert tables.reads == [many[-1]]
