"""A folder where files are dropped: each is taken once, a page of lines and its position together.

A file is known by its name and its content. The same content again is not read again; a file whose
content changed is, and its records are told apart by their ids. A file that still grows is left
until it rests.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from ingest.arrivals import Position
from ingest.sources.reading_files import Labels, read_file
from ingest.sources.sink import Backoff, Health, Sink
from kpis.clock import Now
from kpis.config import SourceSettings
from kpis.errors import SourceError, StoreUnavailable

log = logging.getLogger(__name__)

DOOR = "file"
_UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart")
_Look = tuple[int, int]  # size, mtime in ns


@dataclass(frozen=True, slots=True)
class _Known:
    """How far one content of a file was taken."""

    digest: str
    line: int
    done: bool

    def position(self, source: str) -> Position:
        return Position(source, json.dumps({"digest": self.digest, "line": self.line, "done": self.done}))


class FileSource:
    """One `[[source]]` of type file."""

    def __init__(self, source: SourceSettings, sink: Sink, now: Now) -> None:
        assert source.folder is not None, "the configuration gives every file source one"
        self.name = source.name
        self._source = source
        self._folder: Path = source.folder
        self._sink = sink
        self._labels = Labels(source.name, source.name, source.feed, now)
        self._health = Health(sink, source.name, DOOR)
        self._seen: dict[str, _Look] = {}
        self._done: dict[str, _Look] = {}

    def run(self, stop: threading.Event) -> None:
        backoff = Backoff()
        while not stop.is_set():
            try:
                self.look(stop)
            except SourceError as error:
                self._health.ill(str(error))
            except StoreUnavailable as error:
                # The files stay where they are: go on after the last committed page.
                log.info("%s: %s", self.name, error)
                backoff.wait(stop)
                continue
            else:
                self._health.well()
                backoff.reset()
            stop.wait(self._source.every.total_seconds())

    def look(self, stop: threading.Event | None = None) -> None:
        """Takes every file that rests, the newest name first. A file that cannot be read does not keep
        the others waiting; SourceError says which it was, at the end.
        """
        problem: SourceError | None = None
        files = self._files()
        there = {path.name for path in files}
        for looks in (self._seen, self._done):
            for name in looks.keys() - there:
                del looks[name]
        for path in files:
            if stop is not None and stop.is_set():
                return
            try:
                look = _look(path)
                if self._done.get(path.name) == look or not self._rests(path, look):
                    continue
                if self._take(path, stop):
                    self._done[path.name] = look
            except FileNotFoundError:
                continue  # moved away between the listing and the reading
            except SourceError as error:
                problem = problem or error
        if problem is not None:
            raise problem

    def _files(self) -> list[Path]:
        try:
            found = [path for path in self._folder.glob(self._source.pattern) if path.is_file()]
        except OSError as error:
            raise SourceError(f"{self.name}: {self._folder}: {error.strerror}") from error
        if not found and not self._folder.is_dir():
            raise SourceError(f"{self.name}: there is no folder {self._folder}; make it, or name another")
        whole = [p for p in found if not p.name.startswith((".", "~$")) and not p.name.endswith(_UNFINISHED)]
        return sorted(whole, key=lambda path: path.name, reverse=True)

    def _rests(self, path: Path, look: _Look) -> bool:
        """Unchanged since the last look, or for as long as one look is from the next."""
        before, self._seen[path.name] = self._seen.get(path.name), look
        quiet = time.time() - look[1] / 1e9
        return before == look or quiet > max(self._source.every.total_seconds(), 2.0)

    def _take(self, path: Path, stop: threading.Event | None) -> bool:
        """True when the file is taken to its end."""
        key = f"{self.name}/{path.name}"
        digest = _digest(path)
        known = _decode(self._sink.position(key))
        if known is None or known.digest != digest:
            known = _Known(digest, 0, False)
        if known.done:
            return True
        for page in read_file(path, self._labels, after=known.line):
            outcome = self._sink.take(page.arrivals, _Known(digest, page.line, page.last).position(key))
            log.info(
                "%s: %s to line %d: %d accepted, %d known, %d rejected",
                self.name, path.name, page.line, outcome.accepted, outcome.known, outcome.rejected,
            )  # fmt: skip
            if stop is not None and stop.is_set():
                return page.last
        return True


def _look(path: Path) -> _Look:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _digest(path: Path) -> str:
    digest = blake2b(digest_size=16)
    try:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except PermissionError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
    return digest.hexdigest()


def _decode(position: str | None) -> _Known | None:
    if not position:
        return None
    found = json.loads(position)
    return _Known(found["digest"], found["line"], found["done"])
