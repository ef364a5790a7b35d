"""The facts of e-attendance, one row per person and day above them, and one cell per OPD and day."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.days import day_off, late_after
from kpis.feeds import FeedTable, event_columns, key_table
from kpis.store import insert, metadata
from kpis.types import Domain

# Approved leave leaves the denominator; the rest of the categories do not (domain.md).
LEAVE = ("izin", "sakit", "cuti")

attendance = sa.Table(
    "attendance",
    metadata,
    *event_columns(),
    sa.Column("opd", sa.Text, nullable=False),
    sa.Column("employee", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("device", sa.Text),
    sa.Column("doubtful", sa.Boolean),
    sa.Column("reason", sa.Text),
    sa.Column("day", sa.Date, nullable=False),
    sa.Index("attendance_on_day", "day", "opd", "at"),
    postgresql_partition_by="RANGE (day)",
)

attendance_key = key_table("attendance")

attendance_day = sa.Table(
    "attendance_day",
    metadata,
    *event_columns(),
    sa.Column("opd", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("employee", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("shift", sa.Text),
    sa.Index("attendance_day_on_day", "day", "opd", "employee"),
    postgresql_partition_by="RANGE (day)",
)

attendance_day_key = key_table("attendance_day")

attendance_person = sa.Table(
    "attendance_person",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("opd", sa.Text, primary_key=True),
    sa.Column("employee", sa.Text, primary_key=True),
    sa.Column("first_in", sa.BigInteger),
    sa.Column("last_out", sa.BigInteger),
)

attendance_cell = sa.Table(
    "attendance_cell",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("opd", sa.Text, primary_key=True),
    sa.Column("present", sa.Integer, nullable=False),
    sa.Column("off_site", sa.Integer, nullable=False),
    sa.Column("on_leave", sa.Integer, nullable=False),
    sa.Column("late", sa.Integer, nullable=False),
    sa.Index("attendance_cell_of_opd", "opd", "day"),
)


def _earlier(old: sa.ColumnElement[Any], new: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    # The stores disagree on MIN of two values with NULL among them, so it is spelled out.
    return sa.case((old.is_(None), new), (new.is_(None), old), (new < old, new), else_=old)


def _later(old: sa.ColumnElement[Any], new: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.case((old.is_(None), new), (new.is_(None), old), (new > old, new), else_=old)


def _add_events(conn: Connection, settings: Settings, rows: sa.FromClause) -> None:
    key = (rows.c.day, rows.c.opd, rows.c.employee)
    first = sa.func.min(sa.case((rows.c.kind == "in", rows.c.at)))
    last = sa.func.max(sa.case((rows.c.kind == "out", rows.c.at)))
    names = ("day", "opd", "employee", "first_in", "last_out")
    query = sa.select(*key, first, last).where(rows.c.day.is_not(None)).group_by(*key)
    statement = insert(conn, attendance_person).from_select(names, query)
    old, new = attendance_person.c, statement.excluded
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["day", "opd", "employee"],
            set_={
                "first_in": _earlier(old.first_in, new.first_in),
                "last_out": _later(old.last_out, new.last_out),
            },
        )
    )
    _recount(conn, settings, rows)


def _recount(conn: Connection, settings: Settings, rows: sa.FromClause) -> None:
    """Counts again the cells of the days and OPD that rows came in for."""
    touched = conn.execute(sa.select(rows.c.day, rows.c.opd).distinct()).all()
    by_day: dict[date, list[str]] = {}
    for day, opd in touched:
        by_day.setdefault(day, []).append(opd)
    for day, opds in by_day.items():
        recount(conn, settings, day, opds)


def recount(conn: Connection, settings: Settings, day: date, opds: list[str]) -> None:
    """Writes the cells of one day anew from its person rows and categories."""
    cells = {
        opd: {"day": day, "opd": opd, "present": 0, "off_site": 0, "on_leave": 0, "late": 0} for opd in opds
    }
    for opd, present, off_site, on_leave, late in conn.execute(day_counts(settings, day, opds)):
        cells[opd] |= {"present": present, "off_site": off_site, "on_leave": on_leave, "late": late}
    statement = insert(conn, attendance_cell)
    changed = {name: statement.excluded[name] for name in ("present", "off_site", "on_leave", "late")}
    conn.execute(
        statement.on_conflict_do_update(index_elements=["day", "opd"], set_=changed), list(cells.values())
    )


def persons(
    settings: Settings, day: date, until: int | None = None, opds: list[str] | None = None
) -> sa.Subquery:
    """One row per OPD and person seen on `day` up to `until`: `opd, employee, first_in, category`.

    Of several categories told of one person the alphabetically last counts: which one is for the
    personnel office to mend, here it only has to come out the same in whatever order they came.
    """
    p, d = attendance_person, attendance_day
    clocked = sa.select(p.c.opd, p.c.employee, p.c.first_in, sa.null().label("category")).where(
        p.c.day == day, p.c.first_in.is_not(None)
    )
    if until is not None:
        clocked = clocked.where(p.c.first_in <= until)
    told = sa.select(
        d.c.opd, d.c.employee, sa.cast(sa.null(), sa.BigInteger).label("first_in"), d.c.category
    ).where(d.c.day == day)
    if opds is not None:
        clocked, told = clocked.where(p.c.opd.in_(opds)), told.where(d.c.opd.in_(opds))
    both = sa.union_all(clocked, told).subquery()
    return (
        sa.select(
            both.c.opd, both.c.employee, sa.func.min(both.c.first_in).label("first_in"),
            sa.func.max(both.c.category).label("category"),
        )
        .group_by(both.c.opd, both.c.employee)
        .subquery()
    )  # fmt: skip


def person_counts(who: sa.Subquery, limit: int) -> tuple[sa.ColumnElement[int], ...]:
    """Sums over `persons`: present, off site, on leave, late. `limit` is the last punctual instant.

    Leave counts before everything else, so nobody is in the numerator and out of the denominator.
    """
    leave = who.c.category.in_(LEAVE)
    at_work = sa.and_(
        sa.or_(who.c.category.is_(None), sa.not_(leave)),
        sa.or_(who.c.first_in.is_not(None), who.c.category == "hadir"),
    )
    away = sa.and_(who.c.category == "dinas_luar", who.c.first_in.is_(None))
    late = sa.and_(at_work, who.c.first_in > limit)

    def count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)

    return count(at_work), count(away), count(leave), count(late)


def day_counts(
    settings: Settings, day: date, opds: list[str] | None, until: int | None = None
) -> sa.Select[Any]:
    """Rows `opd, present, off_site, on_leave, late` of one day."""
    who = persons(settings, day, until, opds)
    limit = late_after(day, settings.e_attendance, settings.zone)
    return sa.select(who.c.opd, *person_counts(who, limit)).group_by(who.c.opd)


def is_worked(day: date, settings: Settings) -> bool:
    return day_off(day, settings.e_attendance) is None


EVENTS = FeedTable(
    feed="attendance",
    table=attendance,
    key=attendance_key,
    by="day",
    domain=Domain.E_ATTENDANCE,
    moment="at",
    add=_add_events,
    rollups=(attendance_person, attendance_cell),
)
CATEGORIES = FeedTable(
    feed="attendance_day",
    table=attendance_day,
    key=attendance_day_key,
    by="day",
    domain=Domain.E_ATTENDANCE,
    moment="day",
    add=_recount,
)
