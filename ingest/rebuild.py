"""`./run rebuild [--feed NAME] [--check]`: makes the roll-ups again from the facts, or only compares them.

A rebuild holds the feed's lock for its transaction: readers see the old roll-ups until it commits,
writers of that feed wait, nothing is lost.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ingest.pipeline import PAST
from kpis.announce import announce
from kpis.catalogue import FEED_TABLES
from kpis.config import Settings, load
from kpis.errors import PendopoError
from kpis.feeds import FeedTable
from kpis.store import Store, lock, open_store


def rebuild(store: Store, settings: Settings, feeds: Iterable[str] | None = None) -> None:
    """Replaces the roll-ups of the feeds (default all) by what their facts say. Raises StoreUnavailable."""
    for group in _groups(feeds):
        with store.write() as conn:
            _again(conn, settings, group)
            announce(conn, {PAST, *(f.domain.value for f in group if f.domain)})


def differing(store: Store, settings: Settings) -> dict[str, int]:
    """How many cells of each roll-up table differ from a recomputation; the store stays as it is."""
    found: dict[str, int] = {}
    for group in _groups(None):
        with store.write() as conn:
            tables = _rollups(group)
            before = {table.name: _cells(conn, table) for table in tables}
            attempt = conn.begin_nested()
            _again(conn, settings, group)
            for table in tables:
                after = _cells(conn, table)
                found[table.name] = ((before[table.name] - after) + (after - before[table.name])).total()
            attempt.rollback()
    return found


def _groups(feeds: Iterable[str] | None) -> list[list[FeedTable]]:
    """Feeds that fill the same roll-ups belong together: a domain's cells come from several feeds."""
    by_domain: dict[str, list[FeedTable]] = {}
    for feed in FEED_TABLES.values():
        if feed.domain is not None:
            by_domain.setdefault(feed.domain, []).append(feed)
    wanted = None if feeds is None else set(feeds)
    return [
        group
        for group in by_domain.values()
        if any(f.rollups for f in group) and (wanted is None or any(f.feed in wanted for f in group))
    ]


def _rollups(group: list[FeedTable]) -> list[sa.Table]:
    return [table for feed in group for table in feed.rollups]


def _again(conn: Connection, settings: Settings, group: list[FeedTable]) -> None:
    for feed in sorted(group, key=lambda f: f.feed):
        lock(conn, feed.feed)
    for table in _rollups(group):
        conn.execute(table.delete())
    for feed in group:
        feed.add(conn, settings, feed.table)


def _cells(conn: Connection, table: sa.Table) -> Counter[tuple[object, ...]]:
    """The table's rows, without cells that came to hold nothing but zeros."""
    measures = [
        i for i, c in enumerate(table.columns) if not c.primary_key and isinstance(c.type, sa.Integer)
    ]
    rows = (tuple(row) for row in conn.execute(sa.select(table)))
    return Counter(row for row in rows if not measures or any(row[i] for i in measures))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="run rebuild", description="Make the roll-ups again from the facts."
    )
    parser.add_argument(
        "--feed", action="append", choices=sorted(FEED_TABLES), help="only what this feed fills"
    )
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 when a cell differs")
    parser.add_argument("--config", metavar="FILE", help="another config.toml")
    args = parser.parse_args(argv)
    try:
        settings = load(args.config)
        with open_store(settings) as store:
            if not args.check:
                rebuild(store, settings, args.feed)
                return 0
            found = differing(store, settings)
    except PendopoError as error:
        print(error, file=sys.stderr)
        return 2
    for table, cells in sorted(found.items()):
        print(f"{table:20} {cells} cells differ")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
