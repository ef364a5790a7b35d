"""The same data sent twice, or in any order, changes nothing; every roll-up equals its facts."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.pipeline import Pipeline
from kpis.app_uptime import app_run
from kpis.e_attendance import attendance_cell, attendance_person
from kpis.opd_integration import sync_day
from kpis.store import instant, metadata
from tests.pipeline.world import NOW, World, city, property_of, record

ZONE = ZoneInfo("Asia/Jakarta")
GAP = 15 * 60 * 1_000_000  # three times the five minutes app_uptime.interval expects


def us(at: str) -> int:
    return (datetime.fromisoformat(at) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def local(at_us: int) -> date:
    return instant(at_us).astimezone(ZONE).date()


# --- records: what has one id has one content, what has one version has one content -----------------

_minutes = st.integers(0, 3 * 24 * 60)
_some = st.integers(0, 2)


def at(minutes: int) -> str:
    return (NOW - timedelta(minutes=minutes)).isoformat()


@st.composite
def checks(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Checks of two applications, on a coarse grid so that instants tie and gaps sit on their bound."""
    drawn = draw(
        st.lists(st.tuples(st.integers(0, 40), st.booleans(), st.booleans()), min_size=1, max_size=40)
    )
    return [
        record("uptime_check", id=f"c{n}", app="web" if app else "sim", observed_at=at(slot * 5), up=up)
        for n, (slot, up, app) in enumerate(drawn)
    ]


@st.composite
def requests(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Versions of three requests: they change OPD and times, close and are opened again."""
    found = []
    for n, version in draw(st.sets(st.tuples(_some, st.integers(0, 5)), min_size=1, max_size=14)):
        opened = draw(st.integers(4 * 24 * 60, 7 * 24 * 60))
        closed = draw(st.none() | st.integers(0, 4 * 24 * 60 - 1))
        fields: dict[str, Any] = {
            "status": draw(
                st.sampled_from(["received", "in_progress", "answered", "closed", "rejected", "withdrawn"])
            ),
            "opd": draw(st.sampled_from(["dinkes", "dishub"])),
        }
        if closed is not None:
            fields["closed_at"] = at(closed)
        updated = at(4000 - 60 * version)
        found.append(
            record("service_request", id=f"r{n}", opened_at=at(opened), updated_at=updated, **fields)
        )
    return found


@st.composite
def syncs(draw: st.DrawFn) -> list[dict[str, Any]]:
    drawn = draw(
        st.lists(st.tuples(_minutes, st.booleans(), st.sampled_from(["a", "b"])), min_size=1, max_size=30)
    )
    return [
        record("sync_run", id=f"s{n}", started_at=at(minutes), ok=ok, interface=interface)
        for n, (minutes, ok, interface) in enumerate(drawn)
    ]


@st.composite
def attendances(draw: st.DrawFn) -> list[tuple[str, dict[str, Any]]]:
    """Clock events and categories of three people in two OPD around midnight and around 07:45."""
    found: list[tuple[str, dict[str, Any]]] = []
    around = st.sampled_from([-1, 0, 1, 465 - 1, 465, 466, 600, 960, 1439])
    drawn = draw(
        st.lists(
            st.tuples(_some, st.booleans(), around, st.integers(0, 2), st.booleans()), min_size=1, max_size=25
        )
    )
    for n, (who, other, minute, back, leaves) in enumerate(drawn):
        midnight = datetime(2026, 8, 18, tzinfo=ZONE) - timedelta(days=back)
        moment = (midnight + timedelta(minutes=minute)).isoformat()
        opd, kind = "dishub" if other else "dinkes", "out" if leaves else "in"
        found.append(
            (
                "attendance",
                record("attendance", id=f"a{n}", employee=f"p{who}", opd=opd, at=moment, kind=kind),
            )
        )
    categories = ["hadir", "izin", "sakit", "cuti", "dinas_luar", "tanpa_keterangan"]
    told = draw(
        st.lists(
            st.tuples(_some, st.booleans(), st.integers(16, 18), st.sampled_from(categories)), max_size=8
        )
    )
    for n, (who, other, day, category) in enumerate(told):
        fields = {"employee": f"p{who}", "opd": "dishub" if other else "dinkes", "category": category}
        found.append(("attendance_day", record("attendance_day", id=f"d{n}", day=f"2026-08-{day}", **fields)))
    return found


# --- what the tables must then hold ------------------------------------------------------------------


def send(world: World, records: list[tuple[str, dict[str, Any]]], cuts: random.Random) -> None:
    """All of them in batches of whatever size; every record is accounted for."""
    left = list(records)
    while left:
        size = cuts.randint(1, len(left))
        batch, left = left[:size], left[size:]
        outcome = world.pipeline.take([world.arrival(feed, r) for feed, r in batch])
        assert outcome.accepted + outcome.known == len(batch)
        assert outcome.rejected == 0


def tables(world: World, *names: str) -> dict[str, list[Any]]:
    """Rows of the tables; a cell that counts nothing is no cell."""
    found = {}
    for name in names:
        rows = [tuple(row) for row in world.rows(metadata.tables[name])]
        found[name] = [row for row in rows if name != "request_day" or any(row[2:])]
    return found


def in_any_order(world: World, records: list[tuple[str, dict[str, Any]]], lots: int, *names: str) -> None:
    """Once in order and once, leaving the tables as they were, shuffled and with repeats."""
    cuts = random.Random(lots)
    world.wipe()
    send(world, records, cuts)
    first = tables(world, *names)
    send(world, records, cuts)
    assert tables(world, *names) == first, "sent twice"
    world.wipe()
    shuffled = records + cuts.sample(records, len(records) // 2)
    cuts.shuffle(shuffled)
    send(world, shuffled, cuts)
    assert tables(world, *names) == first, "in another order"


def runs_of(records: list[dict[str, Any]]) -> list[tuple[str, int, int, bool]]:
    """Stretches of checks that agree without a gap; of one instant the worst state counts."""
    states: dict[tuple[str, int], bool] = {}
    for r in records:
        key = (r["app"], us(r["observed_at"]))
        states[key] = states.get(key, True) and r["up"]
    found: list[tuple[str, int, int, bool]] = []
    for (app, moment), up in sorted(states.items()):
        last = found[-1] if found else None
        if last and last[0] == app and last[3] == up and moment - last[2] <= GAP:
            found[-1] = (app, last[1], moment, up)
        else:
            found.append((app, moment, moment, up))
    return found


def days_of(records: list[dict[str, Any]]) -> list[tuple[date, str, int, int]]:
    newest: dict[str, dict[str, Any]] = {}
    for r in sorted(records, key=lambda r: us(r["updated_at"])):
        newest[r["id"]] = r
    cells: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0])
    for r in newest.values():
        cells[local(us(r["opened_at"])), r["opd"]][0] += 1
        if r["status"] == "closed":
            cells[local(us(r.get("closed_at", r["updated_at"]))), r["opd"]][1] += 1
    return sorted((day, opd, *counts) for (day, opd), counts in cells.items())


def people_of(
    records: list[tuple[str, dict[str, Any]]],
) -> dict[tuple[date, str, str], tuple[int | None, int | None]]:
    times: dict[tuple[date, str, str], dict[str, list[int]]] = defaultdict(lambda: {"in": [], "out": []})
    for feed, r in records:
        if feed == "attendance":
            times[local(us(r["at"])), r["opd"], r["employee"]][r["kind"]].append(us(r["at"]))
    return {k: (min(t["in"], default=None), max(t["out"], default=None)) for k, t in times.items()}


def cells_of(records: list[tuple[str, dict[str, Any]]]) -> list[tuple[date, str, int, int, int, int]]:
    """present, off site, on leave, late; of several categories of one person the last by name."""
    people = people_of(records)
    told: dict[tuple[date, str, str], str] = {}
    for feed, r in records:
        if feed == "attendance_day":
            key = (date.fromisoformat(r["day"]), r["opd"], r["employee"])
            told[key] = max(told.get(key, ""), r["category"])
    cells: dict[tuple[date, str], Counter[str]] = defaultdict(Counter)
    for day, opd, who in {*people, *told}:
        first_in, _ = people.get((day, opd, who), (None, None))
        category = told.get((day, opd, who))
        cell = cells[day, opd]
        if category in ("izin", "sakit", "cuti"):
            cell["leave"] += 1
        elif first_in is not None or category == "hadir":
            cell["present"] += 1
            start = datetime(day.year, day.month, day.day, 7, 45, tzinfo=ZONE).isoformat()
            cell["late"] += first_in is not None and first_in > us(start)
        elif category == "dinas_luar":
            cell["off"] += 1
    return sorted((*key, c["present"], c["off"], c["leave"], c["late"]) for key, c in cells.items())


def check_runs(world: World, records: list[dict[str, Any]], lots: int) -> None:
    in_any_order(world, [("uptime_check", r) for r in records], lots, "uptime_check", "app_run")
    assert [tuple(row) for row in world.rows(app_run)] == runs_of(records)


def check_requests(world: World, records: list[dict[str, Any]], lots: int) -> None:
    in_any_order(world, [("service_request", r) for r in records], lots, "service_request", "request_day")
    assert tables(world, "request_day")["request_day"] == days_of(records)


def check_syncs(world: World, records: list[dict[str, Any]], lots: int) -> None:
    in_any_order(world, [("sync_run", r) for r in records], lots, "sync_run", "sync_day", "interface_seen")
    cells: Counter[tuple[date, str, bool]] = Counter()
    for r in records:
        cells[local(us(r["started_at"])), r["interface"], r["ok"]] += 1
    days = sorted({(day, interface) for day, interface, _ in cells})
    wanted = [
        (d, "dinkes", "simpus", i, cells[d, i, True] + cells[d, i, False], cells[d, i, True]) for d, i in days
    ]
    assert [tuple(row) for row in world.rows(sync_day)] == wanted


def check_attendance(world: World, records: list[tuple[str, dict[str, Any]]], lots: int) -> None:
    names = ("attendance", "attendance_day", "attendance_person", "attendance_cell")
    in_any_order(world, records, lots, *names)
    people = {(r.day, r.opd, r.employee): (r.first_in, r.last_out) for r in world.rows(attendance_person)}
    assert people == people_of(records)
    assert [tuple(row) for row in world.rows(attendance_cell)] == cells_of(records)


_lots = st.integers(0, 2**32)


@given(records=checks(), lots=_lots)
@property_of(60)
def test_runs_equal_a_fold_over_all_checks(small: World, records: list[dict[str, Any]], lots: int) -> None:
    check_runs(small, records, lots)


@given(records=requests(), lots=_lots)
@property_of(50)
def test_request_days_equal_the_newest_versions(
    small: World, records: list[dict[str, Any]], lots: int
) -> None:
    check_requests(small, records, lots)


@given(records=syncs(), lots=_lots)
@property_of(20)
def test_sync_days_equal_the_runs(small: World, records: list[dict[str, Any]], lots: int) -> None:
    check_syncs(small, records, lots)


@given(records=attendances(), lots=_lots)
@property_of(50)
def test_person_days_and_cells_equal_the_events(
    small: World, records: list[tuple[str, dict[str, Any]]], lots: int
) -> None:
    check_attendance(small, records, lots)


def test_all_of_it_on_postgresql(postgres_url: Callable[[], str]) -> None:
    with city(postgres_url()) as world:
        kinds: list[tuple[Any, Any]] = [
            (checks(), check_runs),
            (requests(), check_requests),
            (syncs(), check_syncs),
            (attendances(), check_attendance),
        ]
        for strategy, check in kinds:

            @given(records=strategy, lots=_lots)
            @property_of(5)
            def holds(check: Any, records: Any, lots: int) -> None:
                check(world, records, lots)

            holds(check)


@st.composite
def entries(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Versions of two entries of the inventory; contents come back, as when a change is taken back."""
    return [
        record(
            "application", id=f"w{n}", updated_at=at(100 - version), name=draw(st.sampled_from(["X", "Y"]))
        )
        for n, version in draw(st.sets(st.tuples(_some, st.integers(0, 6)), min_size=1, max_size=12))
    ]


@given(records=entries(), lots=_lots)
@property_of(50)
def test_the_newest_entry_of_the_inventory_stays(
    small: World, records: list[dict[str, Any]], lots: int
) -> None:
    in_any_order(small, [("application", r) for r in records], lots, "application")
    newest = {r["id"]: r["name"] for r in sorted(records, key=lambda r: us(r["updated_at"]))}
    assert {row.id: row.name for row in small.facts("application")} == newest


@pytest.mark.parametrize("feed", ["ledger", "milestone"])
def test_versions_of_the_other_changing_feeds_in_every_order(small: World, feed: str) -> None:
    name = {"ledger": "name", "milestone": "title"}[feed]
    versions = [record(feed, updated_at=at(60 - n), **{name: f"v{n}"}) for n in range(4)]
    for lots in range(24):
        small.wipe()
        shuffled = random.Random(lots).sample(versions * 2, 8)
        send(small, [(feed, r) for r in shuffled], random.Random(lots))
        assert [getattr(row, name) for row in small.facts(feed)] == ["v3"]


def test_the_same_batch_again_is_known_and_wakes_nobody(world: World) -> None:
    from kpis.announce import versions

    arrivals = [
        world.arrival(feed, record(feed)) for feed in ("uptime_check", "service_request", "attendance")
    ]
    assert world.pipeline.take(arrivals).accepted == 3
    with world.store.read() as conn:
        before = versions(conn)
    again = world.pipeline.take(arrivals)
    assert (again.accepted, again.known, again.rejected) == (0, 3, 0)
    with world.store.read() as conn:
        assert versions(conn) == before
    assert world.counts() == (3, 3, 0)


def test_batches_judged_ahead_and_gathered_are_what_they_are_one_by_one(small: World) -> None:
    """In whatever pieces records were judged, each is told of under its place in the whole."""
    good = [
        {"id": f"g{n}", "app": "sim", "observed_at": "2026-08-19T03:00:00Z", "up": True} for n in range(7)
    ]
    bad = [{"id": "b1"}, {"id": "b2", "app": "sim", "observed_at": "kemarin", "up": True}]
    payloads = [*good[:2], bad[0], *good[2:5], bad[1], *good[5:], good[0]]
    arrivals = [small.arrival("uptime_check", payload) for payload in payloads]
    small.wipe()
    young = Pipeline(small.store, small.settings, small.now)
    assert young.prepare(arrivals) is arrivals, "before the store was looked at once"
    at_once = small.pipeline.take(arrivals)
    for cut in range(len(arrivals) + 1):
        small.wipe()
        parts = [small.pipeline.prepare(part) for part in (arrivals[:cut], arrivals[cut:])]
        outcome = small.pipeline.take(small.pipeline.gather(parts))
        assert (outcome.accepted, outcome.known) == (at_once.accepted, at_once.known) == (7, 1)
        assert sorted(r.index for r in outcome.refusals) == [2, 6]
        assert len(small.facts("uptime_check")) == 7
        again = small.pipeline.take(small.pipeline.gather([small.pipeline.prepare(arrivals)]))
        assert (again.accepted, again.known, again.rejected) == (0, 8, 2)
