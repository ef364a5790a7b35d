"""Keeps the runs of application checks right, in whatever order the checks arrive.

A run begins at a check whose state differs from the check before it, or that follows a gap of more
than three expected intervals; it lasts to the last check that agrees. Checks of one instant count
as down when any of them is.

A batch is folded by itself first, in the store, into a few stretches. A stretch that meets no run,
or only one that agrees with it, joins its neighbours as a whole. Only where it contradicts a run,
or meets several, its checks are looked at one by one, and a run that a check contradicts is cut at
the checks beside it. What is read and written depends on what came in, not on what is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection

from kpis.app_uptime.fold import Fold, Run
from kpis.config import Settings
from kpis.store import insert


def longest_gap(settings: Settings) -> int:
    """Three expected intervals in microseconds: silence beyond is unobserved."""
    return 3 * (settings.app_uptime.interval // timedelta(microseconds=1))


def stretches(rows: sa.FromClause, gap: int, *where: sa.ColumnElement[bool]) -> sa.Subquery:
    """`app, started_at, last_at, up` (1 or 0) of what `rows` say by themselves: of all the facts of an
    application these are its runs."""
    i = _instants(rows, *where).subquery("instant").c
    seen = sa.select(
        i.app,
        i.at,
        i.up,
        sa.func.lag(i.at).over(partition_by=i.app, order_by=i.at).label("before"),
        sa.func.lag(i.up).over(partition_by=i.app, order_by=i.at).label("was"),
        sa.func.max(i.at).over(partition_by=i.app).label("newest"),
    ).subquery("seen")
    s = seen.c
    begins = sa.or_(s.before.is_(None), s.was != s.up, s.at - s.before > gap)
    begun = sa.select(s.app, s.at, s.up, s.before, s.newest).where(begins).subquery("begun")
    b = begun.c
    ends = sa.func.lead(b.before).over(partition_by=b.app, order_by=b.at)
    return sa.select(
        b.app, b.at.label("started_at"), sa.func.coalesce(ends, b.newest).label("last_at"), b.up
    ).subquery("stretch")


def _instants(rows: sa.FromClause, *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """`app, at, up`: an instant is down when any of its checks is."""
    up = sa.func.min(_flag(rows.c.up)).label("up")
    query = sa.select(rows.c.app, rows.c.observed_at.label("at"), up).where(*where)
    return query.group_by(rows.c.app, rows.c.observed_at)


def apply(conn: Connection, settings: Settings, rows: sa.FromClause, check: sa.Table, run: sa.Table) -> None:
    """Brings the runs up to date with checks that are new in the facts."""
    gap = longest_gap(settings)
    folds: dict[str, Fold] = defaultdict(Fold)
    tangled = _take_stretches(conn, rows, gap, run, folds)
    if tangled:
        _take_checks(conn, rows, check, run, tangled, folds)
    gone: list[tuple[str, int]] = []
    changed: list[tuple[str, int, int, bool]] = []
    for app, fold in folds.items():
        left, came = fold.result(gap)
        gone += [(app, started) for started in left]
        changed += [(app, r.started_at, r.last_at, r.up) for r in came]
    replace(conn, run, gone, changed)


def _take_stretches(
    conn: Connection, rows: sa.FromClause, gap: int, run: sa.Table, folds: dict[str, Fold]
) -> dict[str, list[Run]]:
    """Hands over the stretches that can be taken whole, with the runs beside them; the others come back."""
    tangled: dict[str, list[Run]] = defaultdict(list)
    for app, started, last, up, *beside, is_tangled in conn.execute(_whole(rows, gap, run)):
        came = Run(started, last, bool(up))
        if is_tangled:
            tangled[app].append(came)
            continue
        folds[app].touch(_run(beside[:3]), _run(beside[3:]))
        folds[app].new.append(came)
    return tangled


def _take_checks(
    conn: Connection,
    rows: sa.FromClause,
    check: sa.Table,
    run: sa.Table,
    tangled: dict[str, list[Run]],
    folds: dict[str, Fold],
) -> None:
    """Hands over the checks of the other stretches one by one."""
    found = conn.execute(_one_by_one(rows, check, run), {"apps": list(tangled)})
    for app, at, up, *beside, told, before, after in found:
        if not any(s.started_at <= at <= s.last_at for s in tangled[app]):
            continue
        left, here, right = _run(beside[:3]), _run(beside[3:6]), _run(beside[6:])
        held = here or left
        if held is None or held.last_at < at:
            folds[app].touch(left, right)
            folds[app].new.append(Run(at, at, bool(up)))
        elif told is not None and bool(told) != held.up:
            folds[app].touch(left, here, right)
            folds[app].cut(held, at, before, after)


@lru_cache(maxsize=32)
def _whole(rows: sa.FromClause, gap: int, run: sa.Table) -> sa.Select[Any]:
    """Each stretch with the last run that begins no later than it and the first that begins later.

    It is `tangled` where one of the two contradicts it, or the later one ends inside it: then more of
    them may.
    """
    s = stretches(rows, gap).c
    near = sa.select(
        s.app, s.started_at, s.last_at, s.up,
        _started(run, s.app, sa.func.max, run.c.started_at <= s.started_at).label("held"),
        _started(run, s.app, sa.func.min, run.c.started_at > s.started_at).label("next"),
    ).cte("near").prefix_with("MATERIALIZED", dialect="postgresql")  # fmt: skip
    n = near.c
    held, after = run.alias("held"), run.alias("after")
    tangled = sa.or_(
        sa.and_(held.c.last_at >= n.started_at, _flag(held.c.up) != n.up),
        sa.and_(
            after.c.started_at <= n.last_at, sa.or_(_flag(after.c.up) != n.up, after.c.last_at < n.last_at)
        ),
    )
    return (
        sa.select(
            n.app, n.started_at, n.last_at, n.up,
            *(c.label(f"held_{c.name}") for c in (held.c.started_at, held.c.last_at, held.c.up)),
            *(c.label(f"next_{c.name}") for c in (after.c.started_at, after.c.last_at, after.c.up)),
            sa.func.coalesce(tangled, sa.false()).label("tangled"),
        )
        .select_from(near)
        .outerjoin(held, sa.and_(held.c.app == n.app, held.c.started_at == n.held))
        .outerjoin(after, sa.and_(after.c.app == n.app, after.c.started_at == n.next))
    )  # fmt: skip


@lru_cache(maxsize=32)
def _one_by_one(rows: sa.FromClause, check: sa.Table, run: sa.Table) -> sa.Select[Any]:
    """Each instant of `:apps` with the runs that begin before, at and after it; where it contradicts
    the run it falls into also what all checks of that instant say, and the instants of the checks
    beside it."""
    i = _instants(rows, rows.c.app.in_(sa.bindparam("apps", expanding=True))).subquery("instant").c
    near = sa.select(
        i.app, i.at, i.up,
        _started(run, i.app, sa.func.max, run.c.started_at < i.at).label("previous"),
        _started(run, i.app, sa.func.min, run.c.started_at > i.at).label("next"),
    ).cte("near").prefix_with("MATERIALIZED", dialect="postgresql")  # fmt: skip
    n = near.c
    left, here, right = run.alias("before"), run.alias("here"), run.alias("later")
    against = sa.and_(
        sa.func.coalesce(here.c.last_at, left.c.last_at) >= n.at,
        _flag(sa.func.coalesce(here.c.up, left.c.up)) != n.up,
    )
    mine = check.c.app == n.app

    def ask(what: sa.ColumnElement[Any], when: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
        return sa.case((against, sa.select(what).where(mine, when).correlate(near).scalar_subquery()))

    at = check.c.observed_at
    return (
        sa.select(
            n.app, n.at, n.up,
            left.c.started_at, left.c.last_at, left.c.up,
            here.c.started_at, here.c.last_at, here.c.up,
            right.c.started_at, right.c.last_at, right.c.up,
            ask(sa.func.min(_flag(check.c.up)), at == n.at),
            ask(sa.func.max(at), at < n.at),
            ask(sa.func.min(at), at > n.at),
        )
        .select_from(near)
        .outerjoin(left, sa.and_(left.c.app == n.app, left.c.started_at == n.previous))
        .outerjoin(here, sa.and_(here.c.app == n.app, here.c.started_at == n.at))
        .outerjoin(right, sa.and_(right.c.app == n.app, right.c.started_at == n.next))
    )  # fmt: skip


def _flag(up: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.case((up, 1), else_=0)


def _started(run: sa.Table, app: Any, pick: Any, when: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    return sa.select(pick(run.c.started_at)).where(run.c.app == app, when).scalar_subquery()


def _run(values: Sequence[Any]) -> Run | None:
    started, last, up = values
    return None if started is None else Run(started, last, bool(up))


def replace(
    conn: Connection, run: sa.Table, gone: list[tuple[str, int]], changed: list[tuple[str, int, int, bool]]
) -> None:
    """Takes out the runs `(app, started_at)`, and writes the others over what began when they do."""
    _remove(conn, run, gone)
    _write(conn, run, changed)


def _remove(conn: Connection, run: sa.Table, gone: list[tuple[str, int]]) -> None:
    if not gone:
        return
    if conn.dialect.name == "sqlite":
        where = run.c.app == sa.bindparam("a"), run.c.started_at == sa.bindparam("s")
        conn.execute(run.delete().where(*where), [{"a": app, "s": started} for app, started in gone])
        return
    rows = _unnest(run, ("app", "started_at"), gone)
    same = run.c.app == rows.c.app, run.c.started_at == rows.c.started_at
    conn.execute(run.delete().where(*same))


def _write(conn: Connection, run: sa.Table, changed: list[tuple[str, int, int, bool]]) -> None:
    if not changed:
        return
    names = ("app", "started_at", "last_at", "up")
    statement = insert(conn, run)
    values: list[dict[str, Any]] = []
    if conn.dialect.name == "sqlite":
        values = [dict(zip(names, row, strict=True)) for row in changed]
    else:
        rows = _unnest(run, names, changed)
        statement = statement.from_select(names, sa.select(*(rows.c[name] for name in names)))
    news = {"last_at": statement.excluded.last_at, "up": statement.excluded.up}
    statement = statement.on_conflict_do_update(index_elements=["app", "started_at"], set_=news)
    conn.execute(statement, values or None)


def _unnest(run: sa.Table, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Any:
    """The rows as a table of PostgreSQL's: one statement and one array a column, however many rows."""
    columns = zip(*rows, strict=True)
    arrays = (
        sa.cast(sa.bindparam(name, list(values), type_=ARRAY(run.c[name].type)), ARRAY(run.c[name].type))
        for name, values in zip(names, columns, strict=True)
    )
    return sa.func.unnest(*arrays).table_valued(*names, name="given").render_derived()
