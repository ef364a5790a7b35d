"""A large table in pages: ties, changes under way, restarts, and nothing held open on the source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, oracle

from ingest.arrivals import Arrival, Outcome, Position
from ingest.sources import database as database_module
from ingest.sources import database_place as place_module
from ingest.sources.database import PAGE, DatabaseSource
from ingest.sources.database_engine import connect
from ingest.sources.database_pages import Page
from ingest.sources.database_place import Place
from ingest.sources.database_query import Query
from ingest.sources.watermark import Print
from kpis.errors import SourceError
from tests.keeper import Keeper
from tests.servers import MariaDb, Postgres, Server
from tests.sources.department import QUERY, Department, day, numbers, source_of
from tests.sources.recorder import Recorder, Running, eventually

GROUP = 4 * PAGE + 7


class Watching(Recorder):
    """A sink that does something of the test's before each batch is stored."""

    def __init__(self, act: Callable[[int], None]) -> None:
        super().__init__()
        self._act = act

    def take(self, arrivals: Sequence[Arrival], position: Position | None = None) -> Outcome:
        self._act(len(self.batches))
        return super().take(arrivals, position)


def bulk(department: Department, first: int, count: int, at: str) -> None:
    """Rows numbered from `first` on that share one moment, as a bulk UPDATE leaves them."""
    series = {
        "mysql": f"seq_{first}_to_{first + count - 1}",
        "postgresql": f"generate_series({first}, {first + count - 1}) AS s (seq)",
        "sqlite": f"(WITH RECURSIVE s (seq) AS (SELECT {first} UNION ALL SELECT seq + 1 FROM s "
        f"WHERE seq < {first + count - 1}) SELECT seq FROM s)",
    }[department.dialect]
    moment = f"'{at}'" if department.dialect == "sqlite" else f"TIMESTAMP '{at}'"
    department.execute(f"INSERT INTO laporan SELECT seq, 'massal', {moment} FROM {series}")


# --- Ties ----------------------------------------------------------------------------------------


def test_a_group_of_ties_larger_than_a_page_is_read_whole_and_once(database: str, tmp_path: Path) -> None:
    department, sink = Department(database), Recorder()
    department.add((1, "awal", day(1)), (2, "akhir", day(9)))
    bulk(department, 100, GROUP, "2026-01-05 08:00:00.123456")
    source = source_of(database, sink, tmp_path)
    assert source.poll() == GROUP + 2
    assert len(set(numbers(sink))) == len(numbers(sink)) == GROUP + 2
    assert max(sink.batches) <= PAGE
    assert numbers(sink)[0] == 1
    assert numbers(sink)[-1] == 2
    assert source.poll() == 0


def test_fifty_thousand_rows_of_one_moment_are_known_again_after_a_restart(
    mariadb_url: str, tmp_path: Path
) -> None:
    department, sink = Department(mariadb_url), Recorder()
    bulk(department, 1, 50_000, "2026-01-05 08:00:00")
    department.execute("CREATE INDEX menurut_waktu ON laporan (diubah)")
    assert source_of(mariadb_url, sink, tmp_path).poll() == 50_000
    assert len(set(numbers(sink))) == 50_000
    # the position stays small, and tells the group by its print
    assert len(sink.positions["sp4n"]) < 200

    again = source_of(mariadb_url, sink, tmp_path)
    assert again.poll() == 0
    department.add((90_001, "tambahan", day(5).replace(microsecond=0)))
    again.poll()
    assert len(set(numbers(sink))) == 50_001


def test_a_store_that_goes_away_amid_many_ties_is_given_every_row(
    mariadb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (database_module, place_module):
        monkeypatch.setattr(module, "TIES_KEPT", 2 * PAGE)
    department, sink = Department(mariadb_url), Recorder()
    count = 6 * PAGE
    bulk(department, 1, count, "2026-01-05 08:00:00")
    source = source_of(mariadb_url, sink, tmp_path)
    sink.fail_after = 4
    with pytest.raises(Exception, match="pretended"):
        source.poll()
    assert len(set(numbers(sink))) < count
    sink.fail_after = None
    source.poll()
    assert set(numbers(sink)) == set(range(1, count + 1))
    assert source.poll() == 0


def test_a_position_of_the_first_release_is_understood() -> None:
    place = Place.decode('{"type":"datetime","value":"2026-01-02T09:00:00","ties":["a1","b2"]}')
    assert place.mark is not None
    assert (str(place.mark), place.ties, place.group) == ("2026-01-02 09:00:00", {"a1", "b2"}, None)


def test_the_print_of_a_group_does_not_depend_on_its_order_and_counts_equal_rows() -> None:
    one, other = (1, "satu"), (2, "dua")
    assert Print().with_row(one).with_row(other) == Print().with_row(other).with_row(one)
    assert Print().with_row(one).with_row(one) != Print().with_row(one) != Print().with_row(other)


# --- Changes while it is read --------------------------------------------------------------------


def test_rows_changed_while_they_are_read_are_seen_with_their_newest_version(
    database: str, tmp_path: Path
) -> None:
    department = Department(database)
    rows = 3 * PAGE
    department.add(*((n, "lama", day(1) + timedelta(seconds=n)) for n in range(rows)))

    def change(batch: int) -> None:
        if batch == 1:
            where = f"nomor < 50 OR nomor BETWEEN {PAGE - 5} AND {PAGE + 5} OR nomor > {rows - 50}"
            department.execute(f"UPDATE laporan SET isi = 'baru', diubah = :at WHERE {where}", at=day(20))

    sink = Watching(change)
    source = source_of(database, sink, tmp_path)
    source.poll()
    newest = {payload["nomor"]: payload["isi"] for payload in sink.payloads}
    assert set(newest) == set(range(rows))
    assert sum(isi == "baru" for isi in newest.values()) == 50 + 11 + 49
    assert source.poll() == 0


# --- Nothing held open on the source -------------------------------------------------------------


@pytest.mark.parametrize("count", [2 * PAGE + 5, GROUP])
def test_no_transaction_is_open_on_the_source_while_rows_are_stored(
    database: str, tmp_path: Path, count: int
) -> None:
    department = Department(database)
    if count == GROUP:
        bulk(department, 1, count, "2026-01-05 08:00:00")
    else:
        department.add(*((n, "x", day(1) + timedelta(seconds=n)) for n in range(count)))
    # each fails at once while any reader's transaction is open
    alone = {
        "mysql": ("SET SESSION lock_wait_timeout = 0", "ALTER TABLE laporan COMMENT = 'sendiri'"),
        "postgresql": ("LOCK TABLE laporan IN ACCESS EXCLUSIVE MODE NOWAIT",),
        "sqlite": ("PRAGMA busy_timeout = 0", "BEGIN EXCLUSIVE"),
    }[department.dialect]
    times: list[int] = []

    def nobody_reads(batch: int) -> None:
        department.execute(*alone)
        times.append(batch)

    sink = Watching(nobody_reads)
    assert source_of(database, sink, tmp_path).poll() == count
    assert len(times) == len(sink.batches) >= 3


def test_a_statement_may_not_run_for_longer_than_five_minutes(database: str, tmp_path: Path) -> None:
    if database.startswith("sqlite"):
        Department(database)  # has no such limit, and its file is there
        return
    ask = "SHOW statement_timeout" if database.startswith("postgres") else "SELECT @@max_statement_time"
    engine = connect(source_of(database, Recorder(), tmp_path)._source, tmp_path)
    for _ in range(2):  # a limit that a rollback takes back would be gone the second time
        with engine.connect() as connection:
            assert connection.execute(sa.text(ask)).scalar() in ("5min", 300)
    engine.dispose()


def test_a_page_is_a_range_of_the_index_on_mariadb(mariadb_url: str) -> None:
    department = Department(mariadb_url)
    department.execute(
        "INSERT INTO laporan SELECT seq, 'x', '2026-01-01' + INTERVAL seq SECOND FROM seq_1_to_100000",
        "CREATE INDEX menurut_waktu ON laporan (diubah)",
        "ANALYZE TABLE laporan",
    )
    query = Query(QUERY, "diubah", "sp4n")
    with sa.create_engine(mariadb_url).connect() as connection:
        for since in (None, day(1), day(2)):
            text, bound = query.page(since, PAGE, "mysql")
            plan = connection.execute(sa.text(f"EXPLAIN {text}"), bound).mappings().one()
            assert (plan["type"], plan["key"]) == ("range", "menurut_waktu"), dict(plan)
            assert "filesort" not in plan["Extra"]
            assert "temporary" not in plan["Extra"]


def test_where_a_page_takes_long_to_begin_fewer_and_larger_ones_are_asked_for(
    mariadb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database_module, "SLOW_S", 0.0)
    department, sink = Department(mariadb_url), Recorder()
    rows = 8 * PAGE
    department.add(*((n, "x", day(1) + timedelta(seconds=n)) for n in range(rows)))
    source = source_of(mariadb_url, sink, tmp_path)
    source._engine = connect(source._source, tmp_path)
    asked: list[str] = []
    sa.event.listen(source._engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    assert source.poll() == rows
    assert numbers(sink) == list(range(rows))
    limits = [int(text.rpartition(" ")[2]) for text in asked if ":since" not in text and "LIMIT" in text]
    assert limits[:2] == [PAGE, 4 * PAGE]
    assert "an index on diubah makes it quick" in caplog.text


def test_what_a_page_holds_beyond_its_first_rows_waits_in_a_file() -> None:
    with Page(["nomor"]) as page:
        for first in range(0, 10 * PAGE, PAGE):
            page.add([(n,) for n in range(first, first + PAGE)])
        for _ in range(2):
            assert [row[0] for rows in page.chunks() for row in rows] == list(range(10 * PAGE))
        assert len(page._first) == PAGE
        spool = page._spool
    assert spool is not None
    assert spool.closed


# --- Restarts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [MariaDb, Postgres])
def test_a_server_that_restarts_amid_a_reading_costs_no_row(
    keeper: Keeper, tmp_path: Path, kind: type[MariaDb | Postgres]
) -> None:
    server = kind(keeper)
    try:
        _restart_amid(server, server.fresh(), tmp_path)
    finally:
        server.kill()


def _restart_amid(server: Server, url: str, folder: Path) -> None:
    department = Department(url)
    rows = 4 * PAGE
    department.add(*((n, "x", day(1) + timedelta(seconds=n)) for n in range(rows)))
    sink = Watching(lambda batch: server.stop() if batch == 1 else None)
    with Running(source_of(url, sink, folder)):
        eventually(lambda: bool(sink.errors), "the outage is told")
        assert len(numbers(sink)) < rows
        server.start()
        eventually(lambda: len(numbers(sink)) >= rows)
        eventually(lambda: sink.notes[-1][2] is None, "and is well again")
    assert numbers(sink) == list(range(rows))


# --- Queries -------------------------------------------------------------------------------------


def test_a_query_that_looks_back_by_itself_is_read_from_poll_to_poll(
    mariadb_url: str, tmp_path: Path
) -> None:
    department, sink = Department(mariadb_url), Recorder()
    department.add((1, "satu", day(1)), (2, "dua", day(2)), (3, "tiga", day(2, 9)))
    query = QUERY.replace(":since", ":since - INTERVAL 2 HOUR")
    source = source_of(mariadb_url, sink, tmp_path, query, more="start = 2026-01-01T00:00:00\n")
    assert source.poll() == 3
    department.add((4, "terlambat", day(2, 7)), (5, "empat", day(3)))
    assert source.poll() == 2
    assert source.poll() == 0
    assert sorted(numbers(sink)) == [1, 2, 3, 4, 5]


def test_a_query_that_calculates_with_since_needs_a_start(mariadb_url: str, tmp_path: Path) -> None:
    Department(mariadb_url)
    query = QUERY.replace(":since", ":since - INTERVAL 2 HOUR")
    with pytest.raises(SourceError, match='set start, or write a plain >= :since and overlap = "10m"'):
        source_of(mariadb_url, Recorder(), tmp_path, query).poll()


@pytest.mark.parametrize("tail", ["FOR UPDATE", "for share", "LOCK IN SHARE MODE", "FOR NO KEY UPDATE"])
def test_a_query_that_locks_is_refused(tail: str) -> None:
    with pytest.raises(SourceError, match="locks the rows it reads"):
        Query(f"{QUERY} {tail}", "diubah", "sp4n")


@pytest.mark.parametrize(("name", "dialect"), [("mssql", mssql.dialect()), ("oracle", oracle.dialect())])
def test_pages_of_sql_server_and_oracle_end_as_sqlalchemy_writes_them(name: str, dialect: Any) -> None:
    column = sa.column("diubah")
    selected = sa.select(column).order_by(column).limit(PAGE)
    if name == "mssql":
        dialect._supports_offset_fetch = True  # what SQLAlchemy finds on a server of 2012 or later
        selected = selected.offset(0)  # without it TOP is written, which stands before the columns
    literal = {"literal_binds": True}
    written = str(selected.compile(dialect=dialect, compile_kwargs=literal)).split()
    text, bound = Query(QUERY, "diubah", "sp4n").page(day(1), PAGE, name)
    ending = text.removeprefix(QUERY).split()
    assert ending
    assert written[-len(ending) :] == ending
    compiled = sa.text(text).compile(dialect=dialect)
    assert set(compiled.params) == set(bound) == {"since"}


def test_a_comment_at_the_end_of_a_query_does_not_hide_the_limit(database: str, tmp_path: Path) -> None:
    department, sink = Department(database), Recorder()
    department.add(*((n, "x", day(1) + timedelta(seconds=n)) for n in range(PAGE + 5)))
    source: DatabaseSource = source_of(database, sink, tmp_path, QUERY + " -- terlama dahulu")
    assert source.poll() == PAGE + 5
    assert len(sink.batches) == 2
