"""`./run import FEED FILE [--map NAME]`: takes a file in and says what became of each line.

The same file again changes nothing. Ids are unique within a source, so files of two systems need
two `--source` names; a map's name is its source unless another is given.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from ingest.arrivals import Arrival, Outcome
from ingest.maps import with_shipped
from ingest.pipeline import Pipeline
from ingest.sources.reading_files import Labels, kind_of, read_file
from ingest.sources.sink import Sink
from kpis.config import FEEDS, Settings, load
from kpis.errors import ConfigError, PendopoError, SourceError
from kpis.store import open_store

_SHOWN = 50
_DEFAULT_SOURCE = "import"


@dataclass(slots=True)
class Report:
    """What became of a file: three counts, the reasons, and the first rejects by their place."""

    accepted: int = 0
    known: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    rejects: list[str] = field(default_factory=list)

    def add(self, arrivals: Sequence[Arrival], outcome: Outcome) -> None:
        self.accepted += outcome.accepted
        self.known += outcome.known
        self.rejected += outcome.rejected
        for refusal in outcome.refusals:
            reason = f"{refusal.reason}: {refusal.field}" if refusal.field else refusal.reason
            self.reasons[reason] += 1
            if len(self.rejects) < _SHOWN:
                detail = f" ({refusal.detail})" if refusal.detail else ""
                self.rejects.append(f"{arrivals[refusal.index].place}  {reason}{detail}")

    def write(self, out: TextIO) -> None:
        print(f"accepted {self.accepted}", file=out)
        print(f"already known {self.known}", file=out)
        print(f"rejected {self.rejected}", file=out)
        for reason, count in self.reasons.most_common():
            print(f"  {count} × {reason}", file=out)
        for line in self.rejects:
            print(line, file=out)
        if self.rejected > len(self.rejects):
            print(f"... and {self.rejected - len(self.rejects)} more, on the sources page", file=out)


def take_file(sink: Sink, path: Path, labels: Labels) -> Report:
    """Gives the whole file to the pipeline, a page at a time. Raises SourceError, StoreUnavailable."""
    report = Report()
    for page in read_file(path, labels):
        report.add(page.arrivals, sink.take(page.arrivals))
    return report


def _config_of(settings: Settings, map_name: str | None, feed: str) -> str | None:
    """The name under which the pipeline finds the mapping; None without one."""
    if map_name is None:
        return None
    named = {source.name: source for source in settings.sources}
    if map_name not in named:
        maps = ", ".join(sorted(name for name, source in named.items() if source.mapping))
        raise ConfigError("--map", f"there is no source or map called {map_name!r}", f"use one of: {maps}")
    source = named[map_name]
    if source.feed not in (None, feed):
        raise ConfigError("--map", f"{map_name!r} makes {source.feed} records", f"import it as {source.feed}")
    return map_name


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run import", description="Take a CSV, XLSX or JSON lines file in.")
    parser.add_argument("feed", choices=FEEDS, metavar="FEED", help=", ".join(FEEDS))
    parser.add_argument("file", type=Path, metavar="FILE", help="a .csv, .xlsx or .jsonl, also with .gz")
    parser.add_argument("--map", metavar="NAME", help="read it as this source of config.toml, or shipped map")
    parser.add_argument("--source", metavar="NAME", help="whose records they are; ids are unique within it")
    parser.add_argument("--config", metavar="FILE", help="another config.toml")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the file was read, with rejects or without; 2 when it could not be."""
    args = _arguments(argv)
    try:
        settings = with_shipped(load(args.config))
        config = _config_of(settings, args.map, args.feed)
        if not args.file.is_file():
            raise SourceError(f"{args.file}: there is no such file")
        kind_of(args.file)
        labels = Labels(
            args.source or config or _DEFAULT_SOURCE, config or _DEFAULT_SOURCE, args.feed, settings.clock.now
        )
        with open_store(settings) as store:
            report = take_file(Pipeline(store, settings, settings.clock.now), args.file, labels)
    except PendopoError as error:
        print(" ".join(str(error).split()), file=sys.stderr)  # a library may have said it in several lines
        return 2
    report.write(sys.stdout)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
