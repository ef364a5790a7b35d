"""What a source may hide from its reader: late rows, wrong clocks, columns that change. Each is told."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.sources.database_columns import missing
from ingest.sources.watermark import Mark
from kpis.errors import SourceError
from tests.sources.department import AT, QUERY, Department, day, numbers, source_of
from tests.sources.recorder import Recorder, Running, eventually

ALL = "SELECT * FROM laporan WHERE diubah >= :since ORDER BY diubah"


# --- Rows behind the position --------------------------------------------------------------------


def test_overlap_reads_what_was_committed_late_and_nothing_else_again(database: str, tmp_path: Path) -> None:
    department, sink = Department(database), Recorder()
    department.add((1, "lama", day(1)), (2, "satu", day(2, 7)), (3, "dua", day(2, 8)))
    source = source_of(database, sink, tmp_path, more='overlap = "2h"\n')
    assert source.poll() == 3
    assert source.poll() == 0
    department.add((4, "terlambat", day(2, 7)), (5, "terlalu", day(2, 5)))
    assert source.poll() == 1
    department.execute("UPDATE laporan SET isi = 'diralat' WHERE nomor = 2")
    assert source.poll() == 1
    assert numbers(sink) == [1, 2, 3, 4, 2]
    assert sink.payloads[-1]["isi"] == "diralat"
    # After a restart the window is read once more, and the store knows it.
    assert source_of(database, sink, tmp_path, more='overlap = "2h"\n').poll() == 2
    department.add((6, "baru", day(3)))
    assert source.poll() == 1
    assert numbers(sink)[-1] == 6


def test_overlap_needs_a_watermark_of_time(database: str, tmp_path: Path) -> None:
    department, sink = Department(database, "INTEGER"), Recorder()
    department.add((1, "satu", 5))
    source = source_of(database, sink, tmp_path, more='overlap = "10m"\n')
    source.poll()
    with pytest.raises(SourceError, match="diubah is a number, and overlap needs a time or a date"):
        source.poll()


def test_a_source_whose_newest_row_lies_behind_the_position_is_told_until_it_has_passed(
    database: str, tmp_path: Path
) -> None:
    department, sink = Department(database), Recorder()
    department.add((1, "satu", day(1)), (2, "dua", day(9)))
    source = source_of(database, sink, tmp_path)
    source.poll()
    # a copy of yesterday is restored, or the clock set back and the newest row changed again
    department.execute("UPDATE laporan SET diubah = :at WHERE nomor = 2", at=day(5))
    for _ in range(2):
        with pytest.raises(SourceError, match=r"the newest diubah is 2026-01-05 .*, behind 2026-01-09 "):
            source.poll()
    department.add((3, "tiga", day(10)))
    assert source.poll() == 1
    assert numbers(sink) == [1, 2, 3]


def test_an_overlap_longer_than_the_step_back_reads_those_rows(database: str, tmp_path: Path) -> None:
    department, sink = Department(database), Recorder()
    department.add((1, "satu", day(1)), (2, "dua", day(9, 8)))
    source = source_of(database, sink, tmp_path, more='overlap = "1d"\n')
    source.poll()
    department.add((3, "jam mundur", day(9, 1)))
    department.execute("UPDATE laporan SET diubah = :at, isi = 'mundur' WHERE nomor = 2", at=day(9, 2))
    assert source.poll() == 2
    assert source.poll() == 0
    assert [payload["isi"] for payload in sink.payloads] == ["satu", "dua", "jam mundur", "mundur"]


def test_a_table_that_was_emptied_is_no_fault(database: str, tmp_path: Path) -> None:
    department, sink = Department(database), Recorder()
    department.add((1, "satu", day(1)))
    source = source_of(database, sink, tmp_path)
    source.poll()
    department.execute("DELETE FROM laporan")
    assert source.poll() == 0


def test_a_row_of_the_future_is_taken_and_told_and_hides_no_later_row(database: str, tmp_path: Path) -> None:
    department, sink = Department(database), Recorder()
    department.add((1, "satu", day(1)), (2, "salah tahun", day(1).replace(year=2062)))
    source = source_of(database, sink, tmp_path)
    with pytest.raises(SourceError, match="1 rows have a diubah in the future, the farthest 2062-01-01"):
        source.poll()
    department.add((3, "dua", day(2)))
    with pytest.raises(SourceError, match="in the future"):
        source.poll()
    assert numbers(sink) == [1, 2, 3]
    department.execute("UPDATE laporan SET diubah = :at WHERE nomor = 2", at=day(3))
    assert source.poll() == 1
    assert source.poll() == 0


# --- Columns that change -------------------------------------------------------------------------


def test_a_column_the_query_names_is_missed_by_name_and_welcome_back(database: str, tmp_path: Path) -> None:
    department, sink = Department(database), Recorder()
    department.add((1, "satu", day(1)))
    with Running(source_of(database, sink, tmp_path)):
        eventually(lambda: numbers(sink) == [1])
        department.execute("ALTER TABLE laporan RENAME COLUMN isi TO uraian")
        department.execute("INSERT INTO laporan VALUES (2, 'dua', :at)", at=day(2))
        eventually(lambda: bool(sink.errors))
        assert "isi" in sink.errors[0]
        assert "have it brought back, or mend the query" in sink.errors[0]
        department.execute("ALTER TABLE laporan RENAME COLUMN uraian TO isi")
        eventually(lambda: numbers(sink) == [1, 2])
        eventually(lambda: sink.notes[-1][2] is None)


def test_a_column_the_map_names_is_missed_before_a_row_is_read_without_it(
    database: str, tmp_path: Path
) -> None:
    department, sink = Department(database), Recorder()
    department.add((1, "satu", day(1)))
    mapped = '[source.map]\nid = "to_string(nomor)"\ntext = "isi"\nupdated_at = "diubah"\n'
    source = source_of(database, sink, tmp_path, ALL, more=mapped)
    source.poll()
    department.add((2, "dua", day(2)))
    department.execute("ALTER TABLE laporan RENAME COLUMN isi TO uraian")
    with pytest.raises(SourceError, match=r"no column 'isi', which map\.text names; it gives nomor, uraian"):
        source.poll()
    assert numbers(sink) == [1]
    department.execute("ALTER TABLE laporan RENAME COLUMN uraian TO isi")
    assert source.poll() == 1
    assert sink.payloads[-1]["isi"] == "dua"


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("nomor", set()),
        ("tidak_ada", {"tidak_ada"}),
        ("to_string(hilang)", {"hilang"}),
        ("isi.alamat.jalan", set()),
        ("hilang.nomor", {"hilang"}),
        ("isi[0].hilang", set()),
        ("isi || hilang", set()),
        ("hilang || lenyap", {"hilang", "lenyap"}),
        ("'tetap'", set()),
        ("`true`", set()),
        ("isi == 'ya' && hilang", {"hilang"}),
        ("join(' ', [isi, hilang])", {"hilang"}),
        ("isi[?hilang == 'x'] | [0].lenyap", set()),
        ("sort_by(isi, &hilang)", set()),
        ("@", set()),
    ],
)
def test_a_map_names_the_columns_its_expressions_begin_with(expression: str, found: set[str]) -> None:
    assert set(missing({"id": expression}, ["nomor", "isi"])) == found


def test_rows_whose_watermark_became_null_are_told_and_taken_when_it_is_filled(
    database: str, tmp_path: Path
) -> None:
    department, sink = Department(database), Recorder()
    department.add((1, "satu", day(1)))
    department.execute("CREATE INDEX menurut_waktu ON laporan (diubah)")
    with Running(source_of(database, sink, tmp_path)):
        eventually(lambda: numbers(sink) == [1])
        department.add((2, "dua", None), (3, "tiga", day(3)))
        eventually(lambda: bool(sink.errors))
        assert "rows without diubah are passed by" in sink.errors[0]
        assert "COALESCE(diubah, dibuat)" in sink.errors[0]
        eventually(lambda: numbers(sink) == [1, 3], "the others go on")
        department.execute("UPDATE laporan SET diubah = :at WHERE nomor = 2", at=day(4))
        eventually(lambda: numbers(sink) == [1, 3, 2])
        eventually(lambda: sink.notes[-1][2] is None)


def test_another_column_stands_in_where_the_watermark_is_null(database: str, tmp_path: Path) -> None:
    department, sink = Department(database), Recorder()
    department.execute("ALTER TABLE laporan ADD COLUMN dibuat " + department.kind)
    department.execute("INSERT INTO laporan VALUES (1, 'satu', :at, :at), (2, 'dua', NULL, :at)", at=day(1))
    query = (
        "SELECT laporan.*, COALESCE(diubah, dibuat) AS diubah FROM laporan "
        "WHERE COALESCE(diubah, dibuat) >= :since ORDER BY COALESCE(diubah, dibuat)"
    )
    with pytest.raises(SourceError, match="must end with ORDER BY diubah"):
        source_of(database, sink, tmp_path, query).poll()
    renamed = query.replace("AS diubah", "AS berubah").replace("BY COALESCE(diubah, dibuat)", "BY berubah")
    source = source_of(database, sink, tmp_path, renamed, watermark="berubah")
    assert source.poll() == 2
    assert source.poll() == 0


CHANGED = {
    "sqlite": ("UPDATE laporan SET diubah = 1767225600 + nomor", "UPDATE laporan SET diubah = '{}'"),
    "mysql": (
        "ALTER TABLE laporan MODIFY diubah VARCHAR(40)",
        "ALTER TABLE laporan MODIFY diubah DATETIME(6)",
    ),
    "postgresql": (
        "ALTER TABLE laporan ALTER COLUMN diubah TYPE text",
        "ALTER TABLE laporan ALTER COLUMN diubah TYPE timestamp USING diubah::timestamp",
    ),
}


def test_a_watermark_of_another_type_is_told_and_nothing_is_taken_by_it(
    database: str, tmp_path: Path
) -> None:
    department, sink = Department(database), Recorder()
    department.add((1, "satu", day(1)))
    query = QUERY if department.dialect != "sqlite" else QUERY.replace("diubah >=", "'9' || diubah >=")
    source = source_of(database, sink, tmp_path, query)
    source.poll()
    to, back = CHANGED[department.dialect]
    department.execute(to)
    with pytest.raises(SourceError, match=r"(?i)diubah.*type.*CAST it in the query, or forget the position"):
        source.poll()
    assert numbers(sink) == [1]
    department.execute(back.format(day(1)))
    assert source.poll() == 0
    department.add((2, "dua", day(2)))
    assert source.poll() == 1


def test_a_day_may_become_a_time_and_a_time_no_day() -> None:
    at = datetime(2026, 1, 2, 3)  # noqa: DTZ001  as departments keep it
    on, zoned, number, text = date(2026, 1, 2), AT, 5, "2026-01-02"
    for now, before, may in [
        (at, on, True), (on, at, False), (zoned, at, False), (at, zoned, False), (7.5, number, True),
        (text, at, False), (number, text, False), (b"7", b"6", True),
    ]:  # fmt: skip
        mark, earlier = Mark.of(now), Mark.of(before)
        assert mark is not None
        assert earlier is not None
        assert mark.follows(earlier) is may, (now, before)


@pytest.mark.parametrize(
    ("value", "span", "before"),
    [
        ("2026-01-02T09:00:00.5Z", timedelta(hours=1), "2026-01-02T08:00:00"),
        ("2026-01-02 09:00", timedelta(minutes=10), "2026-01-02 08:50"),
        ("2026-01-02", timedelta(minutes=10), "2026-01-01"),
        (date(2026, 1, 2), timedelta(minutes=10), date(2026, 1, 1)),
        (AT, timedelta(hours=3), AT - timedelta(hours=3)),
    ],
)
def test_a_time_before_a_mark_is_spelled_as_the_department_spells_it(
    value: Any, span: timedelta, before: Any
) -> None:
    mark = Mark.of(value)
    assert mark is not None
    assert mark.before(span).value == before


def test_texts_have_an_order_only_as_times_that_are_spelled_alike() -> None:
    def earlier(one: str, other: str) -> bool:
        return Mark("text", one) < Mark("text", other)

    assert earlier("2026-01-02 08:00:00", "2026-01-02 09:00:00")
    assert not earlier("2026-01-02 09:00:00", "2026-01-02 08:00:00")
    assert not earlier("2026-01-02 08:00:00", "2026-01-02T09:00:00")
    assert not earlier("A-1", "B-1")
