"""Puts rows of one feed into its facts and roll-ups inside a transaction that somebody else commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from ingest.rows import COLUMNS, Row
from kpis import partitions
from kpis.config import Settings
from kpis.feeds import FeedTable
from kpis.store import bulk, insert, lock, stage

_DAY_US = 86_400_000_000
_PLACES = 10_000  # a statement of SQLite takes 32,766 values


@dataclass(slots=True)
class KeptRows:
    """What became of rows, by their place in what was given: `known`, in `conflicts`, else new."""

    known: set[int] = field(default_factory=set)
    conflicts: set[int] = field(default_factory=set)


def keep(conn: Connection, settings: Settings, feed: FeedTable, rows: Sequence[Row]) -> KeptRows:
    """Inserts what is new, replaces what is newer, and applies exactly that to the roll-ups.

    The same `(source, id)` again is known when nothing differs; when something does, the newest
    version wins where the feed has versions, else it is a conflict.
    """
    found = KeptRows()
    unique = _once(feed, rows, found)
    staged = stage(conn, feed.table)
    bulk(conn, staged, [(place, *rows[place]) for place in unique])
    # Two writers of one feed follow each other from here on; reading and copying they did side by side.
    lock(conn, feed.feed)
    if feed.key is not None:
        _keep_events(conn, feed, staged, [rows[place] for place in unique], found)
    else:
        _keep_things(conn, settings, feed, staged, found)
    feed.add(conn, settings, staged)
    return found


def _once(feed: FeedTable, rows: Sequence[Row], found: KeptRows) -> Sequence[int]:
    """The places of the rows that count when one id stands several times in one batch."""
    if len({(row[0], row[1]) for row in rows}) == len(rows):
        return range(len(rows))
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


def _all_new(conn: Connection, statement: Any) -> bool:
    """Tries the usual case, in which nothing was here before; False leaves the tables as they were.

    An insert that expects conflicts would cost half as much again.
    """
    try:
        with conn.begin_nested():
            conn.execute(statement)
    except IntegrityError:
        return False
    return True


def _aside(conn: Connection, staged: sa.Table, places: Sequence[int]) -> None:
    for start in range(0, len(places), _PLACES):
        conn.execute(staged.delete().where(staged.c.seq.in_(places[start : start + _PLACES])))


# --- events: known by their key, kept under their month ---


def _keep_events(
    conn: Connection, feed: FeedTable, staged: sa.Table, rows: Sequence[Row], found: KeptRows
) -> None:
    assert feed.by is not None
    months = _months(rows, COLUMNS[feed.feed].index(feed.by))
    keys = _insert_keys(conn, feed, staged, months)
    if not _all_new(conn, keys):
        _set_events_aside(conn, feed, staged, months, found)
        conn.execute(keys)
    partitions.ensure(conn, feed.table, feed.by, months)
    conn.execute(_insert_from(conn, feed, staged))


def _months(rows: Sequence[Row], by: int) -> list[int]:
    """The months of the rows, in order."""
    values = {row[by] for row in rows}
    if values and isinstance(next(iter(values)), int):
        values = {value // _DAY_US * _DAY_US for value in values}
    return sorted({partitions.month_of(value) for value in values})


def _insert_keys(conn: Connection, feed: FeedTable, staged: sa.Table, months: list[int]) -> Any:
    assert feed.key is not None
    assert feed.by is not None
    column = feed.table.c[feed.by]
    month: sa.ColumnElement[int] = sa.literal_column(str(months[-1] if months else 0), sa.Integer)
    if len(months) > 1:
        before = [
            (staged.c[feed.by] < partitions.first_of(partitions.following(m), column), sa.literal(m))
            for m in months[:-1]
        ]
        month = sa.case(*before, else_=month)
    rows = sa.select(staged.c.source, staged.c.id, month).where(sa.true())
    return insert(conn, feed.key).from_select(["source", "id", "month"], rows)


def _set_events_aside(
    conn: Connection, feed: FeedTable, staged: sa.Table, months: list[int], found: KeptRows
) -> None:
    """Takes out of the stage what is already here, and what conflicts with what is here."""
    assert feed.key is not None
    assert feed.by is not None
    fact, key, by = feed.table, feed.key, feed.table.c[feed.by]
    same = sa.exists().where(
        by >= partitions.first_of(months[0], by),
        by < partitions.first_of(partitions.following(months[-1]), by),
        *(
            fact.c[n].is_not_distinct_from(staged.c[n]) if fact.c[n].nullable else fact.c[n] == staged.c[n]
            for n in COLUMNS[feed.feed]
        ),
    )
    here = sa.and_(key.c.source == staged.c.source, key.c.id == staged.c.id)
    answers = conn.execute(sa.select(staged.c.seq, same.label("same")).join(key, here)).all()
    for place, is_same in answers:
        (found.known if is_same else found.conflicts).add(place)
    _aside(conn, staged, [place for place, _ in answers])


# --- things: the newest version of each ---


def _keep_things(
    conn: Connection, settings: Settings, feed: FeedTable, staged: sa.Table, found: KeptRows
) -> None:
    rows = _insert_from(conn, feed, staged)
    if feed.newest is None and _all_new(conn, rows):
        return
    _set_things_aside(conn, feed, staged, found)
    _replace(conn, settings, feed, staged)
    conn.execute(rows)


def _set_things_aside(conn: Connection, feed: FeedTable, staged: sa.Table, found: KeptRows) -> None:
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
        aside.append(place)
        (found.known if what == "known" else found.conflicts).add(place)
    _aside(conn, staged, aside)


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
