"""What an OPD promised: its milestones, as they are known, on the city's day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.feeds import flag_sum
from kpis.opd_integration.tables import milestone as m
from kpis.store import maybe_instant
from kpis.views import Milestone, Promise, PromisesView

SOON = timedelta(days=30)
_MOST = 8

_ROW = (m.c.title, m.c.kind, m.c.due_on, m.c.done_on, m.c.progress)


def promises(conn: Connection, opd: str, today: date) -> PromisesView:
    """How many milestones of an OPD stand where, and the ones that matter: those past their day, the
    oldest first, then those to come, then what was done last. What is done after `today` is not done.
    """
    open_ = sa.or_(m.c.done_on.is_(None), m.c.done_on > today)
    late = m.c.done_on > m.c.due_on
    counted = sa.select(
        _sum(sa.and_(open_, m.c.due_on < today)),
        _sum(sa.and_(open_, m.c.due_on >= today, m.c.due_on <= today + SOON)),
        _sum(sa.and_(open_, m.c.due_on > today + SOON)),
        _sum(sa.and_(~open_, late)),
        _sum(sa.and_(~open_, ~late)),
        sa.func.max(m.c.updated_at),
    ).where(m.c.opd == opd)
    *counts, newest = conn.execute(counted).one()
    past = _rows(conn, opd, today, m.c.due_on < today, open_, order=m.c.due_on)
    coming = _rows(conn, opd, today, m.c.due_on >= today, open_, order=m.c.due_on)
    done = _rows(conn, opd, today, m.c.done_on <= today, order=m.c.done_on.desc())
    # What is still to do goes before what was done; of each there is something where there is room.
    rows = [*past[:4], *coming[:4], *done[:2]]
    order = (Promise.OVERDUE, Promise.DUE, Promise.LATER, Promise.DONE_LATE, Promise.DONE)
    return PromisesView(
        counts={state: int(n or 0) for state, n in zip(order, counts, strict=True)},
        rows=tuple(rows[:_MOST]),
        updated_at=maybe_instant(newest),
    )


def _sum(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(flag_sum(condition))


def _rows(
    conn: Connection, opd: str, today: date, *where: sa.ColumnElement[bool], order: Any
) -> list[Milestone]:
    query = sa.select(*_ROW).where(m.c.opd == opd, *where).order_by(order, m.c.source, m.c.id).limit(_MOST)
    return [
        Milestone(
            name=title, kind=kind, due_on=due_on, done_on=done_on, progress=progress,
            state=state_of(due_on, done_on, today),
        )
        for title, kind, due_on, done_on, progress in conn.execute(query)
    ]  # fmt: skip


def state_of(due_on: date, done_on: date | None, today: date) -> Promise:
    """How one milestone stands on a day."""
    if done_on is not None and done_on <= today:
        return Promise.DONE_LATE if done_on > due_on else Promise.DONE
    if due_on < today:
        return Promise.OVERDUE
    return Promise.DUE if due_on <= today + SOON else Promise.LATER
