"""The facts of e-attendance, one row per person and day above them, and one cell per OPD and day."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.days import day_off, late_after
from kpis.feeds import FeedTable, event_columns, key_table
from kpis.store import insert, lock, metadata
from kpis.types import Domain

# Approved leave leaves the denominator; the rest of the categories do not (domain.md).
LEAVE = ("izin", "sakit", "cuti")

_COUNTED = ("present", "off_site", "on_leave", "late")

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
    # The other feed counts the same cells. Whoever holds both locks took them in this order.
    lock(conn, attendance_day.name)
    if days := _days(conn, rows):
        _move_cells(conn, settings, rows, days)
        _add_persons(conn, rows)


def _add_persons(conn: Connection, rows: sa.FromClause) -> None:
    names = ("day", "opd", "employee", "first_in", "last_out")
    statement = insert(conn, attendance_person).from_select(names, _clocked(rows))
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


def _clocked(rows: sa.FromClause) -> sa.Select[Any]:
    """The person rows that clock events make: `day, opd, employee, first_in, last_out`."""
    key = (rows.c.day, rows.c.opd, rows.c.employee)
    first = sa.func.min(sa.case((rows.c.kind == "in", rows.c.at))).label("first_in")
    last = sa.func.max(sa.case((rows.c.kind == "out", rows.c.at))).label("last_out")
    return sa.select(*key, first, last).where(rows.c.day.is_not(None)).group_by(*key)


def _move_cells(conn: Connection, settings: Settings, rows: sa.FromClause, days: list[date]) -> None:
    """Moves the cells by what the persons that events came in for count after them, less what before."""
    came, p, d = _clocked(rows).subquery("came"), attendance_person, attendance_day
    key = (came.c.day, came.c.opd, came.c.employee)
    category = sa.func.max(d.c.category).label("category")
    before = (
        sa.select(*key, p.c.first_in, came.c.first_in.label("came_in"), category)
        .select_from(came)
        .outerjoin(p, sa.and_(*_same(p, came)))
        # Named, the days keep PostgreSQL to the partitions of their months.
        .outerjoin(d, sa.and_(*_same(d, came), d.c.day.in_(days)))
        .group_by(*key, p.c.first_in, came.c.first_in)
        .subquery("was")
    )
    b, limit = before.c, _limits(settings, days, before.c.day)
    now = _counts(b.category, _earlier(b.first_in, b.came_in), limit)
    then = _counts(b.category, b.first_in, limit)
    moved = (new - old for new, old in zip(now, then, strict=True))
    query = sa.select(b.day, b.opd, *moved).group_by(b.day, b.opd)
    statement = insert(conn, attendance_cell).from_select(("day", "opd", *_COUNTED), query)
    sums = {name: attendance_cell.c[name] + statement.excluded[name] for name in _COUNTED}
    conn.execute(statement.on_conflict_do_update(index_elements=["day", "opd"], set_=sums))


def _same(table: sa.Table, came: sa.FromClause) -> tuple[sa.ColumnElement[bool], ...]:
    return tuple(table.c[name] == came.c[name] for name in ("day", "opd", "employee"))


def _days(conn: Connection, rows: sa.FromClause) -> list[date]:
    return list(conn.scalars(sa.select(rows.c.day).distinct().where(rows.c.day.is_not(None))))


def _limits(settings: Settings, days: list[date], day: sa.ColumnElement[date]) -> sa.ColumnElement[int]:
    """The last punctual instant of each of the days."""
    by_day = {d: late_after(d, settings.e_attendance, settings.zone) for d in days}
    return sa.cast(sa.case(by_day, value=day), sa.BigInteger)


def _recount(conn: Connection, settings: Settings, rows: sa.FromClause) -> None:
    """Counts the cells again that categories came in for: few records a day, and all of an OPD at once."""
    days = _days(conn, rows)
    if not days:
        return
    touched = sa.select(rows.c.day, rows.c.opd).distinct().where(rows.c.day.is_not(None)).subquery("touched")
    p, d = attendance_person, attendance_day

    def of(table: sa.Table, first_in: Any, category: Any) -> sa.Select[Any]:
        mine = sa.and_(table.c.day == touched.c.day, table.c.opd == touched.c.opd, table.c.day.in_(days))
        columns = (table.c.employee, first_in.label("first_in"), category.label("category"))
        return sa.select(touched.c.day, touched.c.opd, *columns).join(table, mine)

    clocked = of(p, p.c.first_in, sa.cast(sa.null(), sa.Text)).where(p.c.first_in.is_not(None))
    told = of(d, sa.cast(sa.null(), sa.BigInteger), d.c.category)
    who = _merged(sa.union_all(clocked, told).subquery("both"), "day", "opd", "employee")
    counts = person_counts(who, _limits(settings, days, who.c.day))
    query = sa.select(who.c.day, who.c.opd, *counts).group_by(who.c.day, who.c.opd)
    statement = insert(conn, attendance_cell).from_select(("day", "opd", *_COUNTED), query)
    changed = {name: statement.excluded[name] for name in _COUNTED}
    conn.execute(statement.on_conflict_do_update(index_elements=["day", "opd"], set_=changed))


def _merged(both: sa.Subquery, *key: str) -> sa.Subquery:
    """One row per person; of several categories the alphabetically last counts: which one is right is for
    the personnel office to mend, here it only has to come out the same in whatever order they came."""
    columns = [both.c[name] for name in key]
    first = sa.func.min(both.c.first_in).label("first_in")
    category = sa.func.max(both.c.category).label("category")
    return sa.select(*columns, first, category).group_by(*columns).subquery("who")


def persons(
    settings: Settings, day: date, until: int | None = None, opds: list[str] | None = None
) -> sa.Subquery:
    """One row per OPD and person seen on `day` up to `until`: `opd, employee, first_in, category`."""
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
    return _merged(sa.union_all(clocked, told).subquery(), "opd", "employee")


def person_counts(who: sa.Subquery, limit: int | sa.ColumnElement[int]) -> tuple[sa.ColumnElement[int], ...]:
    """Sums over `persons`: present, off site, on leave, late. `limit` is the last punctual instant."""
    return _counts(who.c.category, who.c.first_in, limit)


def _counts(
    category: sa.ColumnElement[Any], first_in: sa.ColumnElement[Any], limit: int | sa.ColumnElement[int]
) -> tuple[sa.ColumnElement[int], ...]:
    # Leave counts before everything else, so nobody is in the numerator and out of the denominator.
    leave = category.in_(LEAVE)
    at_work = sa.and_(
        sa.or_(category.is_(None), sa.not_(leave)), sa.or_(first_in.is_not(None), category == "hadir")
    )
    away = sa.and_(category == "dinas_luar", first_in.is_(None))
    late = sa.and_(at_work, first_in > limit)

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


def day_persons(day: date) -> sa.Select[Any]:
    """The rows of `attendance_person` on one day, from the facts alone."""
    return _clocked(sa.select(attendance).where(attendance.c.day == day).subquery("events"))


def day_cells(settings: Settings, day: date) -> sa.Select[Any]:
    """The rows of `attendance_cell` on one day, from the facts alone: one for each OPD told of."""
    p, d = day_persons(day).subquery("persons").c, attendance_day.c
    clocked = sa.select(p.opd, p.employee, p.first_in, sa.cast(sa.null(), sa.Text).label("category"))
    told = sa.select(d.opd, d.employee, sa.cast(sa.null(), sa.BigInteger), d.category).where(d.day == day)
    who = _merged(sa.union_all(clocked, told).subquery("both"), "opd", "employee")
    counts = person_counts(who, late_after(day, settings.e_attendance, settings.zone))
    return sa.select(sa.literal(day).label("day"), who.c.opd, *counts).group_by(who.c.opd)


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
