"""Puts rows of one feed into its facts and roll-ups inside a transaction that somebody else commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ingest.rows import COLUMNS, Row
from kpis.config import Settings
from kpis.feeds import FeedTable
from kpis.store import bulk, insert, lock, stage


@dataclass(slots=True)
class KeptRows:
    """What became of rows, by their place in what was given: `new`, `known`, or in `conflicts`."""

    new: set[int] = field(default_factory=set)
    known: set[int] = field(default_factory=set)
    conflicts: set[int] = field(default_factory=set)


def keep(conn: Connection, settings: Settings, feed: FeedTable, rows: Sequence[Row]) -> KeptRows:
    """Inserts what is new, replaces what is newer, and applies exactly that to the roll-ups.

    The same `(source, id)` again is known when nothing differs; when something does, the newest
    version wins where the feed has versions, else it is a conflict.
    """
    found = KeptRows()
    unique = _once(feed, rows, found)
    lock(conn, feed.feed)
    staged = stage(conn, feed.table)
    bulk(conn, staged, [(place, *rows[place]) for place in unique])
    if feed.newest is not None or not _all_new(conn, feed, staged, len(unique)):
        _set_aside(conn, feed, staged, found)
        _replace(conn, settings, feed, staged)
        conn.execute(_insert_from(conn, feed, staged))
    feed.add(conn, settings, staged)
    found.new = set(range(len(rows))) - found.known - found.conflicts
    return found


def _once(feed: FeedTable, rows: Sequence[Row], found: KeptRows) -> list[int]:
    """The places of the rows that count when one id stands several times in one batch."""
    chosen: dict[tuple[str, str], int] = {}
    version = None if feed.newest is None else COLUMNS[feed.feed].index(feed.newest)
    for place, row in enumerate(rows):
        key = (row[0], row[1])
        other = chosen.get(key)
        if other is None:
            chosen[key] = place
        elif rows[other] == row:
            found.known.add(place)
        elif version is not None and rows[other][version] != row[version]:
            if row[version] > rows[other][version]:
                chosen[key] = place
                # The older version was good, and is history the moment it comes in.
        else:
            found.conflicts.add(place)
    return list(chosen.values())


def _insert_from(conn: Connection, feed: FeedTable, staged: sa.Table) -> Any:
    names = COLUMNS[feed.feed]
    rows = sa.select(*(staged.c[name] for name in names)).where(sa.true())
    return insert(conn, feed.table).from_select(names, rows)


def _all_new(conn: Connection, feed: FeedTable, staged: sa.Table, count: int) -> bool:
    """Tries the usual case, in which nothing was here before; False leaves the facts as they were."""
    attempt = conn.begin_nested()
    done = conn.execute(_insert_from(conn, feed, staged).on_conflict_do_nothing())
    if done.rowcount == count:
        attempt.commit()
        return True
    attempt.rollback()
    return False


def _set_aside(conn: Connection, feed: FeedTable, staged: sa.Table, found: KeptRows) -> None:
    """Takes out of the stage what is already here, older, or in conflict with what is here."""
    fact = feed.table
    same = sa.and_(fact.c.source == staged.c.source, fact.c.id == staged.c.id)
    ignored = {"source", "id"} | ({feed.newest} if feed.newest and not feed.versioned else set())
    differs = sa.or_(
        *(fact.c[n].is_distinct_from(staged.c[n]) for n in COLUMNS[feed.feed] if n not in ignored)
    )
    if feed.newest is None:
        newer: sa.ColumnElement[bool] = sa.false()
        older: sa.ColumnElement[bool] = sa.false()
    else:
        newer = staged.c[feed.newest] > fact.c[feed.newest]
        older = staged.c[feed.newest] < fact.c[feed.newest]
    query = sa.select(
        staged.c.seq,
        sa.case(
            (sa.and_(sa.not_(differs), newer), "again"),
            (sa.not_(differs), "known"),
            (newer, "newer"),
            (older, "known"),
            else_="conflict",
        ),
    ).join(fact, same)
    aside = []
    for place, what in conn.execute(query):
        if what == "newer":
            continue
        if what == "again":
            # No news, but its time goes in: a version between the two must not replace it later.
            found.known.add(place)
            continue
        aside.append({"place": place})
        (found.known if what == "known" else found.conflicts).add(place)
    if aside:
        conn.execute(staged.delete().where(staged.c.seq == sa.bindparam("place")), aside)


def _replace(conn: Connection, settings: Settings, feed: FeedTable, staged: sa.Table) -> None:
    """Takes the versions about to be replaced out of the roll-ups and the facts."""
    if feed.newest is None:
        return
    fact = feed.table
    here: sa.ColumnElement[bool] = sa.exists().where(
        staged.c.source == fact.c.source, staged.c.id == fact.c.id
    )
    if conn.dialect.name == "sqlite":
        # Told through the stage, SQLite looks each one up instead of reading every fact.
        here = sa.tuple_(fact.c.source, fact.c.id).in_(sa.select(staged.c.source, staged.c.id))
    feed.remove(conn, settings, sa.select(fact).where(here).subquery())
    conn.execute(fact.delete().where(here))
