"""CSV, XLSX and JSON lines, optionally gzipped, as pages of arrivals with the place of each.

JSON lines go through as they are, one arrival a line. A row of a table is a mapping from heading to
value; an empty cell is a missing key. Raises SourceError for a file that cannot be read.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec

from ingest.arrivals import Arrival
from kpis.clock import Now
from kpis.errors import SourceError

PAGE = 5_000
_MAX_LINE = 16 * 1024 * 1024
_SEPARATORS = ",;\t|"
TABLES = (".csv", ".tsv", ".xlsx")
LINES = (".jsonl", ".ndjson", ".json")

_Payload = bytes | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Labels:
    """What every arrival of one file says of itself."""

    source: str
    config: str
    feed: str | None
    now: Now

    def arrival(self, payload: _Payload, place: str) -> Arrival:
        return Arrival(self.source, self.config, self.feed, payload, self.now(), "file", place)


class Page(NamedTuple):
    """Some arrivals, and the line of the last one; `last` when the file ends with them."""

    arrivals: Sequence[Arrival]
    line: int
    last: bool


def read_file(path: Path, labels: Labels, *, after: int = 0, page: int = PAGE) -> Iterator[Page]:
    """Pages of the file's arrivals, from the first one after line `after`. A file without any has no page."""
    place = f"{path.parent.name}/{path.name}" if path.parent.name else path.name
    held: list[Arrival] = []
    line = after
    try:
        for number, payload in _rows(path):
            if number <= after:
                continue
            if len(held) == page:
                yield Page(held, line, False)
                held = []
            line = number
            held.append(labels.arrival(payload, f"{place}:{number}"))
    except (OSError, EOFError, zlib.error, csv.Error, zipfile.BadZipFile, KeyError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise SourceError(f"{place}: cannot be read after line {line}: {reason}") from error
    if held:
        yield Page(held, line, True)


def _rows(path: Path) -> Iterator[tuple[int, _Payload]]:
    kind = kind_of(path)
    if kind == ".xlsx":
        yield from _xlsx_rows(path)
        return
    with _opened(path) as stream:
        if kind in (".csv", ".tsv"):
            yield from _csv_rows(stream)
        elif kind == ".json" and _is_array(stream):
            yield from _array_items(stream)
        else:
            yield from _json_lines(stream)


def kind_of(path: Path) -> str:
    """The ending that says how a file is read. Raises SourceError for one that cannot be."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    if not suffixes or suffixes[-1] not in TABLES + LINES:
        kinds = ", ".join(TABLES + LINES)
        raise SourceError(f"{path.name}: not a kind of file that is read; use {kinds}, also with .gz")
    return suffixes[-1]


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


# --- JSON ---


def _json_lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := stream.readline(_MAX_LINE):
        number += 1
        rest = line
        while len(rest) == _MAX_LINE and not rest.endswith(b"\n"):
            rest = stream.readline(_MAX_LINE)  # the beginning of an endless line is kept, as a reject
        line = line.strip().removeprefix(b"\xef\xbb\xbf")
        if line:
            yield number, line


def _is_array(stream: IO[bytes]) -> bool:
    head = stream.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    stream.seek(0)
    return head.startswith(b"[")


def _array_items(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The elements of one JSON array, numbered from 1, each as it was written."""
    items = msgspec.json.decode(stream.read().removeprefix(b"\xef\xbb\xbf"), type=list[msgspec.Raw])
    for number, item in enumerate(items, 1):
        yield number, bytes(item)


# --- tables ---


def _csv_rows(stream: IO[bytes]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    csv.field_size_limit(_MAX_LINE)
    encoding = "utf-16" if stream.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    stream.seek(0)
    # Bytes that are not UTF-8 are kept and read as a Windows export, cell by cell.
    text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")
    first = text.readline()
    separator = max(_SEPARATORS, key=first.count)
    headings = _headings(next(csv.reader([first], delimiter=separator), []))
    number = 1
    for lines in _csv_records(text, separator):
        number += 1
        row = [_windows(cell) for cell in next(csv.reader(lines, delimiter=separator), [])]
        if not _quotes_pair(lines, separator):
            yield number, {"problem": "a quotation mark stands alone", "line": row}
        elif any(cell.strip() for cell in row):
            yield number, _row(headings, row)
        number += len(lines) - 1


def _csv_records(text: Iterable[str], separator: str) -> Iterator[list[str]]:
    """The lines of each record. A quotation mark that stands alone costs its own line, not those after it."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in text:
            taken.append(line)
            yield line

    for _ in csv.reader(lines(), delimiter=separator):
        if len(taken) == 1 or _quotes_pair(taken, separator):
            yield list(taken)
        else:
            yield from ([line] for line in taken)
        taken.clear()


def _quotes_pair(lines: list[str], separator: str) -> bool:
    """Whether every quotation mark that opens a cell is closed at a cell's end (RFC 4180, section 2)."""
    if len(lines) == 1 and lines[0].count('"') % 2 == 0:
        return True
    try:
        list(csv.reader(lines, delimiter=separator, strict=True))
    except csv.Error:
        return False
    return True


def _windows(cell: str) -> str:
    try:
        cell.encode()
    except UnicodeEncodeError:
        return cell.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return cell


def _xlsx_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    import openpyxl  # only XLSX needs it, and it is slow to load

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        headings: list[str] | None = None
        for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            row = [_whole(cell) for cell in cells]
            if all(cell is None or cell == "" for cell in row):
                continue
            if headings is None:
                headings = _headings([str(cell or "") for cell in row])
            else:
                yield number, _row(headings, row)
    finally:
        book.close()


def _whole(cell: Any) -> Any:
    """A spreadsheet knows no whole numbers: 17.0 is 17."""
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def _headings(cells: Sequence[str]) -> list[str]:
    """The headings, trimmed; a second one of the same name is `name (2)`."""
    found: list[str] = []
    for cell in cells:
        name, count = cell.strip(), 2
        while name and name in found:
            name, count = f"{cell.strip()} ({count})", count + 1
        found.append(name)
    while found and not found[-1]:
        found.pop()
    if not found:
        raise ValueError("the first line has no headings")
    return found


def _row(headings: Sequence[str], cells: Sequence[Any]) -> Mapping[str, Any]:
    if any(cell not in (None, "") for cell in cells[len(headings) :]):
        # Which cell belongs to which heading is a guess now: a clerk has to see the line.
        return {"problem": f"{len(cells)} cells under {len(headings)} headings", "line": list(cells)}
    return {
        heading: cell
        for heading, cell in zip(headings, cells, strict=False)
        if heading and cell is not None and not (isinstance(cell, str) and not cell.strip())
    }
