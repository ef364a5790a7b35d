"""A rebuild makes every roll-up what the facts say, while records come in, and leaves alone what is right."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ingest import retention
from ingest.rebuild import SLICED, SUMS, differing, main, rebuild
from ingest.retention import Retention
from kpis.app_uptime.tables import app_run
from kpis.catalogue import FEED_TABLES
from kpis.e_attendance.tables import attendance_cell, attendance_person
from kpis.opd_integration.tables import interface_seen, sync_day
from kpis.service_requests.tables import request_day
from kpis.store import metadata, open_store
from tests.conftest import ROOT, FrozenClock
from tests.data.first_release.make import LAST, batches
from tests.pipeline.recount import NAMES, assert_right, recounted, stored
from tests.pipeline.world import World, ago, city, record, settings_for

KEEP = {"uptime_check": "4 months", "sync_run": "4 months", "attendance": "5 months"}


def fill(world: World, lots: int = 0, count: int = 400) -> None:
    """Records of every feed that has roll-ups, shuffled."""
    cuts = random.Random(lots)
    found: list[tuple[str, dict[str, Any]]] = []
    for n in range(count):
        minute = cuts.randrange(3 * 24 * 60)
        opd = cuts.choice(["dinkes", "dishub"])
        name = f"{lots}-{n}"
        moment, kind = ago(minutes=minute), cuts.choice(["in", "out"])
        check = {"app": f"app{n % 3}", "observed_at": ago(minutes=5 * (n // 3)), "up": n % 50 != 0}
        sync = {"opd": opd, "interface": f"i{n % 4}", "started_at": moment, "ok": n % 9 != 0}
        clocked = {"opd": opd, "employee": f"p{n % 20}", "at": moment, "kind": kind}
        status = cuts.choice(["received", "closed"])
        request = {"opd": opd, "opened_at": ago(minutes=minute + 3000), "status": status}
        values = {"uptime_check": check, "sync_run": sync, "attendance": clocked, "service_request": request}
        found += [(feed, record(feed, id=name, **fields)) for feed, fields in values.items()]
        if n % 5 == 0:
            fields = {"employee": f"p{n % 20}", "opd": opd, "category": cuts.choice(["cuti", "hadir"])}
            found.append(("attendance_day", record("attendance_day", id=name, day="2026-08-18", **fields)))
    cuts.shuffle(found)
    for start in range(0, len(found), 500):
        world.pipeline.take([world.arrival(feed, r) for feed, r in found[start : start + 500]])


def damage(world: World) -> dict[str, int]:
    """Cells too many, too few and wrong, in every table; how many cells a comparison must find."""
    t = {name: metadata.tables[name] for name in NAMES}
    with world.store.write() as conn:
        first = conn.execute(sa.select(app_run).order_by(app_run.c.app, app_run.c.started_at)).first()
        assert first is not None
        this = (app_run.c.app == first.app, app_run.c.started_at == first.started_at)
        conn.execute(app_run.update().where(*this).values(last_at=first.last_at + 1))  # one each side
        conn.execute(app_run.delete().where(app_run.c.app == "app2"))
        conn.execute(app_run.insert().values(app="nobody", started_at=1, last_at=2, up=True))
        conn.execute(sync_day.update().where(sync_day.c.interface == "i1").values(ok=sync_day.c.ok + 3))
        conn.execute(sync_day.delete().where(sync_day.c.interface == "i2"))
        extra = {"day": date(2020, 2, 29), "opd": "dinkes", "system": "x", "interface": "x"}
        conn.execute(sync_day.insert().values(**extra, runs=4, ok=1))
        conn.execute(interface_seen.insert().values(opd="dinkes", system="x", interface="x"))
        conn.execute(interface_seen.delete().where(interface_seen.c.interface == "i3"))
        conn.execute(request_day.update().values(closed=request_day.c.closed - 1))
        conn.execute(request_day.insert().values(day=date(2020, 2, 29), opd="dinkes", opened=1, closed=0))
        conn.execute(
            attendance_person.update().where(attendance_person.c.employee == "p1").values(first_in=7)
        )
        conn.execute(attendance_person.delete().where(attendance_person.c.employee == "p2"))
        ghost = {"day": date(2020, 2, 29), "opd": "dishub", "employee": "ghost", "first_in": 1}
        conn.execute(attendance_person.insert().values(**ghost))
        conn.execute(attendance_cell.delete().where(attendance_cell.c.opd == "dishub"))
        conn.execute(attendance_cell.update().values(late=attendance_cell.c.late + 1))
    found, wanted = stored(world), recounted(world)
    sums = {"sync_day": 4, "request_day": 2}
    counts = {}
    for name in t:
        off = set(found[name]) ^ set(wanted[name])
        # Of a sum the key counts once, whatever stands on either side of it.
        counts[name] = len({row[: sums[name]] for row in off} if name in sums else off)
    return counts


def test_every_rollup_of_every_feed_is_rebuilt() -> None:
    known = {table for sliced in SLICED for table in sliced.tables} | {s.table.name for s in SUMS}
    assert known == {table.name for feed in FEED_TABLES.values() for table in feed.rollups} == set(NAMES)


def test_a_check_counts_what_differs_and_a_rebuild_mends_exactly_that(world: World) -> None:
    fill(world)
    assert not any(differing(world.store, world.settings).values())
    counts = damage(world)
    assert all(counts.values())
    assert differing(world.store, world.settings) == counts
    assert rebuild(world.store, world.settings) == counts
    assert_right(world)
    assert not any(differing(world.store, world.settings).values())


def test_rollups_that_were_emptied_come_back_from_the_facts(world: World) -> None:
    fill(world)
    before = stored(world)
    with world.store.write() as conn:
        for name in NAMES:
            conn.execute(metadata.tables[name].delete())
    rebuild(world.store, world.settings)
    assert stored(world) == before


def test_a_rebuild_of_what_is_right_writes_nothing(world: World) -> None:
    fill(world)
    before = {name: [tuple(r) for r in world.rows(t)] for name, t in metadata.tables.items()}
    assert not any(rebuild(world.store, world.settings).values())
    assert {name: [tuple(r) for r in world.rows(t)] for name, t in metadata.tables.items()} == before


def test_a_rebuild_of_one_feed_leaves_the_others_alone(world: World) -> None:
    fill(world)
    damage(world)
    wrong = stored(world)
    assert set(rebuild(world.store, world.settings, ["uptime_check"])) == {"app_run"}
    found, wanted = stored(world), recounted(world)
    assert found["app_run"] == wanted["app_run"]
    assert {n: found[n] for n in NAMES if n != "app_run"} == {n: wrong[n] for n in NAMES if n != "app_run"}


def test_another_interval_is_another_gap_and_a_rebuild_makes_its_runs(world: World) -> None:
    for n, minute in enumerate([0, 20, 40, 200]):
        world.take("uptime_check", record("uptime_check", id=f"c{n}", observed_at=ago(minutes=minute)))
    assert len(world.rows(app_run)) == 4
    world.with_settings(app_uptime={"interval": "10m"})
    assert differing(world.store, world.settings)["app_run"] == 4, "three that are no more, and one anew"
    rebuild(world.store, world.settings)
    assert len(world.rows(app_run)) == 2


# --- where facts were removed ---


@pytest.fixture
def thinned(world: World, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> World:
    """Three months of the small city, of which only the last two or one still have their facts."""
    monkeypatch.setattr(retention, "_AHEAD", timedelta(days=1_000))  # the clock is right here
    clock.set(LAST)
    world.pipeline.take([arrival for _, arrivals, _ in batches() for arrival in arrivals])
    clock.set(datetime(2026, 11, 20, 3, tzinfo=UTC))
    world.with_settings(retention=KEEP)
    assert all(Retention(world.store, world.settings, world.now, 500).once().values())
    return world


def test_rollups_of_removed_facts_stay_as_they_are(thinned: World) -> None:
    before = stored(thinned)
    assert before != recounted(thinned), "facts are gone"
    assert not any(differing(thinned.store, thinned.settings).values())
    assert not any(rebuild(thinned.store, thinned.settings).values())
    assert stored(thinned) == before


def test_rollups_since_the_facts_are_whole_are_mended_beside_older_ones(thinned: World) -> None:
    before = stored(thinned)
    since, day = int(datetime(2026, 8, 1, tzinfo=UTC).timestamp()) * 1_000_000, date(2026, 8, 1)
    with thinned.store.write() as conn:
        conn.execute(app_run.delete().where(app_run.c.started_at > since))
        conn.execute(app_run.update().where(app_run.c.last_at > since).values(last_at=since + 1))
        for table in (sync_day, attendance_cell, attendance_person):
            conn.execute(table.delete().where(table.c.day > day))
        conn.execute(interface_seen.delete())
    assert all(differing(thinned.store, thinned.settings)[n] for n in NAMES if n != "request_day")
    rebuild(thinned.store, thinned.settings)
    assert stored(thinned) == before


# --- while others write, and cut short ---


def test_writers_lose_nothing_while_a_rebuild_mends_beside_them(store_url: str) -> None:
    with city(store_url) as world, city(store_url) as other, ThreadPoolExecutor(1) as pool:
        fill(world)
        begun, done = threading.Event(), threading.Event()

        def work() -> int:
            taken = 0
            while taken < 3 or not done.is_set():
                fill(other, lots=taken + 1, count=40)
                taken += 1
                begun.set()
            return taken

        job = pool.submit(work)
        try:
            assert begun.wait(60)
            for _ in range(4):
                damage_only(world)
                rebuild(world.store, world.settings)
        finally:
            done.set()
        taken = job.result()
        assert len(world.facts("uptime_check")) == 400 + 40 * taken
        assert not any(differing(world.store, world.settings).values())
        assert_right(world)


def damage_only(world: World) -> None:
    """Damage that other writers do not see the facts of."""
    with world.store.write() as conn:
        if not world.store.embedded:
            # In one order with the writers, who hold a feed's lock before they touch its cells.
            for feed in sorted(f for f in FEED_TABLES if FEED_TABLES[f].rollups or f == "attendance_day"):
                conn.execute(
                    sa.text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"pendopo.{feed}"}
                )
        conn.execute(sync_day.update().values(runs=sync_day.c.runs + 2))
        conn.execute(request_day.delete().where(request_day.c.opd == "dinkes"))
        conn.execute(attendance_cell.update().values(present=99))
        conn.execute(attendance_person.delete().where(attendance_person.c.employee == "p3"))
        conn.execute(app_run.update().where(app_run.c.app == "app1").values(up=False))


def test_two_rebuilds_at_once_add_nothing_twice(postgres_url: Callable[[], str]) -> None:
    url = postgres_url()
    with city(url) as one, city(url) as two, ThreadPoolExecutor(2) as pool:
        fill(one)
        for _ in range(5):
            damage_only(one)
            start = threading.Barrier(2)

            def work(world: World, start: threading.Barrier = start) -> None:
                start.wait(10)
                rebuild(world.store, world.settings)

            for job in [pool.submit(work, one), pool.submit(work, two)]:
                job.result()
            assert_right(one)


_REBUILD = """\
import sys
from ingest.rebuild import rebuild
from tests.pipeline.world import World, settings_for, NOW
world = World(settings_for(sys.argv[1]), lambda: NOW)
print("ready", flush=True)
rebuild(world.store, world.settings, say=lambda line: print(line, flush=True))
"""


def test_a_rebuild_that_was_killed_is_finished_by_the_next(store_url: str) -> None:
    open_store(settings_for(store_url)).close()
    with city(store_url) as world:
        fill(world)
        for lines in (1, 2, 4):
            with world.store.write() as conn:
                for name in NAMES:
                    conn.execute(metadata.tables[name].delete())
            process = subprocess.Popen(
                [sys.executable, "-c", _REBUILD, store_url], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
            assert process.stdout is not None
            assert all(process.stdout.readline() for _ in range(lines))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            rebuild(world.store, world.settings)
            assert_right(world)


# --- the command ---


def test_check_ends_with_one_and_names_the_table_when_a_cell_differs(
    embedded: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(embedded, count=30)
    config = tmp_path / "config.toml"
    config.write_text(f'extends = "{ROOT / "config.toml"}"\nstore.url = "{embedded.store.url}"\n')
    file = ["--config", str(config), "--feed", "uptime_check"]
    main(file)
    capsys.readouterr()
    runs = len(embedded.rows(app_run))
    with embedded.store.write() as conn:
        conn.execute(app_run.update().values(last_at=app_run.c.last_at + 1))
    assert main(["--check", *file]) == 1
    assert f"{'app_run':20} {2 * runs} cells differ" in capsys.readouterr().out
    assert main(file) == 0
    assert f"app_run: {2 * runs} cells mended" in capsys.readouterr().out
    assert main(["--check", *file]) == 0


@pytest.mark.parametrize("feed", ["ledger", "message", "uptime"])
def test_a_feed_that_fills_no_roll_up_is_refused(feed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--feed", feed])
    assert ended.value.code == 2
    assert f"invalid choice: '{feed}'" in capsys.readouterr().err
