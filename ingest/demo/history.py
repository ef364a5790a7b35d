"""The past the pretend city hands over on its first start: files of JSON lines, the newest days first.

Each file is written under another name and renamed when it is whole, as a careful office would.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

from ingest.demo import apps, people, requests, systems
from ingest.demo.city import City, found
from ingest.demo.days import HOUR
from ingest.demo.opd_database import OpdDatabase
from ingest.demo.state import State
from kpis.config import load

# source name, feed, and how its files begin
FILES = (
    ("inventaris", "application", "aplikasi"),
    ("lapor", "service_request", "lapor"),
    ("sms", "service_request", "sms"),
    ("splp", "sync_run", "splp"),
    ("pemantau", "uptime_check", "pemantau"),
    ("presensi", "attendance", "presensi"),
)
FOLDER = "history"
WHOLE = "history.whole"
_FINE = 3 * HOUR
_OUT_DAYS = 5
_CHECK_DAYS = 6


class History:
    """Writes everything that was until `now` into `folder`."""

    def __init__(self, city: City, folder: Path, now: float) -> None:
        self._city = city
        self._folder = folder
        self._now = now

    def write(self) -> None:
        """All files; returns when the last one stands."""
        self._folder.mkdir(parents=True, exist_ok=True)
        days = self._days()
        self._put("aplikasi.jsonl", apps.inventory(self._city))
        self._requests(days)
        self._sync(days)
        for place, day in enumerate(days):
            start, end = self._span(day)
            if place % _CHECK_DAYS == 0:
                some = days[place : place + _CHECK_DAYS]
                self._put(f"pemantau-{some[-1]}.jsonl", self._checks(self._span(some[-1])[0], end))
            kinds = ("in", "out") if (days[0] - day).days < _OUT_DAYS else ("in",)
            self._put(f"presensi-{day}.jsonl", people.clocks(self._city, day, start, end, kinds))

    def _days(self) -> list[date]:
        """The newest first."""
        last = self._city.days.of(self._now)
        count = self._city.settings.demo.history_days
        return [last - timedelta(days=n) for n in range(count)]

    def _span(self, day: date) -> tuple[float, float]:
        midnight = self._city.days.midnight(day)
        return midnight, min(self._city.days.midnight(day + timedelta(days=1)), self._now)

    def _checks(self, start: float, end: float) -> Iterable[bytes]:
        fine = max(start, self._now - _FINE)
        if fine < end:
            yield from apps.checks(self._city, fine, end, apps.CHECK_S, self._now)
        yield from apps.checks(self._city, start, min(fine, end), apps.ROUGH_S, self._now)

    def _requests(self, days: list[date]) -> None:
        for first in range(0, len(days), 15):
            some = days[first : first + 15]
            lines: dict[str, list[bytes]] = {"lapor": [], "sms": []}
            for request, record in requests.at(self._city, some, self._now):
                lines[request.source].append(record)
            for name, records in lines.items():
                self._put(f"{name}-{some[-1]}.jsonl", records)

    def _sync(self, days: list[date]) -> None:
        for first in range(0, len(days), 15):
            some = days[first : first + 15]
            span = systems.runs(self._city, self._span(some[-1])[0], self._span(some[0])[1], self._now)
            records = [systems.sync_record(record) for link, record in span if not link.by_database]
            self._put(f"splp-{some[-1]}.jsonl", records)

    def _put(self, name: str, lines: Iterable[bytes]) -> None:
        whole = self._folder / name
        if whole.exists():
            return
        part = whole.with_name(name + ".part")
        part.write_bytes(b"".join([line + b"\n" for line in lines]))
        # It will not grow any more: a reader need not wait to see whether it does.
        rested = time.time() - 60
        os.utime(part, (rested, rested))
        part.rename(whole)


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the files and the OPD database's past. What a broken-off start left is gone on with."""
    parser = argparse.ArgumentParser(prog="ingest.demo.history", description="Hand over the city's past.")
    parser.add_argument("--config", required=True, metavar="FILE", help="the demo's own config.toml")
    args = parser.parse_args(argv)
    folder = Path(args.config).absolute().parent
    settings = load(args.config)
    state = State.load(folder)
    city = found(settings, settings.clock.now().date())
    offices = OpdDatabase(folder / "opd.db", city)
    offices.begin(state.began)
    past = timedelta(days=settings.demo.history_days).total_seconds()
    offices.fill(state.began - past, state.began, state.began)
    History(city, folder / FOLDER, state.began).write()
    (folder / WHOLE).touch()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
