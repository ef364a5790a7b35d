"""Keeps the runs of application checks right, in whatever order the checks arrive.

A run begins at a check whose state differs from the check before it, or that follows a gap of more
than three expected intervals; it lasts to the last check that agrees. Checks of one instant count
as down when any of them is. Only the stretch between the neighbours of what came in is folded
again, so a check in its turn costs one look at the last run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.store import insert

_APPS = 500
_REBUILD_APPS = 10


@dataclass(slots=True)
class Run:
    """One stretch of one application: microseconds, `last_at` included."""

    started_at: int
    last_at: int
    up: bool


def fold(checks: Iterable[tuple[int, bool]], gap: int, run: Run | None = None) -> list[Run]:
    """Runs of checks sorted by instant, one per instant, going on from `run`, which is changed.

    `gap` is the longest silence in microseconds that a run survives. The first of the result is
    `run` itself when one was given.
    """
    runs = [run] if run is not None else []
    for at, up in checks:
        if run is not None and run.up == up and at - run.last_at <= gap:
            run.last_at = at
        else:
            run = Run(at, at, up)
            runs.append(run)
    return runs


def one_per_instant(checks: Iterable[tuple[int, bool]]) -> list[tuple[int, bool]]:
    """Sorted by instant; an instant is down when any of its checks is."""
    states: dict[int, bool] = {}
    for at, up in checks:
        states[at] = states.get(at, True) and bool(up)
    return sorted(states.items())


def longest_gap(settings: Settings) -> int:
    """Three expected intervals in microseconds: silence beyond is unobserved."""
    return 3 * (settings.app_uptime.interval // timedelta(microseconds=1))


def apply(conn: Connection, settings: Settings, rows: sa.FromClause, check: sa.Table, run: sa.Table) -> None:
    """Brings the runs up to date with checks that are new in the facts."""
    apps = list(conn.execute(sa.select(rows.c.app).distinct().order_by(rows.c.app)).scalars())
    # A rebuild hands over every fact there is: few applications at a time keep memory bounded.
    most = _REBUILD_APPS if rows is check else _APPS
    for start in range(0, len(apps), most):
        _apply(conn, longest_gap(settings), rows, apps[start : start + most], check, run)


def _apply(
    conn: Connection, gap: int, rows: sa.FromClause, apps: list[str], check: sa.Table, run: sa.Table
) -> None:
    arrived: dict[str, list[tuple[int, bool]]] = defaultdict(list)
    query = sa.select(rows.c.app, rows.c.observed_at, rows.c.up).where(rows.c.app.in_(apps))
    for app, at, up in conn.execute(query):
        arrived[app].append((at, up))
    last = _last_runs(conn, run, apps)
    keeper = _Keeper(conn, check, run, gap)
    for app, checks in arrived.items():
        ordered = one_per_instant(checks)
        newest = last.get(app)
        if newest is None or newest.last_at < ordered[0][0]:
            keeper.keep(app, fold(ordered, gap, newest))
        else:
            keeper.refold(app, ordered[0][0], ordered[-1][0])
    keeper.write()


def _last_runs(conn: Connection, run: sa.Table, apps: list[str]) -> dict[str, Run]:
    """The newest run of each application, looked up one by one in the index."""
    wanted = sa.values(sa.column("app", sa.Text), name="wanted").data([(app,) for app in apps]).cte("wanted")
    other = run.alias("other")
    newest = sa.select(sa.func.max(other.c.started_at)).where(other.c.app == wanted.c.app)
    same = sa.and_(run.c.app == wanted.c.app, run.c.started_at == newest.correlate(wanted).scalar_subquery())
    query = (
        sa.select(run.c.app, run.c.started_at, run.c.last_at, run.c.up).select_from(wanted).join(run, same)
    )
    return {app: Run(began, ended, bool(up)) for app, began, ended, up in conn.execute(query)}


class _Keeper:
    """Collects changed runs of one batch and writes them in one statement."""

    def __init__(self, conn: Connection, check: sa.Table, run: sa.Table, gap: int) -> None:
        self._conn = conn
        self._check = check
        self._run = run
        self._gap = gap
        self._changed: list[dict[str, Any]] = []

    def keep(self, app: str, runs: Iterable[Run]) -> None:
        self._changed += [
            {"app": app, "started_at": r.started_at, "last_at": r.last_at, "up": r.up} for r in runs
        ]

    def refold(self, app: str, first: int, last: int) -> None:
        """Folds again from the check before `first` to the check after `last`."""
        run, check = self._run, self._check
        before = self._one_run(run.c.app == app, run.c.started_at < first, newest=True)
        after = self._conn.execute(
            sa.select(sa.func.min(check.c.observed_at)).where(check.c.app == app, check.c.observed_at > last)
        ).scalar()
        tail = (
            None if after is None else self._one_run(run.c.app == app, run.c.started_at <= after, newest=True)
        )
        low = first
        if before is not None:
            last_before = self._conn.execute(
                sa.select(sa.func.max(check.c.observed_at)).where(
                    check.c.app == app, check.c.observed_at < first
                )
            ).scalar()
            # Its checks may be too old to be kept; then it held until the first that is.
            before.last_at = min(before.last_at, first - 1) if last_before is None else last_before
            low = before.last_at + 1
        high = last if after is None else after
        rows = self._conn.execute(
            sa.select(check.c.observed_at, check.c.up).where(
                check.c.app == app, check.c.observed_at >= low, check.c.observed_at <= high
            )
        )
        ordered = one_per_instant((at, up) for at, up in rows)
        runs = fold(ordered, self._gap, before)
        if tail is not None and tail.last_at > runs[-1].last_at:
            # What follows the check after the last new one agreed with it already.
            runs[-1].last_at = tail.last_at
        self._conn.execute(
            run.delete().where(run.c.app == app, run.c.started_at >= low, run.c.started_at <= high)
        )
        self.keep(app, runs)

    def _one_run(self, *where: sa.ColumnElement[bool], newest: bool) -> Run | None:
        run = self._run
        order = run.c.started_at.desc() if newest else run.c.started_at
        row = self._conn.execute(
            sa.select(run.c.started_at, run.c.last_at, run.c.up).where(*where).order_by(order).limit(1)
        ).first()
        return None if row is None else Run(row.started_at, row.last_at, bool(row.up))

    def write(self) -> None:
        if not self._changed:
            return
        statement = insert(self._conn, self._run)
        self._conn.execute(
            statement.on_conflict_do_update(
                index_elements=["app", "started_at"],
                set_={"last_at": statement.excluded.last_at, "up": statement.excluded.up},
            ),
            self._changed,
        )
