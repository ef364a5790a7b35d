"""Facts, roll-ups, counts and positions go in together or not at all; coming again makes exactly once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.arrivals import Position
from kpis.app_uptime import app_run
from kpis.e_attendance import attendance_person
from kpis.errors import StoreUnavailable
from kpis.service_requests import request_day
from kpis.sources import source_state
from kpis.store import metadata, open_store
from tests.conftest import ROOT
from tests.pipeline.world import NOW, World, ago, city, record, settings_for
from tests.servers import Postgres

BATCH = 40

# Takes numbered batches from the kept position on until it is killed, as a door does.
_DOOR = """\
import sys
from tests.pipeline.test_atomic import batch, position
from tests.pipeline.world import World, settings_for, NOW
world = World(settings_for(sys.argv[1]), lambda: NOW)
while True:
    number = int(world.pipeline.position("asal") or 0)
    world.pipeline.take(batch(world, number), position(number + 1))
    print(number, flush=True)
"""


def batch(world: World, number: int) -> list[object]:
    """Requests that change, checks, clock events and one bad record, all of this number's own."""
    found: list[object] = []
    for n in range(BATCH):
        name = f"{number}-{n}"
        newer = f"{max(number - 1, 0)}-{n}"
        found.append(world.arrival("service_request", record("service_request", id=name)))
        changed = record("service_request", id=newer, opd="dishub", updated_at=ago(hours=1))
        found.append(world.arrival("service_request", changed))
        moment = ago(minutes=5 * (number * BATCH + n) + 5)
        found.append(
            world.arrival("uptime_check", record("uptime_check", id=name, observed_at=moment, up=n % 7 != 0))
        )
        found.append(world.arrival("attendance", record("attendance", id=name, employee=name)))
    found.append(world.arrival("uptime_check", record("uptime_check", id=f"{number}-bad", up="ya")))
    return found


def position(number: int) -> Position:
    return Position("asal", str(number))


def consistent(world: World) -> int:
    """What is there belongs to whole batches; the number of them."""
    number = int(world.pipeline.position("asal") or 0)
    checks = world.facts("uptime_check")
    requests = world.facts("service_request")
    assert len(checks) == len(requests) == number * BATCH
    assert len(world.rows(attendance_person)) == number * BATCH
    assert len(world.rejects()) == number
    cells = world.rows(request_day)
    assert sum(c.opened for c in cells) == number * BATCH
    assert Counter({c.opd: c.opened for c in cells if c.opened}) == Counter(r.opd for r in requests)
    runs = world.rows(app_run)
    assert sum(1 for r in runs if not r.up) == sum(1 for c in checks if not c.up)
    (counts,) = world.rows(source_state) or [None]
    if number:
        assert counts.rejected == number
        assert counts.accepted + counts.known == 4 * BATCH * number
    return number


def killed_at_work(url: str, times: int) -> None:
    for round_ in range(times):
        door = subprocess.Popen(
            [sys.executable, "-c", _DOOR, url], cwd=ROOT, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert door.stdout
        assert door.stdout.readline(), "it took nothing"
        time.sleep(0.02 + 0.03 * round_)
        door.send_signal(signal.SIGKILL)
        door.communicate()


def test_a_killed_process_leaves_whole_batches(store_url: str) -> None:
    open_store(settings_for(store_url)).close()
    killed_at_work(store_url, 2)
    with city(store_url) as world:
        number = consistent(world)
        assert number > 0
        # What the dead process had not acknowledged comes again, and the next with it.
        world.pipeline.take(batch(world, number), position(number + 1))
        assert consistent(world) == number + 1
        again = world.pipeline.take(batch(world, number), position(number + 1))
        assert again.accepted == 0
        assert len(world.facts("uptime_check")) == (number + 1) * BATCH


def test_a_database_that_stops_and_starts_loses_nothing(durable_postgres: Postgres) -> None:
    with city(durable_postgres.fresh()) as world:
        world.pipeline.take(batch(world, 0), position(1))
        durable_postgres.kill()
        with pytest.raises(StoreUnavailable):
            world.pipeline.take(batch(world, 1), position(2))
        with pytest.raises(StoreUnavailable):
            world.pipeline.position("asal")
        durable_postgres.start()
        assert consistent(world) == 1
        world.pipeline.take(batch(world, 1), position(2))
        assert consistent(world) == 2
        durable_postgres.stop()
        durable_postgres.start()
        assert consistent(world) == 2


@pytest.mark.parametrize("table", ["app_run", "request_day", "reject", "source_state", "change"])
def test_a_failure_anywhere_in_the_transaction_undoes_all_of_it(world: World, table: str) -> None:
    """Whatever of it cannot be written, nothing of it is."""
    world.pipeline.take(batch(world, 0), position(1))
    before = {name: [tuple(r) for r in world.rows(t)] for name, t in metadata.tables.items()}
    with world.store.write() as conn:
        conn.exec_driver_sql(f'ALTER TABLE "{table}" RENAME TO away')
    try:
        with pytest.raises(StoreUnavailable):
            world.pipeline.take(batch(world, 1), position(2))
    finally:
        with world.store.write() as conn:
            conn.exec_driver_sql(f'ALTER TABLE away RENAME TO "{table}"')
    assert {name: [tuple(r) for r in world.rows(t)] for name, t in metadata.tables.items()} == before
    world.pipeline.take(batch(world, 1), position(2))
    assert consistent(world) == 2


def test_a_position_is_kept_with_an_empty_batch(world: World) -> None:
    assert world.pipeline.position("asal") is None
    outcome = world.pipeline.take([], position(7))
    assert (outcome.accepted, outcome.known, outcome.rejected) == (0, 0, 0)
    assert world.pipeline.position("asal") == "7"


def test_several_writers_at_once_count_each_thing_once(postgres_url: Callable[[], str]) -> None:
    """Two ingest processes of one subscription may be given the same records."""
    from concurrent.futures import ThreadPoolExecutor

    url = postgres_url()
    with city(url) as one, city(url) as two, ThreadPoolExecutor(4) as pool:
        jobs = [
            pool.submit(w.pipeline.take, batch(w, number))
            for number in range(4)
            for w in (one, two, one, two)
        ]
        outcomes = [job.result() for job in jobs]
        assert all(o.accepted + o.known + o.rejected == 4 * BATCH + 1 for o in outcomes)
        assert len(one.facts("uptime_check")) == 4 * BATCH
        cells = one.rows(request_day)
        assert sum(c.opened for c in cells) == 4 * BATCH
        assert {r.times for r in one.rejects()} == {4}


def test_the_folder_of_an_embedded_store_may_be_new(tmp_path: Path) -> None:
    with city(f"sqlite:///{tmp_path / 'a' / 'b' / 'pendopo.db'}") as world:
        world.take("uptime_check", record("uptime_check"))
        assert world.value("apps_down_now", at=NOW) == 0


def test_two_writers_of_the_same_rejects_never_wait_for_each_other(postgres_url: Callable[[], str]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    url = postgres_url()
    with city(url) as one, city(url) as two, ThreadPoolExecutor(2) as pool:
        bad = [{"id": f"b{n}"} for n in range(300)]
        one.take("uptime_check", *bad)
        jobs = [
            pool.submit(one.take, "uptime_check", *bad),
            pool.submit(two.take, "uptime_check", *bad[::-1]),
        ]
        assert [job.result().rejected for job in jobs] == [300, 300]
        assert {reject.times for reject in one.rejects()} == {3}


def test_of_an_array_only_the_record_the_store_refuses_is_set_aside(embedded: World) -> None:
    with embedded.store.write() as conn:
        conn.exec_driver_sql(
            "CREATE TRIGGER picky BEFORE INSERT ON message WHEN NEW.text = 'tolak' "
            "BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        )
    said = [
        {"id": f"m{n}", "request": "r1", "at": "2026-08-19T03:00:00Z", "author": "opd", "text": text}
        for n, text in enumerate(["satu", "tolak", "tiga"])
    ]
    outcome = embedded.take("message", said)
    with embedded.store.write() as conn:
        conn.exec_driver_sql("DROP TRIGGER picky")
    assert (outcome.accepted, outcome.rejected) == (2, 1)
    assert [(r.index, r.reason) for r in outcome.refusals] == [(0, "store_refused")]
    assert [row.text for row in embedded.facts("message")] == ["satu", "tiga"]
    (reject,) = embedded.rejects()
    assert json.loads(reject.raw)["id"] == "m1"
