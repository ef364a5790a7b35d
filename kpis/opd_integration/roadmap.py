"""The road map: what was to be done by when, what is done, and OPD connected against dated targets.

Cumulative counts of milestones need those of all years, but only a few years are drawn: what lies
before them is counted by the index alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.days import local_day
from kpis.opd_integration.tables import milestone
from kpis.opd_integration.tables import sync_day as d
from kpis.spans import Span
from kpis.views import ConnectedDay, MilestoneRow, RoadMap, RoadPoint

CONNECT = "connect"
"""The kind of a milestone by which an OPD's systems are to be connected."""
MOST_LATE = 40
_STEP = timedelta(days=7)
_MOST = 3000


def road_map(conn: Connection, settings: Settings, at: datetime, opd: str | None = None) -> RoadMap:
    """The plan from the beginning of last year to the end of next year, for the city or one OPD."""
    today = local_day(at, settings.zone)
    first, last = date(today.year - 1, 1, 1), date(today.year + 1, 12, 31)
    m = milestone.c
    mine = () if opd is None else (m.opd == opd,)
    query = sa.select(milestone).where(m.due_on >= first, m.due_on <= last, *mine).order_by(m.due_on, m.id)
    rows = [_row(row, today) for row in conn.execute(query.limit(_MOST))]
    done_early = sa.func.coalesce(sa.func.sum(sa.case((m.done_on <= today, 1), else_=0)), 0)
    before, kept = conn.execute(sa.select(sa.func.count(), done_early).where(m.due_on < first, *mine)).one()
    late = [row for row in rows if row.done_on is None and row.due_on < today]
    coming = [row for row in rows if row.done_on is None and row.due_on >= today]
    return RoadMap(
        points=_points(rows, today, before, kept),
        total=before + len(rows),
        late=tuple(late[:MOST_LATE]),
        late_count=len(late) + before - kept,
        coming=tuple(coming[:12]),
        budget=sum(row.budget for row in rows),
        budget_due=sum(row.budget for row in rows if row.due_on <= today),
        budget_done=sum(row.budget * row.progress for row in rows),
    )


def _row(row: Any, today: date) -> MilestoneRow:
    # What is said to be done on a day to come is a plan, not a fact.
    done = row.done_on if row.done_on is not None and row.done_on <= today else None
    progress = 1.0 if done else min(max(row.progress or 0.0, 0.0), 1.0)
    return MilestoneRow(
        id=row.id, opd=row.opd, title=row.title, kind=row.kind, programme=row.programme, due_on=row.due_on,
        done_on=done, budget=row.budget or 0.0, progress=progress,
    )  # fmt: skip


def _points(rows: list[MilestoneRow], today: date, before: int, kept: int) -> tuple[RoadPoint, ...]:
    """A point a week and one today, each with what was due and done by the end of that day."""
    if not rows:
        return ()
    due = sorted(row.due_on for row in rows)
    done = sorted(row.done_on for row in rows if row.done_on is not None)
    first, last = min(due[0], *done[:1], today), max(due[-1], today)
    days = {first + _STEP * n for n in range((last - first).days // _STEP.days + 1)} | {today, last}
    return tuple(
        RoadPoint(
            day=day,
            due=before + bisect_right(due, day),
            done=kept + bisect_right(done, day) if day <= today else None,
            budget_due=sum(row.budget for row in rows if row.due_on <= day),
            budget_done=_spent(rows, day) if day <= today else None,
        )
        for day in sorted(days)
    )


def _spent(rows: Iterable[MilestoneRow], day: date) -> float:
    return sum(row.budget for row in rows if row.done_on is not None and row.done_on <= day)


def connected(
    conn: Connection, settings: Settings, at: datetime, span: Span, opd: str | None = None
) -> tuple[ConnectedDay, ...]:
    """How many OPD were connected on days of `span`, every day of a quarter and every week of more.

    An OPD is connected on a day when an interface of its had a good sync in the three expected intervals
    up to that day's end, in whole days: what the day cells can tell. `target` counts the OPD that were
    to be connected by that day, None where no milestone says so.
    """
    back = max(1, -(-3 * settings.opd_integration.interval // timedelta(days=1)))
    step = 1 if span.days <= 100 else 7
    days = [span.last - timedelta(days=n) for n in range(0, span.days, step)][::-1]
    looked = {day - timedelta(days=n) for day in days for n in range(back)}
    seen: dict[str, set[date]] = {}
    for code, day in _good_days(conn, looked, opd):
        seen.setdefault(code, set()).add(day)
    promised = _promised(conn, local_day(at, settings.zone), opd)
    return tuple(
        ConnectedDay(
            day=day,
            connected=sum(
                any(day - timedelta(days=n) in known for n in range(back)) for known in seen.values()
            ),
            target=bisect_right(promised, day) if promised else None,
        )
        for day in days
    )


def _good_days(conn: Connection, days: set[date], opd: str | None) -> list[tuple[str, date]]:
    """`(opd, day)` on which a sync of the OPD was good; the days one after the other in the key's order."""
    found: list[tuple[str, date]] = []
    ordered = sorted(days)
    for start in range(0, len(ordered), 100):
        some = ordered[start : start + 100]
        query = sa.select(d.c.opd, d.c.day).where(d.c.day.in_(some), d.c.ok > 0).distinct()
        if opd is not None:
            query = query.where(d.c.opd == opd)
        found += [(code, day) for code, day in conn.execute(query)]
    return found


def _promised(conn: Connection, today: date, opd: str | None) -> list[date]:
    """The day by which each OPD was first to be connected, in order, by a plan of five years."""
    m = milestone.c
    first = date(today.year - 5, 1, 1)
    query = sa.select(m.opd, m.due_on).where(m.due_on >= first, m.kind == CONNECT).order_by(m.due_on)
    if opd is not None:
        query = query.where(m.opd == opd)
    earliest: dict[str, date] = {}
    for code, due in conn.execute(query.limit(_MOST)):
        earliest.setdefault(code, due)
    return sorted(earliest.values())
