"""The evaluator: readings of every scope, their history and changes, one at a time, heard within a second."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from ingest.evaluate import Evaluator
from kpis import readings
from kpis.announce import Listener
from kpis.catalogue import catalogue
from kpis.readings import reading, reading_change, reading_history
from kpis.store import micros, open_store
from kpis.types import Reading, TrendPoint
from tests.conftest import FrozenClock
from tests.pipeline.world import NOW, World, ago, record, settings_for

TARGETS = {"kpi": {"requests_open": {"target": 0, "act": 2}}}


def evaluator(world: World) -> Evaluator:
    return Evaluator(world.store, world.settings, world.now)


def current(world: World) -> dict[readings.Key, Reading]:
    with world.store.read() as conn:
        return readings.current(conn, world.settings, world.now())


def trend(world: World, kpi: str, opd: str | None = None) -> tuple[TrendPoint, ...]:
    with world.store.read() as conn:
        return readings.trends(conn, opd, world.now()).get(kpi, ())


def open_requests(world: World, *numbers: int, **fields: Any) -> None:
    for n in numbers:
        world.take("service_request", record("service_request", id=f"r{n}", **fields))


@contextmanager
def running(*evaluators: Evaluator) -> Iterator[list[threading.Event]]:
    """Evaluators in threads of their own, each with the event that stops it."""
    stops = [threading.Event() for _ in evaluators]
    threads = [threading.Thread(target=e.run, args=(s,)) for e, s in zip(evaluators, stops, strict=True)]
    for thread in threads:
        thread.start()
    try:
        yield stops
    finally:
        for stop in stops:
            stop.set()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()


def eventually(holds: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.02)


def test_readings_of_the_city_and_of_every_opd(world: World) -> None:
    open_requests(world, 1, 2)
    evaluator(world).cycle(everything=True)
    found = current(world)
    scopes = (None, "dinkes", "dishub", "damkar")
    assert set(found) == {(kpi, opd) for kpi in catalogue() for opd in scopes}
    assert (found["requests_open", None].value, found["requests_open", "dishub"].value) == (2, 0)


def test_what_is_stored_is_what_is_computed(world: World) -> None:
    """`./run kpis --json` and the service's own list are the same list."""
    world.with_settings(**TARGETS)
    open_requests(world, 1, 2, due_at=ago(days=1))
    world.take("uptime_check", record("uptime_check", up=False))
    evaluator(world).cycle(everything=True)
    assert current(world) == world.readings()


def test_since_moves_only_when_the_severity_does(world: World, clock: FrozenClock) -> None:
    world.with_settings(**TARGETS)
    judge = evaluator(world)
    began = {}
    for minutes, number, wanted in ((0, 1, "watch"), (1, 2, "act"), (1, 3, "act"), (1, 4, "act")):
        clock.tick(minutes=minutes)
        open_requests(world, number, updated_at=ago(clock.at, seconds=1))
        judge.cycle()
        found = current(world)["requests_open", None]
        assert found.severity == wanted
        began.setdefault(wanted, clock.at)
        assert found.since == began[wanted]
    closing = {"status": "closed", "updated_at": ago(clock.at), "closed_at": ago(clock.at)}
    open_requests(world, 1, 2, 3, 4, **closing)
    clock.tick(minutes=1)
    judge.cycle()
    found = current(world)["requests_open", None]
    assert (found.severity, found.since) == ("on_target", clock.at)
    changes = [c for c in world.rows(reading_change) if (c.kpi, c.opd) == ("requests_open", "")]
    assert [(c.before, c.after) for c in changes] == [("", "watch"), ("watch", "act"), ("act", "on_target")]


def test_an_opd_that_left_the_configuration_is_judged_and_shown_no_more(world: World) -> None:
    world.with_settings(**TARGETS)
    open_requests(world, 1, 2)
    evaluator(world).cycle(everything=True)
    assert current(world)["requests_open", "dinkes"].severity == "act"
    few = [{"code": "dishub", "name": "Dinas Perhubungan", "employees": 20}]
    world.with_settings(**TARGETS, city={"opd": few})
    evaluator(world).cycle(everything=True)
    assert {opd for _, opd in current(world)} == {None, "dishub"}
    assert {a.reading.opd for a in readings.attention(world.settings, current(world))} == {None}
    assert current(world) == world.readings()


def test_a_cycle_without_news_writes_nothing(world: World, clock: FrozenClock) -> None:
    open_requests(world, 1)
    judge = evaluator(world)
    assert judge.cycle(everything=True) > 0
    before = [tuple(r) for r in world.rows(reading)]
    clock.tick(seconds=5)
    assert judge.cycle() == 0
    assert [tuple(r) for r in world.rows(reading)] == before


def test_history_has_one_point_a_quarter_hour_and_the_newest_value_of_it(
    world: World, clock: FrozenClock
) -> None:
    judge = evaluator(world)
    for number in range(6):
        open_requests(world, number, updated_at=ago(clock.at))
        judge.cycle()
        clock.tick(minutes=5)
    points = [h for h in world.rows(reading_history) if (h.kpi, h.opd) == ("requests_open", "")]
    assert [(h.at, h.value) for h in points] == [(micros(NOW), 3), (micros(NOW + timedelta(minutes=15)), 6)]


def test_a_reading_that_changed_since_the_last_cycle_has_no_since_yet(world: World) -> None:
    world.with_settings(**TARGETS)
    evaluator(world).cycle(everything=True)
    open_requests(world, 1, 2, updated_at=ago(minutes=1))
    found = world.reading("requests_open")
    assert (found.severity, found.since) == ("act", None)


def test_late_data_of_the_past_mends_the_trend(world: World, clock: FrozenClock) -> None:
    world.with_settings(**TARGETS, service_requests={"interval": "24h"})
    judge = evaluator(world)
    judge.cycle(everything=True)
    open_requests(world, 1, 2, opened_at=ago(hours=10), updated_at=ago(hours=10))
    with running(judge):
        eventually(lambda: len([p for p in trend(world, "requests_open") if p.value == 2]) >= 9)
    points = trend(world, "requests_open")
    # At ten hours ago on the hour they were just opened; before that nothing was known.
    assert {p.at: p.value for p in points if p.at.minute == 0} == {
        NOW - timedelta(hours=h): (2 if h <= 10 else None) for h in range(24)
    }
    assert current(world)["requests_open", None].since == NOW - timedelta(hours=10)
    assert current(world)["requests_open", None] == world.reading("requests_open")


class Told(Evaluator):
    """Says by name in `worked` that it judged."""

    def __init__(self, name: str, of: World, worked: list[str]) -> None:
        super().__init__(of.store, of.settings, of.now)
        self._name = name
        self._worked = worked

    def cycle(self, **how: Any) -> int:
        self._worked.append(self._name)
        return super().cycle(**how)


def test_of_two_evaluators_one_works_and_the_other_takes_over(world: World) -> None:
    second = World(world.settings, world.now)  # as another process has it: connections of its own
    try:
        worked: list[str] = []
        with running(Told("a", world, worked)) as (stop_a,):
            eventually(lambda: "a" in worked)
            with running(Told("b", second, worked)):
                for number in range(3):
                    open_requests(world, number)
                    time.sleep(0.4)
                assert set(worked) == {"a"}
                stop_a.set()
                eventually(lambda: "b" in worked)
                open_requests(world, 9)
                eventually(lambda: current(world)["requests_open", None].value == 4)
    finally:
        second.close()


def seat(world: World) -> int | None:
    """The server's process that holds the evaluator's lock."""
    query = sa.text("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 20262027 AND granted")
    with world.store.read() as conn:
        return conn.execute(query).scalar()


def test_an_evaluator_that_lost_its_seat_steps_down(in_service: World) -> None:
    """Only the connection that holds the lock dies: the evaluator could go on, and must not."""
    world, worked = in_service, list[str]()
    second = World(world.settings, world.now)
    try:
        with running(Told("a", world, worked), Told("b", second, worked)):
            eventually(lambda: bool(worked))
            first = seat(world)
            with world.store.write() as conn:
                conn.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": first})
            eventually(lambda: seat(world) not in (None, first))
            time.sleep(1.5)
            worked.clear()
            for number in range(4):
                open_requests(world, number)
                time.sleep(0.3)
            eventually(lambda: current(world)["requests_open", None].value == 4)
            assert len(set(worked)) == 1, worked
    finally:
        second.close()


def test_a_change_is_heard_within_a_second(world: World) -> None:
    other = open_store(world.settings)
    listener = Listener(other)
    try:
        with running(evaluator(world)):
            eventually(lambda: bool(world.rows(reading)))
            taken = []
            for number in range(5):
                seen = listener.version()
                began = time.monotonic()
                open_requests(world, number)
                while current(world)["requests_open", None].value != number + 1:
                    seen = listener.wait(seen, 5)
                    assert time.monotonic() - began < 10
                taken.append(time.monotonic() - began)
        assert sorted(taken)[2] < 1.0, taken
    finally:
        listener.close()
        other.close()


def test_a_waiter_is_not_woken_by_what_it_did_not_ask_for(world: World) -> None:
    listener = Listener(world.store)
    try:
        seen = listener.version()
        open_requests(world, 1)
        assert listener.wait(seen, 0.2) == seen, "facts are not readings"
        evaluator(world).cycle()
        assert listener.wait(seen, 1) == seen + 1
    finally:
        listener.close()


def test_a_waiter_hears_beside_a_thousand_open_pages(in_service: World) -> None:
    """Each open page holds a descriptor; one that is opened behind them has a number above 1,023."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096 if hard < 0 else min(hard, 4096), hard))
    pages = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    other = open_store(in_service.settings)
    listener = Listener(other)
    soon = threading.Timer(0.5, lambda: evaluator(in_service).cycle(everything=True))
    try:
        seen = listener.version()
        soon.start()
        began = time.monotonic()
        assert listener.wait(seen, 10) == seen + 1
        assert time.monotonic() - began < 4
    finally:
        soon.join()
        listener.close()
        other.close()
        for page in pages:
            os.close(page)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_server_that_vanishes_is_given_up_in_time(in_service: World) -> None:
    url = f"{in_service.store.url}?connect_timeout=3"
    for store_url, wanted in ((in_service.store.url, "10"), (url, "3")):
        with open_store(settings_for(store_url)) as store, store.read() as conn:
            told = conn.connection.driver_connection.info.dsn_parameters
        assert (told["connect_timeout"], told["tcp_user_timeout"]) == (wanted, "30000")


def test_old_history_is_let_go(embedded: World, clock: FrozenClock) -> None:
    judge = evaluator(embedded)
    judge.cycle(everything=True)
    clock.tick(days=401)
    open_requests(embedded, 1, opened_at=ago(clock.at, hours=5), updated_at=ago(clock.at, hours=5))
    with running(judge):
        eventually(lambda: any(h.at > micros(NOW) for h in embedded.rows(reading_history)))
        eventually(lambda: all(h.at > micros(NOW) for h in embedded.rows(reading_history)))
    with embedded.store.read() as conn:
        assert conn.execute(sa.select(sa.func.min(reading_change.c.at))).scalar() != micros(NOW)
