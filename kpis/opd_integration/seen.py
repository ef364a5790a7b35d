"""What was seen of each interface: its newest run, its newest good run, how old its data are.

Some interface never succeeded or never says how old its data are, and looking for what is not there
would read its runs back to the first. What stood before a month ago is therefore looked up once and
kept, until a run as old as that comes in (`OLD_RUNS`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from kpis.announce import versions
from kpis.feeds import flag_sum
from kpis.opd_integration.tables import interface_seen as i
from kpis.opd_integration.tables import sync_run as s
from kpis.partitions import first_of, month_of

Key = tuple[str, str, str]

# What the pipeline announces when a run came in that started longer ago than OLD.
OLD_RUNS = "sync_run.old"
OLD = timedelta(days=30)

# A day more, so that two machines need not agree on the moment.
_OLD_US = (OLD + timedelta(days=1)) // timedelta(microseconds=1)
_DAY_US = 86_400_000_000
_MONTHS_KEPT = 3


@dataclass(slots=True)
class Seen:
    """One interface at one moment. `last` and `good` are rows of `sync_run`; of several runs of one
    moment the one that went worst. `data_as_of` is microseconds, as the newest run that told it said."""

    last: Any = None
    good: Any = None
    data_as_of: int | None = None
    runs_24h: int = 0
    ok_24h: int = 0


@dataclass(slots=True)
class _Before:
    """What was seen before the first of some months, as of one version of the old runs."""

    version: int
    by_month: dict[int, dict[Key, Seen]] = field(default_factory=dict)


# By engine: a process has one store, and it goes with its store.
_before: WeakKeyDictionary[Engine, _Before] = WeakKeyDictionary()


def seen(conn: Connection, t: int) -> dict[Key, Seen]:
    """Every interface that ran up to `t`, as it stood then."""
    floor = _first_of_month(t - _OLD_US)
    found = _between(conn, floor, t)
    for key, old in _seen_before(conn, floor).items():
        new = found.setdefault(key, Seen())
        new.last = new.last or old.last
        new.good = new.good or old.good
        new.data_as_of = old.data_as_of if new.data_as_of is None else new.data_as_of
    day = sa.select(s.c.opd, s.c.system, s.c.interface, sa.func.count(), sa.func.sum(flag_sum(s.c.ok)))
    for opd, system, interface, runs, ok in conn.execute(
        day.where(s.c.started_at <= t, s.c.started_at > t - _DAY_US).group_by(
            s.c.opd, s.c.system, s.c.interface
        )
    ):
        found[opd, system, interface].runs_24h = runs
        found[opd, system, interface].ok_24h = ok
    return found


def _first_of_month(us: int) -> int:
    """Partitions begin there, so that no older one is planned for."""
    bound = first_of(month_of(us), s.c.started_at)
    assert isinstance(bound, int)
    return bound


def _seen_before(conn: Connection, floor: int) -> dict[Key, Seen]:
    version = versions(conn).get(OLD_RUNS, 0)
    known = _before.get(conn.engine)
    if known is None or known.version != version:
        known = _before[conn.engine] = _Before(version)
    found = known.by_month.get(floor)
    if found is None:
        found = _between(conn, None, floor - 1)
        # The trends ask for a month that is past as well; more than that is history.
        for month in sorted(known.by_month)[: 1 - _MONTHS_KEPT]:
            known.by_month.pop(month, None)
        known.by_month[floor] = found
    return found


def _between(conn: Connection, low: int | None, high: int) -> dict[Key, Seen]:
    """What was seen from `low` (None: ever since) to `high`; interfaces without a run are left out."""
    looked = sa.select(
        i.c.opd, i.c.system, i.c.interface,
        _newest(low, high, s.c.started_at),
        _newest(low, high, s.c.started_at, s.c.ok.is_(True)),
        _newest(low, high, s.c.data_as_of, s.c.data_as_of.is_not(None)),
    )  # fmt: skip
    found: dict[Key, Seen] = {}
    last: dict[Key, int] = {}
    good: dict[Key, int] = {}
    for opd, system, interface, last_at, good_at, as_of in conn.execute(looked):
        if last_at is None:
            continue
        found[opd, system, interface] = Seen(data_as_of=as_of)
        last[opd, system, interface] = last_at
        if good_at is not None:
            good[opd, system, interface] = good_at
    for place, row in _runs_at(conn, last).items():
        found[place].last = row
    for place, row in _runs_at(conn, good, s.c.ok.is_(True)).items():
        found[place].good = row
    return found


def _newest(
    low: int | None, high: int, column: sa.ColumnElement[int], *where: sa.ColumnElement[bool]
) -> sa.ScalarSelect[int]:
    """`column` of an interface's newest run that meets the conditions, found by its index."""
    same = (s.c.opd == i.c.opd, s.c.system == i.c.system, s.c.interface == i.c.interface)
    newest = sa.select(column).where(*same, s.c.started_at <= high, *where)
    if low is not None:
        newest = newest.where(s.c.started_at >= low)
    return newest.order_by(s.c.started_at.desc()).limit(1).correlate(i).scalar_subquery()


def _runs_at(conn: Connection, moments: dict[Key, int], *where: sa.ColumnElement[bool]) -> dict[Key, Any]:
    """The run each interface started at its moment; of several, the one that went worst."""
    found: dict[Key, Any] = {}
    if not moments:
        return found
    query = sa.select(s).where(s.c.started_at.in_(set(moments.values())), *where)
    for row in conn.execute(query.order_by(s.c.ok.desc(), s.c.source, s.c.id)):
        key = (row.opd, row.system, row.interface)
        if moments.get(key) == row.started_at:
            found[key] = row
    return found
