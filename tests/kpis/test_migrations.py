"""A store of the first release comes to the present schema whole, on both stores."""

from __future__ import annotations

import fcntl
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ingest.__main__ import _alone
from ingest.arrivals import Arrival
from ingest.election import Election
from ingest.rebuild import differing
from kpis import readings
from kpis.catalogue import FEED_TABLES
from kpis.errors import SchemaError, StoreError
from kpis.migrations import found_in, migrate, steps
from kpis.schema import SCHEMA, schema_table
from kpis.store import Store, open_store
from tests.conftest import ROOT
from tests.data.first_release import restore
from tests.data.first_release.make import LAST, batches
from tests.pipeline.world import World, city, settings_for
from tests.servers import free_port
from tests.sources.recorder import eventually

# As its list of OPD stood when it was last judged.
CITY = {"opd": [{"code": code, "name": code} for code in ("dinkes", "dishub", "damkar", "dukcapil")]}
EVENTS = ("uptime_check", "sync_run", "attendance", "attendance_day")


@pytest.fixture
def old_url(store_url: str) -> str:
    """A store as the first release left it, once on SQLite and once on PostgreSQL."""
    restore(store_url)
    return store_url


@pytest.fixture
def migrated(old_url: str) -> Iterator[World]:
    """The first release's city under the present one."""
    migrate(settings_for(old_url))
    with city(old_url, lambda: LAST, city=CITY) as world:
        yield world


def everything() -> list[Arrival]:
    return [arrival for _, arrivals, _ in batches() for arrival in arrivals]


def of_a_newer_release(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as conn:
        conn.execute(schema_table.update().values(version=SCHEMA + 1))
    engine.dispose()


def contents(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but the schema's own, by table, sorted, columns by name."""
    engine = sa.create_engine(url)
    found = {}
    with engine.connect() as conn:
        for name in sa.inspect(conn).get_table_names():
            rows = conn.execute(sa.text(f'SELECT * FROM "{name}"')).mappings()
            found[name] = sorted((tuple(sorted(row.items())) for row in rows), key=str)
    engine.dispose()
    del found["schema_version"]
    return found


def shape(url: str) -> dict[str, Any]:
    """Columns, types, keys, indexes and partitions of every table, as the store itself tells them."""
    engine = sa.create_engine(url)
    look = sa.inspect(engine)
    found: dict[str, Any] = {}
    for name in look.get_table_names():
        columns = look.get_columns(name)
        found[name] = {
            "columns": [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in columns],
            "key": look.get_pk_constraint(name),
            "indexes": sorted(map(str, look.get_indexes(name))),
            "unique": look.get_unique_constraints(name),
            "options": look.get_table_options(name),
        }
    if url.startswith("postgresql"):
        bounds = """SELECT relname, pg_get_partkeydef(oid), pg_get_expr(relpartbound, oid) FROM pg_class
                    WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"""
        with engine.connect() as conn:
            for name, key, bound in conn.execute(sa.text(bounds)):
                found[name] |= {"by": key, "bound": bound}
    engine.dispose()
    return found


def test_a_migrated_store_is_shaped_like_a_fresh_one_with_the_same_records(
    migrated: World, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    fresh = f"sqlite:///{tmp_path / 'fresh.db'}"
    if not migrated.store.embedded:
        fresh = request.getfixturevalue("postgres_url")()
    with city(fresh, lambda: LAST, city=CITY) as world:
        world.pipeline.take(everything())
    assert shape(migrated.store.url) == shape(fresh)


def test_every_row_survives(old_url: str) -> None:
    before = contents(old_url)
    assert sum(map(len, before.values())) > 2_000
    migrate(settings_for(old_url))
    after = contents(old_url)
    for name, rows in before.items():
        # A later step may add columns; what stood in the old ones still does.
        old = {column for column, _ in rows[0]}
        left = [tuple(pair for pair in row if pair[0] in old) for row in after[name]]
        assert sorted(left, key=str) == rows, name


def test_roll_ups_equal_the_facts_and_readings_stay_what_they_were(migrated: World) -> None:
    cells = differing(migrated.store, migrated.settings)
    assert cells
    assert set(cells.values()) == {0}
    with migrated.store.read() as conn:
        told = {(r.kpi, r.opd or None): r.value for r in readings.stored(conn).values()}
        measured = {key: r.value for key, r in readings.as_of(conn, migrated.settings, LAST).items()}
    assert measured == told


def test_what_the_first_release_took_is_known(migrated: World) -> None:
    before = {feed: migrated.rows(table.table, "source", "id") for feed, table in FEED_TABLES.items()}
    events = [a for a in everything() if a.feed in EVENTS]
    outcome = migrated.pipeline.take(events)
    assert (outcome.accepted, outcome.known) == (0, sum(len(before[feed]) for feed in EVENTS))
    migrated.pipeline.take([a for a in everything() if a.feed not in EVENTS])
    after = {feed: migrated.rows(table.table, "source", "id") for feed, table in FEED_TABLES.items()}
    assert after == before
    assert set(differing(migrated.store, migrated.settings).values()) == {0}


def test_two_migrations_at_once_do_it_once(old_url: str) -> None:
    settings = settings_for(old_url)
    with ThreadPoolExecutor(2) as both:
        done = [job.result() for job in [both.submit(migrate, settings) for _ in range(2)]]
    assert sorted((d.found, d.now) for d in done) == [(1, SCHEMA), (SCHEMA, SCHEMA)]


def test_a_migration_that_fails_leaves_the_store_as_it_was(old_url: str) -> None:
    engine = sa.create_engine(old_url)
    with engine.begin() as conn:
        conn.execute(sa.text("CREATE TABLE attendance_day_key (in_the_way INTEGER)"))
    before = contents(old_url)
    with pytest.raises(StoreError, match="attendance_day_key"):
        migrate(settings_for(old_url))
    assert contents(old_url) == before
    assert found_in(settings_for(old_url)) == 1
    with engine.begin() as conn:
        conn.execute(sa.text("DROP TABLE attendance_day_key"))
    engine.dispose()
    assert migrate(settings_for(old_url)).found == 1
    assert found_in(settings_for(old_url)) == SCHEMA


def test_nothing_is_migrated_below_a_running_ingest(old_url: str) -> None:
    settings = settings_for(old_url)
    with ExitStack() as running:
        if settings.store.embedded:
            running.enter_context(_alone(settings))
        else:
            assert running.enter_context(Election(running.enter_context(Store(settings.store)))).won
        with pytest.raises(SchemaError, match="ingest works on"):
            migrate(settings)
    assert found_in(settings) == 1
    assert migrate(settings).now == SCHEMA


def test_an_empty_store_is_made_at_the_present_schema(store_url: str) -> None:
    settings = settings_for(store_url)
    assert found_in(settings) is None
    assert migrate(settings).found is None
    open_store(settings).close()
    assert found_in(settings) == SCHEMA


def test_another_schema_is_never_opened(old_url: str) -> None:
    with pytest.raises(SchemaError, match=r"schema 1 .* `\./run migrate`"):
        open_store(settings_for(old_url))
    of_a_newer_release(old_url)
    for opened in (open_store, migrate):
        with pytest.raises(SchemaError, match="start the newer release"):
            opened(settings_for(old_url))


def test_the_scripts_lead_to_the_present_schema_one_by_one() -> None:
    assert [int(script.revision) for script in steps(1)] == list(range(2, SCHEMA + 1))
    assert steps(SCHEMA) == []


# --- The commands ------------------------------------------------------------------------------

CONFIG = """\
[city]
name = "Kota Uji"
timezone = "Asia/Jakarta"
opd = [{ code = "dinkes", name = "Dinkes" }]
[store]
url = "sqlite:///pendopo.db"
[broker]
url = "embedded://127.0.0.1:0"
"""
COMMANDS = {
    "ingest": ("ingest",),
    "serve": ("dashboard", "--port", "0"),
    "kpis": ("kpis", "--json"),
    "import": ("ingest.load", "message", "pesan.jsonl"),
    "replay": ("ingest.replay",),
    "rebuild": ("ingest.rebuild",),
}


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", *arguments, "--config", str(folder / "config.toml")]
    env = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a store of the first release, embedded, and its configuration."""
    restore(f"sqlite:///{tmp_path / 'pendopo.db'}")
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "pesan.jsonl").touch()
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_starts_on_an_older_or_a_newer_schema(command: str, folder: Path) -> None:
    refused = run(folder, *COMMANDS[command])
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1), refused.stderr
    assert f"has schema 1 and this release needs {SCHEMA}" in refused.stderr
    assert "./run migrate" in refused.stderr
    of_a_newer_release(f"sqlite:///{folder / 'pendopo.db'}")
    refused = run(folder, *COMMANDS[command])
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1), refused.stderr
    assert f"has schema {SCHEMA + 1} and this release knows {SCHEMA}; start the newer" in refused.stderr


def test_the_command_says_from_where_to_where_and_how_long(folder: Path) -> None:
    looked = run(folder, "kpis.migrations", "--check")
    assert (looked.returncode, looked.stdout.count("\n")) == (1, 1)
    done = run(folder, "kpis.migrations")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"schema 1 → {SCHEMA} in " in done.stdout
    for arguments in (["--check"], []):
        again = run(folder, "kpis.migrations", *arguments)
        assert (again.returncode, again.stdout) == (0, f"the store has schema {SCHEMA}; nothing to do\n")


def test_the_command_leaves_a_newer_store_alone(folder: Path) -> None:
    of_a_newer_release(f"sqlite:///{folder / 'pendopo.db'}")
    for arguments in (["--check"], []):
        refused = run(folder, "kpis.migrations", *arguments)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "start the newer release" in refused.stderr


def _hears_ctrl_c() -> None:
    # A shell starts what runs in the background deaf to it, and children inherit that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_a_migration_that_is_stopped_by_hand_says_so_in_one_line(folder: Path) -> None:
    with (folder / "pendopo.db.migrate").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # it waits for its turn, and is stopped there
        argv = [sys.executable, "-m", "kpis.migrations", "--config", str(folder / "config.toml")]
        with subprocess.Popen(
            argv, cwd=ROOT, stderr=subprocess.PIPE, text=True, preexec_fn=_hears_ctrl_c
        ) as waiting:
            queued = re.compile(rf"-> FLOCK .* {waiting.pid} ")
            eventually(lambda: queued.search(Path("/proc/locks").read_text()))
            waiting.send_signal(signal.SIGINT)
            _, said = waiting.communicate(timeout=30)
    assert (waiting.returncode, said) == (130, "stopped: the store is as it was; run it again\n")
    assert found_in(settings_for(f"sqlite:///{folder / 'pendopo.db'}")) == 1


def test_a_store_whose_folder_cannot_be_written_is_refused_in_one_line(folder: Path) -> None:
    # What root may write too: a folder stands where the migration takes its turn.
    (folder / "pendopo.db.migrate").mkdir()
    refused = run(folder, "kpis.migrations")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1), refused.stderr
    assert refused.stderr.startswith(f"store.url: {folder} cannot be written: ")
    assert found_in(settings_for(f"sqlite:///{folder / 'pendopo.db'}")) == 1


def test_the_demo_brings_its_own_store_along(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'pendopo.db'}"
    restore(url)
    argv = (sys.executable, "-m", "ingest.demo", "--folder", str(tmp_path), "--history-days", "1")
    with subprocess.Popen(
        [*argv, "--port", str(free_port())], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        said = demo.stdout.readline()
        demo.terminate()
    assert said == f"Pendopo: brought the city's past from schema 1 to {SCHEMA}\n"
    assert found_in(settings_for(url)) == SCHEMA
    with city(url, lambda: LAST) as world:
        assert len(world.rows(FEED_TABLES["uptime_check"].table, "id")) >= 417
