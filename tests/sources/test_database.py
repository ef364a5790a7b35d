"""A department's database: nothing skipped, nothing counted twice, nothing written to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ingest.sources.database import PAGE
from ingest.sources.database_engine import connect
from ingest.sources.database_place import Place
from ingest.sources.database_query import Query
from ingest.sources.watermark import Mark, plain
from kpis.errors import SourceError, StoreUnavailable
from tests.sources.department import AT, Department, day, numbers, source_of
from tests.sources.recorder import Recorder, Running, eventually


def test_reads_everything_once_and_then_only_what_is_new(database: str, tmp_path: Path) -> None:
    department, sink = Department(database), Recorder()
    department.add((1, "satu", day(1)), (2, "dua", day(2)))
    source = source_of(database, sink, tmp_path)
    assert source.poll() == 2
    assert source.poll() == 0
    department.add((3, "tiga", day(3)))
    assert source.poll() == 1
    assert numbers(sink) == [1, 2, 3]
    assert sink.arrivals[0].door == "database"
    assert sink.arrivals[0].place.startswith("sp4n: diubah 2026-01-01")


def test_rows_that_share_the_last_watermark_are_neither_skipped_nor_repeated(
    database: str, tmp_path: Path
) -> None:
    department, sink = Department(database), Recorder()
    department.add((1, "satu", day(1)), (2, "dua", day(2)))
    source = source_of(database, sink, tmp_path)
    source.poll()
    department.add((3, "tiga", day(2)), (4, "empat", day(2)))
    assert source.poll() == 2
    assert sorted(numbers(sink)) == [1, 2, 3, 4]


def test_a_row_changed_at_the_same_watermark_is_read_again(database: str, tmp_path: Path) -> None:
    department, sink = Department(database), Recorder()
    department.add((1, "satu", day(1)))
    source = source_of(database, sink, tmp_path)
    source.poll()
    department.execute("UPDATE laporan SET isi = 'diralat'")
    assert source.poll() == 1
    assert sink.payloads[-1]["isi"] == "diralat"


def test_the_position_survives_a_restart(database: str, tmp_path: Path) -> None:
    department, sink = Department(database), Recorder()
    department.add((1, "satu", day(1)), (2, "dua", day(1)))
    source_of(database, sink, tmp_path).poll()
    department.add((3, "tiga", day(1)), (4, "empat", day(5)))
    assert source_of(database, sink, tmp_path).poll() == 2
    assert sorted(numbers(sink)) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("INTEGER", [5, 70, 900]),
        ("NUMERIC(12,3)", [0.5, 10.25, 10.75]),
        ("DATE", [day(1).date(), day(2).date(), day(3).date()]),
        ("VARCHAR(30)", ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"]),
    ],
)
def test_numbers_dates_and_texts_are_watermarks_too(
    database: str, tmp_path: Path, kind: str, values: list[Any]
) -> None:
    department, sink = Department(database, kind), Recorder()
    if database.startswith("sqlite"):
        values = [str(v) if kind == "DATE" else v for v in values]
    department.add(*((n, "x", value) for n, value in enumerate(values[:2])))
    source = source_of(database, sink, tmp_path)
    assert source.poll() == 2
    department.add((7, "tied", values[1]), (8, "new", values[2]))
    assert source_of(database, sink, tmp_path).poll() == 2
    assert numbers(sink) == [0, 1, 7, 8]


def test_an_aware_watermark_keeps_its_instant(postgres_url: Callable[[], str], tmp_path: Path) -> None:
    url, sink = postgres_url(), Recorder()
    department = Department(url, "TIMESTAMPTZ")
    department.add((1, "satu", datetime(2026, 1, 1, 7, tzinfo=UTC)))
    source = source_of(url, sink, tmp_path)
    source.poll()
    department.add((2, "dua", datetime(2026, 1, 1, 7, 0, 1, tzinfo=UTC)))
    assert source.poll() == 1
    assert sink.payloads[0]["diubah"] == datetime(2026, 1, 1, 7, tzinfo=UTC)


def test_a_large_table_is_taken_in_pages_and_resumed_where_the_store_went_away(
    database: str, tmp_path: Path
) -> None:
    department, sink = Department(database), Recorder()
    rows = 2 * PAGE + 500
    department.add(*((n, "x", day(1) + timedelta(seconds=n)) for n in range(rows)))
    sink.fail_after = 1
    source = source_of(database, sink, tmp_path)
    with pytest.raises(StoreUnavailable):
        source.poll()
    assert sink.batches == [PAGE]
    sink.fail_after = None
    assert source.poll() == rows - PAGE
    assert max(sink.batches) == PAGE
    assert numbers(sink) == list(range(rows))


def test_a_row_without_a_watermark_is_taken_when_the_query_gives_it(database: str, tmp_path: Path) -> None:
    department, sink = Department(database), Recorder()
    department.add((1, "satu", day(1)), (2, "kosong", None))
    query = "SELECT * FROM laporan WHERE diubah >= :since OR diubah IS NULL ORDER BY diubah"
    source = source_of(database, sink, tmp_path, query)
    source.poll()
    assert sorted(numbers(sink)) == [1, 2]
    department.add((3, "tiga", day(2)))
    source.poll()
    assert sorted(numbers(sink)) == [1, 2, 2, 3]


def test_start_is_the_first_watermark(database: str, tmp_path: Path) -> None:
    department, sink = Department(database), Recorder()
    department.add((1, "lama", day(1)), (2, "baru", day(9)))
    source_of(database, sink, tmp_path, more="start = 2026-01-05 00:00:00\n").poll()
    assert numbers(sink) == [2]


def test_the_departments_database_cannot_be_written(database: str, tmp_path: Path) -> None:
    Department(database)
    source = source_of(database, Recorder(), tmp_path)
    engine = connect(source._source, tmp_path)
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError) as refused:
        connection.execute(sa.text("INSERT INTO laporan VALUES (1, 'x', NULL)"))
    engine.dispose()
    assert any(word in str(refused.value).lower() for word in ("read-only", "readonly", "read only"))


def test_a_broken_query_is_told_and_tried_again_while_others_go_on(database: str, tmp_path: Path) -> None:
    broken, good = Recorder(), Recorder()
    with Running(source_of(database, broken, tmp_path)):
        eventually(lambda: bool(broken.errors), "the error is told")
        assert "laporan" in broken.errors[0] or "no file" in broken.errors[0]
        department = Department(database)
        department.add((1, "satu", day(1)))
        with Running(source_of(database, good, tmp_path)):
            eventually(lambda: numbers(good) == [1])
            eventually(lambda: numbers(broken) == [1], "it came back by itself")
        eventually(lambda: broken.notes[-1][2] is None, "and was told to be well")


def test_a_server_that_is_away_is_an_error_with_its_name_and_not_its_password(tmp_path: Path) -> None:
    source = source_of("mysql://reader:rahasia@127.0.0.1:9/pengaduan", Recorder(), tmp_path)
    with pytest.raises(SourceError) as refused:
        source.poll()
    assert str(refused.value).startswith("sp4n: ")
    assert "rahasia" not in str(refused.value)


def test_a_missing_driver_names_the_package(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="install the package oracledb"):
        source_of("oracle://reader:x@127.0.0.1/db", Recorder(), tmp_path).poll()


def test_a_missing_watermark_column_is_told_with_the_columns_there_are(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'opd.db'}"
    Department(url).add((1, "satu", "2026-01-01"))
    query = "SELECT nomor, isi FROM laporan WHERE diubah >= :since ORDER BY diubah"
    with pytest.raises(SourceError, match="no column 'diubah', its watermark; it gives nomor, isi"):
        source_of(url, Recorder(), tmp_path, query).poll()


def test_rows_out_of_order_are_taken_and_told_and_nothing_is_passed_by(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'opd.db'}"
    department, sink = Department(url, "INTEGER"), Recorder()
    department.add((1, "satu", 5), (2, "dua", 3))
    # an ORDER BY that only begins like the watermark
    query = "SELECT nomor, isi, diubah FROM laporan WHERE diubah >= :since ORDER BY diubah * -1"
    source = source_of(url, sink, tmp_path, query)
    with pytest.raises(SourceError, match="do not come in the order of diubah"):
        source.poll()
    assert sorted(numbers(sink)) == [1, 2]
    assert Place.decode(sink.positions["sp4n"]) == Place()


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("DELETE FROM laporan WHERE diubah >= :since ORDER BY diubah", "SELECT or WITH"),
        ("UPDATE laporan SET isi = ''", "SELECT or WITH"),
        (
            "SELECT * FROM t WHERE diubah >= :since ORDER BY diubah; DROP TABLE t",
            "more than one statement",
        ),
        ("SELECT * FROM t WHERE diubah > :since ORDER BY diubah", "use >= :since"),
        ("SELECT * FROM t WHERE diubah>:since ORDER BY diubah", "use >= :since"),
        ("SELECT * FROM t ORDER BY diubah", "diubah >= :since"),
        ("SELECT * FROM t WHERE :since < diubah ORDER BY diubah", "diubah >= :since"),
        ("SELECT * FROM t WHERE diubah >= :since", "ORDER BY diubah"),
        ("SELECT * FROM t WHERE diubah >= :since ORDER BY nomor", "ORDER BY diubah"),
        ("SELECT * FROM t WHERE diubah >= :since ORDER BY diubah DESC", "oldest first"),
        (
            "SELECT *, ROW_NUMBER() OVER (ORDER BY diubah) AS n FROM t WHERE diubah >= :since",
            "ORDER BY diubah",
        ),
        ("SELECT * FROM t WHERE diubah >= :since ORDER BY diubah LIMIT 100", "limits its rows"),
        ("SELECT TOP 10 * FROM t WHERE diubah >= :since ORDER BY diubah", "limits its rows"),
        ("SELECT * FROM t WHERE x = '>= :since' ORDER BY diubah", "diubah >= :since"),
    ],
)
def test_a_query_that_could_write_or_skip_is_refused(query: str, why: str) -> None:
    with pytest.raises(SourceError) as refused:
        Query(query, "diubah", "sp4n")
    assert why in str(refused.value)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM t WHERE diubah >= :since ORDER BY diubah",
        "select t.* from t where t.diubah>=:since order by t.diubah asc, nomor desc;",
        "WITH a AS (SELECT * FROM t ORDER BY n LIMIT 5) SELECT * FROM a WHERE d >= :since ORDER BY `diubah`",
        "SELECT * FROM t WHERE diubah >= :since AND note <> '; > :since' -- > :since\nORDER BY diubah",
    ],
)
def test_a_query_that_reads_everything_is_let_through(query: str) -> None:
    text, bound = Query(query, "diubah", "sp4n").bound(None)
    assert "IS NOT NULL" in text
    assert not bound


@pytest.mark.parametrize("value", [7, 1.5, "a", b"\x00\x01", AT, AT.date(), AT.replace(tzinfo=None)])
def test_a_mark_comes_back_as_it_went(value: Any) -> None:
    mark = Mark.of(value)
    assert mark is not None
    place = Place(mark, {"a", "b"})
    assert Place.decode(place.encode()) == place


def test_values_of_the_driver_become_plain() -> None:
    assert plain(b"Jalan \xc3\xa9") == "Jalan é"
    assert plain({"a": [b"x"]}) == {"a": ["x"]}
    assert plain(None) is None
