"""`./run rebuild [--feed NAME] [--check]`: makes the roll-ups right by the facts, or only compares them.

It can run while records come in. What is right is left alone: each slice is compared in a state of its
own without a lock, and only one that differs is made again, in a short transaction under the lock of
its feed. A rebuild that was cut short is run again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from ingest.rollups import AttendanceDays, Interfaces, Runs, Sliced
from ingest.sums import Sums
from kpis.announce import PAST, announce
from kpis.catalogue import FEED_TABLES
from kpis.config import Settings, load
from kpis.errors import PendopoError
from kpis.opd_integration.tables import SYNC_CELLS, sync_run
from kpis.service_requests.tables import REQUEST_CELLS, service_request
from kpis.store import Store, lock, open_store
from kpis.types import Domain

Say = Callable[[str], None]

SUMS = (
    Sums("service_request", Domain.SERVICE_REQUESTS, service_request, REQUEST_CELLS),
    Sums("sync_run", Domain.OPD_INTEGRATION, sync_run, (SYNC_CELLS,)),
)
SLICED: tuple[Sliced, ...] = (Runs(), AttendanceDays(), Interfaces())

# The feeds that roll-ups are made of.
FEEDS = sorted({*(sums.feed for sums in SUMS), *(feed for sliced in SLICED for feed in sliced.feeds)})

_EVERY_S = 5.0


def _quiet(_line: str) -> None:
    """Says nothing."""


def rebuild(
    store: Store, settings: Settings, feeds: Iterable[str] | None = None, say: Say = _quiet
) -> dict[str, int]:
    """Makes the roll-ups of the feeds (default all) what their facts say; the cells mended by table.

    `say` hears how far it is. Raises StoreUnavailable; what was mended until then stays mended.
    """
    wanted = set(FEED_TABLES if feeds is None else feeds)
    found: Counter[str] = Counter()
    for sums in SUMS:
        if sums.feed in wanted:
            found[sums.table.name] = sums.mend(store, settings)
            say(f"{sums.table.name}: {found[sums.table.name]} cells mended")
    for sliced in SLICED:
        if wanted.intersection(sliced.feeds):
            found.update(dict.fromkeys(sliced.tables, 0))
            for part, differing in _compared(store, settings, sliced, say):
                if any(differing.values()):
                    _mend(store, settings, sliced, part)
                    found.update(differing)
            for table in sliced.tables:
                say(f"{table}: {found[table]} cells mended")
    return dict(found)


def differing(
    store: Store, settings: Settings, feeds: Iterable[str] | None = None, say: Say = _quiet
) -> dict[str, int]:
    """How many cells of each roll-up table differ from a recomputation; the store stays as it is."""
    wanted = set(FEED_TABLES if feeds is None else feeds)
    found = Counter({s.table.name: s.differing(store, settings) for s in SUMS if s.feed in wanted})
    for sliced in SLICED:
        if wanted.intersection(sliced.feeds):
            found.update(dict.fromkeys(sliced.tables, 0))
            for _, cells in _compared(store, settings, sliced, say):
                found.update(cells)
    return dict(found)


def _compared(
    store: Store, settings: Settings, sliced: Sliced, say: Say
) -> Iterator[tuple[object, dict[str, int]]]:
    """Each slice with how many of its cells differ, by table."""
    with store.read() as conn:
        parts = sliced.slices(conn, settings)
    said = time.monotonic()
    for place, part in enumerate(parts):
        with store.read() as conn:
            differing = sliced.differing(conn, settings, part)
        yield part, differing
        if time.monotonic() - said > _EVERY_S:
            said = time.monotonic()
            say(f"{sliced.tables[0]}: {place + 1} of {len(parts)}")


def _mend(store: Store, settings: Settings, sliced: Sliced, part: object) -> None:
    with store.write() as conn:
        for feed in sliced.feeds:
            lock(conn, feed)
        sliced.mend(conn, settings, part)
        announce(conn, {PAST, sliced.domain.value})


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="run rebuild", description="Make the roll-ups right by the facts, while records come in."
    )
    parser.add_argument("--feed", action="append", choices=FEEDS, help="only what this feed fills")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 when a cell differs")
    parser.add_argument("--config", metavar="FILE", help="another config.toml")
    args = parser.parse_args(argv)
    say = partial(print, flush=True)
    try:
        settings = load(args.config)
        with open_store(settings) as store:
            if not args.check:
                rebuild(store, settings, args.feed, say)
                return 0
            found = differing(store, settings, args.feed, say)
    except PendopoError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped: what was mended stays; run it again for the rest", file=sys.stderr)
        return 130
    for table, cells in sorted(found.items()):
        print(f"{table:20} {cells} cells differ")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
