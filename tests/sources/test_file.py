"""Files: every line once, with its place, whatever they were written with."""

from __future__ import annotations

import gzip
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ingest.sources.file import FileSource
from ingest.sources.reading_files import PAGE, Labels, read_file
from kpis.errors import SourceError, StoreUnavailable
from tests.sources.recorder import Recorder, Running, eventually, settings_of

AT = datetime(2026, 8, 19, 3, 0, tzinfo=UTC)
LABELS = Labels("arsip", "arsip", "service_request", lambda: AT)


def rows_of(path: Path, **options: Any) -> list[tuple[str, Any]]:
    return [(a.place, a.payload) for page in read_file(path, LABELS, **options) for a in page.arrivals]


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_csv_row_is_a_mapping_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", 'id,opd,isi\n1,dlh,Sampah\n\n2,dlh,"dua\nbaris"\n3,dlh,\n')
    folder = tmp_path.name
    assert rows_of(path) == [
        (f"{folder}/a.csv:2", {"id": "1", "opd": "dlh", "isi": "Sampah"}),
        (f"{folder}/a.csv:4", {"id": "2", "opd": "dlh", "isi": "dua\nbaris"}),
        (f"{folder}/a.csv:6", {"id": "3", "opd": "dlh"}),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "id;nama\n1;Jalan é\n".encode("cp1252"),
        "\ufeffid,nama\r\n1,Jalan é\r\n".encode(),
        "id\tnama\n1\tJalan é\n".encode("utf-16"),
        "id|nama| \n1|Jalan é|\n".encode(),
    ],
)
def test_separators_and_encodings_of_spreadsheets_are_found_out(tmp_path: Path, content: bytes) -> None:
    rows = rows_of(written(tmp_path / "a.csv", content))
    assert [row for _, row in rows] == [{"id": "1", "nama": "Jalan é"}]


def test_a_line_with_more_cells_than_headings_names_no_field(tmp_path: Path) -> None:
    rows = rows_of(written(tmp_path / "a.csv", "id,opd\n1,dlh,Jalan Melati\n2,dlh,\n"))
    assert rows[0][1] == {"problem": "3 cells under 2 headings", "line": ["1", "dlh", "Jalan Melati"]}
    assert rows[1][1] == {"id": "2", "opd": "dlh"}


@pytest.mark.parametrize("open_cell", ['"Jalan', '"Jalan "Melati"', '"'])
@pytest.mark.parametrize("rest", ['2,dlh,Taman\n3,dlh,"Dua\nbaris"\n', '2,dlh,Taman\n3,dlh,"Sungai"\n', ""])
def test_a_quotation_mark_that_stands_alone_costs_its_own_line_only(
    tmp_path: Path, open_cell: str, rest: str
) -> None:
    rows = rows_of(written(tmp_path / "a.csv", f"id,opd,isi\n1,dlh,{open_cell}\n{rest}"))
    problems = [place for place, row in rows if "problem" in row]
    assert problems[0].endswith(":2")
    found = [row["id"] for _, row in rows if "problem" not in row]
    assert found[:1] == (["2"] if rest else [])
    # Lines of a cell broken over two are not told from lines of their own once a mark is missing.
    assert "3" in found or len(problems) > 1 or not rest


def test_headings_that_stand_twice_are_told_apart(tmp_path: Path) -> None:
    assert rows_of(written(tmp_path / "a.csv", "id,id, id\n1,2,3\n"))[0][1] == {
        "id": "1",
        "id (2)": "2",
        "id (3)": "3",
    }


def test_an_xlsx_keeps_its_types(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    opened = datetime(2026, 1, 2, 3, 4)  # noqa: DTZ001  a spreadsheet knows no zone
    for row in (["id", "dibuka", "jumlah", "kosong"], [17.0, opened, 2.5, None]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    ((place, row),) = rows_of(tmp_path / "a.xlsx")
    assert place.endswith("a.xlsx:2")
    assert row == {"id": 17, "dibuka": opened, "jumlah": 2.5}
    assert isinstance(row["id"], int)


def test_json_lines_go_through_untouched(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbf{"id": "1"}\n\n  not json \n{"id":"3"}'
    rows = rows_of(written(tmp_path / "a.jsonl", content))
    assert [(place.rpartition(":")[2], payload) for place, payload in rows] == [
        ("1", b'{"id": "1"}'),
        ("3", b"not json"),
        ("4", b'{"id":"3"}'),
    ]


def test_a_json_array_is_taken_element_by_element(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", '[\n {"id": "1"},\n {"id": "2"}\n]')
    assert [payload for _, payload in rows_of(path)] == [b'{"id": "1"}', b'{"id": "2"}']


def test_gzip_is_opened(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv.gz", gzip.compress(b"id\n1\n"))
    assert [row for _, row in rows_of(path)] == [{"id": "1"}]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv.gz", gzip.compress(b"id\n" + os.urandom(9000))[:-2000]),
        ("a.csv.gz", b"id\n1\n"),
        ("a.xlsx", b"PK\x03\x04 nothing"),
        ("a.json", b'[{"id": 1}, '),
        ("a.csv", b"\n\n"),
        ("a.pdf", b"%PDF"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_with_its_name(
    tmp_path: Path, name: str, content: bytes
) -> None:
    with pytest.raises(SourceError, match=name):
        rows_of(written(tmp_path / name, content))


def test_reading_goes_on_after_a_line(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "id\n1\n2\n3\n")
    assert [row["id"] for _, row in rows_of(path, after=3)] == ["3"]


# --- the watched folder ---


def source_of(folder: Path, sink: Recorder, pattern: str = "*") -> FileSource:
    folder.mkdir(exist_ok=True)
    settings = settings_of(
        f'[[source]]\nname = "arsip"\ntype = "file"\nfeed = "service_request"\nfolder = "{folder}"\n'
        f'pattern = "{pattern}"\nevery = "100ms"',
        folder.parent,
    )
    return FileSource(settings.sources[0], sink, lambda: AT)


def dropped(path: Path, content: str, age_s: float = 60) -> Path:
    """A file that has rested for `age_s`."""
    written(path, content)
    os.utime(path, (time.time() - age_s,) * 2)
    return path


def ids(sink: Recorder) -> list[str]:
    return [payload["id"] for payload in sink.payloads]


def test_each_file_is_taken_once_the_newest_name_first(tmp_path: Path) -> None:
    sink, inbox = Recorder(), tmp_path / "inbox"
    source = source_of(inbox, sink, "*.csv")
    dropped(inbox / "2026-01.csv", "id\na\n")
    dropped(inbox / "2026-02.csv", "id\nb\n")
    dropped(inbox / "catatan.txt", "bukan data")
    source.look()
    source.look()
    source_of(inbox, sink, "*.csv").look()
    assert ids(sink) == ["b", "a"]
    assert sink.arrivals[0].place == "inbox/2026-02.csv:2"
    assert sink.arrivals[0].door == "file"


def test_a_file_with_new_content_is_read_again(tmp_path: Path) -> None:
    sink, inbox = Recorder(), tmp_path / "inbox"
    source = source_of(inbox, sink)
    dropped(inbox / "a.csv", "id\na\n")
    source.look()
    dropped(inbox / "a.csv", "id\na\nb\n", age_s=50)
    source.look()
    assert ids(sink) == ["a", "a", "b"]
    dropped(inbox / "a.csv", "id\na\nb\n", age_s=40)
    source.look()
    assert len(sink.arrivals) == 3, "the same content under a new time is not read again"


def test_a_file_that_still_grows_is_left_until_it_rests(tmp_path: Path) -> None:
    sink, inbox = Recorder(), tmp_path / "inbox"
    source = source_of(inbox, sink)
    path = inbox / "a.csv"
    written(path, "id\na\n")
    source.look()
    with path.open("a") as more:
        more.write("b\n")
    source.look()
    assert not sink.arrivals
    source.look()
    assert ids(sink) == ["a", "b"]


def test_files_that_are_not_finished_by_their_name_are_left(tmp_path: Path) -> None:
    sink, inbox = Recorder(), tmp_path / "inbox"
    source = source_of(inbox, sink)
    for name in (".a.csv", "a.csv.part", "~$a.xlsx"):
        dropped(inbox / name, "id\na\n")
    source.look()
    assert not sink.arrivals


def test_a_file_is_resumed_in_its_middle_after_a_kill(tmp_path: Path) -> None:
    sink, inbox = Recorder(), tmp_path / "inbox"
    source = source_of(inbox, sink)
    rows = 2 * PAGE + 10
    dropped(inbox / "a.csv", "id\n" + "".join(f"{n}\n" for n in range(rows)))
    sink.fail_after = 1
    with pytest.raises(StoreUnavailable):
        source.look()
    sink.fail_after = None
    source_of(inbox, sink).look()
    assert ids(sink) == [str(n) for n in range(rows)]
    assert sink.batches == [PAGE, PAGE, 10]


def test_a_broken_file_is_told_and_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    sink, inbox = Recorder(), tmp_path / "inbox"
    source = source_of(inbox, sink)
    dropped(inbox / "z.xlsx", "not a workbook")
    dropped(inbox / "a.csv", "id\na\n")
    with Running(source):
        eventually(lambda: ids(sink) == ["a"])
        eventually(lambda: any("z.xlsx" in error for error in sink.errors))
        (inbox / "z.xlsx").unlink()
        eventually(lambda: sink.notes[-1][2] is None)


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    sink, inbox = Recorder(), tmp_path / "inbox"
    source = source_of(inbox, sink)
    inbox.rmdir()
    with pytest.raises(SourceError, match="there is no folder"):
        source.look()
