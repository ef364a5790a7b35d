"""Whatever comes in, in whatever order and by however many writers, the roll-ups equal their facts."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.arrivals import Arrival
from ingest.replay import replay
from tests.pipeline.recount import ZONE, assert_right, stored
from tests.pipeline.world import World, ago, city, property_of, record

# A system whose map asks for a field it does not send; mended later.
WRONG = {"id": "nomor", "app": "host", "observed_at": "waktu", "up": "ok"}
RIGHT = {**WRONG, "observed_at": "pukul"}

Act = tuple[str, str, Any]


def source(mapping: dict[str, str]) -> list[dict[str, Any]]:
    return [{"name": "peta", "type": "mqtt", "topic": "peta/#", "feed": "uptime_check", "map": mapping}]


# Few ids and few instants: the same id comes again with the same and with other content, the same
# instant with both answers, and some clocks are ahead, within what is let pass and beyond.
_id = st.integers(0, 11).map(lambda n: f"n{n}")
_opd = st.sampled_from(["dinkes", "dishub"])
_minute = st.sampled_from(
    [-12, -3, 0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 60, 61, 75, 91, 1440, 1441, 300_000]
)


def _ago(minute: int) -> str:
    return ago(minutes=minute)


_check = st.builds(
    lambda n, app, minute, up: ("uptime_check", "asal", record(
        "uptime_check", id=n, app=app, observed_at=_ago(minute), up=up
    )),
    _id, st.sampled_from(["web", "sim"]), _minute, st.booleans(),
)  # fmt: skip

_mapped = st.builds(
    lambda n, app, minute, up: ("uptime_check", "peta", {
        "nomor": n, "host": app, "pukul": _ago(minute), "ok": up
    }),
    _id, st.sampled_from(["web", "sim"]), _minute, st.booleans(),
)  # fmt: skip


@st.composite
def _request(draw: st.DrawFn) -> Act:
    """A version of one of three requests: another OPD, other times, closed, open again, withdrawn."""
    status = draw(st.sampled_from(["received", "closed", "in_progress", "withdrawn", "closed"]))
    opened = draw(st.sampled_from([4000, 5000, 7000, 7001]))
    closed = draw(st.sampled_from([..., 100, 2000, 3999])) if status == "closed" else ...
    found = record(
        "service_request",
        id=draw(st.sampled_from(["r0", "r1", "r2"])),
        opd=draw(_opd),
        status=status,
        opened_at=_ago(opened),
        updated_at=_ago(draw(st.integers(-2, 8)) * 5),
        closed_at=closed if closed is ... else _ago(closed),
    )
    return "service_request", "asal", found


_sync = st.builds(
    lambda n, minute, ok, interface, opd: ("sync_run", "asal", record(
        "sync_run", id=n, started_at=_ago(minute), ok=ok, interface=interface, opd=opd
    )),
    _id, _minute, st.booleans(), st.sampled_from(["a", "b"]), _opd,
)  # fmt: skip


def _clock(n: str, who: int, opd: str, minute: int, back: int, kind: str) -> Act:
    at = datetime(2026, 8, 18, tzinfo=ZONE) - timedelta(days=back) + timedelta(minutes=minute)
    fields = {"id": n, "employee": f"p{who}", "opd": opd, "at": at.isoformat(), "kind": kind}
    return "attendance", "asal", record("attendance", **fields)


_clocked = st.builds(
    _clock, _id, st.integers(0, 2), _opd,
    st.sampled_from([-1, 0, 464, 465, 466, 600, 1439]), st.integers(0, 1), st.sampled_from(["in", "out"]),
)  # fmt: skip
_told = st.builds(
    lambda n, who, opd, day, category: ("attendance_day", "asal", record(
        "attendance_day", id=n, employee=f"p{who}", opd=opd, day=f"2026-08-{day}", category=category
    )),
    _id, st.integers(0, 2), _opd, st.integers(16, 18),
    st.sampled_from(["hadir", "izin", "cuti", "dinas_luar", "tanpa_keterangan"]),
)  # fmt: skip

_acts = st.lists(
    st.one_of(_check, _check, _mapped, _request(), _sync, _clocked, _clocked, _told), min_size=1, max_size=70
)
_lots = st.integers(0, 2**32)


def arrival(world: World, act: Act) -> Arrival:
    feed, name, payload = act
    return world.arrival(feed, payload, source=name)


def take_all(world: World, acts: list[Act], cuts: random.Random, check: bool = True) -> None:
    """All of them in batches of whatever size; every record is accounted for."""
    left = list(acts)
    while left:
        size = cuts.randint(1, min(len(left), 25))
        batch, left = left[:size], left[size:]
        outcome = world.pipeline.take([arrival(world, act) for act in batch])
        assert outcome.accepted + outcome.known + outcome.rejected == len(batch)
        if check:
            assert_right(world)


def holds(world: World, acts: list[Act], lots: int) -> None:
    """After each batch, after all of them again in another order, and after a replay."""
    cuts = random.Random(lots)
    world.wipe()
    world.with_settings(source=source(WRONG))
    take_all(world, acts, cuts)
    before = stored(world)
    take_all(world, cuts.sample(acts, len(acts)), cuts, check=False)
    assert stored(world) == before, "what was known or refused counted again"
    world.with_settings(source=source(RIGHT))
    replay(world.store, world.settings, world.now, "peta")
    assert_right(world)


@given(acts=_acts, lots=_lots)
@property_of(60)
def test_rollups_equal_their_facts_whatever_comes(small: World, acts: list[Act], lots: int) -> None:
    holds(small, acts, lots)


def test_rollups_equal_their_facts_whatever_comes_on_postgresql(postgres_url: Callable[[], str]) -> None:
    with city(postgres_url()) as world:

        @given(acts=_acts, lots=_lots)
        @property_of(8)
        def check(acts: list[Act], lots: int) -> None:
            holds(world, acts, lots)

        check()


def test_two_writers_at_once_leave_rollups_that_equal_their_facts(postgres_url: Callable[[], str]) -> None:
    """Each with half of the records and some of the other's, both feeds of one person among them."""
    url = postgres_url()
    with city(url) as one, city(url) as two, ThreadPoolExecutor(2) as pool:

        @given(acts=_acts, lots=_lots)
        @property_of(6)
        def check(acts: list[Act], lots: int) -> None:
            one.wipe()
            cuts = random.Random(lots)
            parts = [cuts.sample(acts, len(acts)) for _ in range(2)]
            start = threading.Barrier(2)

            def work(world: World, part: list[Act], seed: int) -> None:
                start.wait(10)
                take_all(world, part, random.Random(seed), check=False)

            jobs = [
                pool.submit(work, w, p, lots + n)
                for n, (w, p) in enumerate(zip((one, two), parts, strict=True))
            ]
            for job in jobs:
                job.result()
            assert_right(one)

        check()


def test_a_clock_in_and_a_leave_of_one_person_told_at_once_are_both_counted(
    postgres_url: Callable[[], str],
) -> None:
    """The two feeds fill one cell; neither may count it without having seen the other."""
    url = postgres_url()
    with city(url) as one, city(url) as two, ThreadPoolExecutor(2) as pool:
        for round_ in range(15):
            people = [f"p{round_}-{n}" for n in range(20)]
            start = threading.Barrier(2)

            def come(people: list[str] = people, start: threading.Barrier = start) -> None:
                batch = [one.arrival("attendance", record("attendance", id=p, employee=p)) for p in people]
                batch += [
                    one.arrival("attendance_day", record("attendance_day", id=f"x{p}", employee=f"x{p}"))
                    for p in people
                ]
                start.wait(10)
                one.pipeline.take(batch)

            def leave(people: list[str] = people, start: threading.Barrier = start) -> None:
                batch = [
                    two.arrival("attendance_day", record("attendance_day", id=p, employee=p)) for p in people
                ]
                start.wait(10)
                two.pipeline.take(batch)

            for job in (pool.submit(come), pool.submit(leave)):
                job.result()
        assert_right(one)


@pytest.mark.parametrize("gap", [15, 16])
def test_a_check_between_two_runs_joins_them_only_within_three_intervals(world: World, gap: int) -> None:
    minutes = [0, 2 * gap, gap]
    for n, minute in enumerate(minutes):
        world.take("uptime_check", record("uptime_check", id=f"c{n}", observed_at=_ago(minute)))
        assert_right(world)
    assert len(stored(world)["app_run"]) == (1 if gap == 15 else 3)


def test_one_failed_check_within_a_long_run_cuts_it_at_the_checks_beside_it(world: World) -> None:
    up = [record("uptime_check", id=f"c{n}", observed_at=_ago(5 * n)) for n in range(200)]
    world.take("uptime_check", *up)
    late = [
        record("uptime_check", id=f"late{n}", observed_at=_ago(minute), up=False)
        for n, minute in enumerate([502, 500, 995, 0, 333])
    ]
    for batch in ([late[0]], late[1:4], [late[4], late[0]]):
        world.take("uptime_check", *batch)
        assert_right(world)
    assert [r[3] for r in stored(world)["app_run"]] == [False, True, False, True, False, True, False]
