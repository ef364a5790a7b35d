"""`./run replay [--source NAME]`: gives kept rejects to the pipeline again, after a mapping was mended.

A reject that can be used now is marked as replayed; one that still cannot stays, with its reason of today.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ingest.arrivals import Arrival, Outcome
from ingest.maps import with_shipped
from ingest.pipeline import Pipeline
from kpis.clock import Now
from kpis.config import Settings, load
from kpis.errors import ConfigError, PendopoError
from kpis.sources import reject, source_state
from kpis.store import Store, open_store

_PAGE = 500


def replay(store: Store, settings: Settings, now: Now, source: str | None = None) -> Outcome:
    """Replays the waiting rejects of one source, or of all, oldest first. Raises StoreUnavailable."""
    pipeline = Pipeline(store, settings, now)
    total = Outcome()
    last = 0
    while True:
        rows = _page(store, source, last)
        if not rows:
            return total
        last = rows[-1].id
        total.add(pipeline.retry([_arrival(row, now()) for row in rows], [row.id for row in rows]))


def _arrival(row: Any, at: datetime) -> Arrival:
    return Arrival(row.source, row.config, row.feed, _payload(row), at, row.door, row.place)


def _payload(row: Any) -> bytes | dict[str, Any]:
    """What came in: rows of a database or a spreadsheet were kept as JSON of their columns."""
    if row.door in ("database", "file"):
        try:
            parsed = json.loads(row.raw)
        except ValueError:
            parsed = None
        if isinstance(parsed, dict):
            return parsed
    raw: str = row.raw
    return raw.encode()


def _page(store: Store, source: str | None, after: int) -> Sequence[sa.Row[tuple[object, ...]]]:
    query = sa.select(reject).where(reject.c.replayed_at.is_(None), reject.c.id > after)
    if source is not None:
        query = query.where(reject.c.source == source)
    with store.read() as conn:
        return conn.execute(query.order_by(reject.c.id).limit(_PAGE)).all()


def _check_known(store: Store, source: str) -> None:
    """Raises ConfigError for a name nothing came from: a slip of the pen must not look like no rejects."""
    with store.read() as conn:
        known = set(conn.scalars(sa.select(source_state.c.source)))
        known |= set(conn.scalars(sa.select(reject.c.source).distinct()))
    if source not in known:
        names = ", ".join(sorted(known)) or "none yet"
        raise ConfigError("--source", f"nothing came from {source!r}", f"sources: {names}")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="run replay", description="Give kept rejects to the pipeline again."
    )
    parser.add_argument("--source", metavar="NAME", help="only the rejects of this source")
    parser.add_argument("--config", metavar="FILE", help="another config.toml")
    args = parser.parse_args(argv)
    try:
        settings = with_shipped(load(args.config))
        with open_store(settings) as store:
            if args.source is not None:
                _check_known(store, args.source)
            outcome = replay(store, settings, settings.clock.now, args.source)
    except PendopoError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"accepted {outcome.accepted}, already known {outcome.known}, still rejected {outcome.rejected}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
