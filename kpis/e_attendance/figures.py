"""What is measured of e-attendance at one moment of a day, for the city and every OPD at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.days import late_after, local_day
from kpis.e_attendance.tables import (
    attendance,
    attendance_cell,
    day_counts,
    is_worked,
    person_counts,
    persons,
)
from kpis.percentile import share
from kpis.store import instant, micros
from kpis.types import Better, Domain, Kpi, Measurement, Unit


@dataclass(slots=True)
class AttendanceFigures:
    """One scope's day so far. `expected` is the headcount on a working day, else 0.

    `attended` (hadir + terlambat + pulang cepat + dinas luar) and `excused` (approved leave) count
    the people of OPD whose headcount is known, as `expected` does. `told` is whether anything was
    said of the day at all: nobody heard of is not nobody come.
    """

    expected: int = 0
    present: int = 0
    off_site: int = 0
    on_leave: int = 0
    late: int = 0
    checkins: int = 0
    doubtful: int = 0
    reporting: int = 0
    opds: int = 1
    observed_at: datetime | None = None
    settled: bool = True
    told: bool = False
    attended: int = 0
    excused: int = 0

    @property
    def due(self) -> int:
        """Expected less approved leave."""
        return max(self.expected - self.excused, 0)


def figures(conn: Connection, settings: Settings, at: datetime) -> dict[str | None, AttendanceFigures]:
    """Figures by OPD code, None for the city, of the city's day that `at` falls on."""
    day = local_day(at, settings.zone)
    t = micros(at)
    found: dict[str | None, AttendanceFigures] = {None: AttendanceFigures(opds=len(settings.city.opds))}
    found.update({opd.code: AttendanceFigures() for opd in settings.city.opds})
    if is_worked(day, settings):
        for opd in settings.city.opds:
            found[opd.code].expected = opd.employees or 0
            found[None].expected += opd.employees or 0
    settled = t > late_after(day, settings.e_attendance, settings.zone)
    for f in found.values():
        f.settled = settled
    _people(conn, settings, day, t, found)
    _checkins(conn, day, t, found)
    _observed(conn, day, t, found)
    return found


def _people(
    conn: Connection, settings: Settings, day: date, t: int, found: dict[str | None, AttendanceFigures]
) -> None:
    counted = [opd.code for opd in settings.city.opds if opd.employees is not None]
    counts: Iterable[Any] = conn.execute(day_counts(settings, day, None, t))
    for opd, present, off_site, on_leave, late in counts:
        if opd in found:
            f = found[opd]
            f.present, f.off_site, f.on_leave, f.late = present, off_site, on_leave, late
            f.reporting = 1 if f.present else 0
            f.told = True
            if opd in counted:
                f.attended, f.excused = present + off_site, on_leave
    city = found[None]
    city.present, city.off_site, city.on_leave, city.late = _once(conn, settings, day, t, None)
    city.attended, city.excused = city.present + city.off_site, city.on_leave
    if len(counted) < len(settings.city.opds):
        present, off_site, city.excused, _ = _once(conn, settings, day, t, counted)
        city.attended = present + off_site
    city.told = any(f.told for f in found.values())
    city.reporting = sum(1 for opd, f in found.items() if opd is not None and f.reporting)


def _once(conn: Connection, settings: Settings, day: date, t: int, opds: list[str] | None) -> Any:
    """Present, off site, on leave, late; a person who clocked in at two OPD is one person of the city."""
    by_opd = persons(settings, day, t, opds)
    once = (
        sa.select(
            by_opd.c.employee,
            sa.func.min(by_opd.c.first_in).label("first_in"),
            sa.func.max(by_opd.c.category).label("category"),
        )
        .group_by(by_opd.c.employee)
        .subquery()
    )
    limit = late_after(day, settings.e_attendance, settings.zone)
    return conn.execute(sa.select(*person_counts(once, limit))).one()


def _checkins(conn: Connection, day: date, t: int, found: dict[str | None, AttendanceFigures]) -> None:
    a = attendance
    doubtful = sa.func.sum(sa.case((a.c.doubtful, 1), else_=0))
    query = sa.select(a.c.opd, sa.func.count(), doubtful).where(a.c.day == day, a.c.at <= t, a.c.kind == "in")
    for opd, checkins, doubts in conn.execute(query.group_by(a.c.opd)):
        for f in (found[None], found.get(opd)):
            if f is not None:
                f.checkins += checkins
                f.doubtful += doubts


def _observed(conn: Connection, day: date, t: int, found: dict[str | None, AttendanceFigures]) -> None:
    """The newest clock event up to `t` of each OPD, on the last day it has a cell and an event for."""
    a = attendance
    waiting = {opd: day for opd in found if opd is not None}
    while waiting:
        last = _last_days(waiting)
        waiting = {}
        by_day: dict[date, list[str]] = {}
        for opd, last_day in conn.execute(last):
            if last_day is not None:
                by_day.setdefault(last_day, []).append(opd)
        for last_day, opds in by_day.items():
            newest = sa.select(a.c.opd, sa.func.max(a.c.at)).where(
                a.c.day == last_day, a.c.opd.in_(opds), a.c.at <= t
            )
            seen = {opd: instant(at) for opd, at in conn.execute(newest.group_by(a.c.opd))}
            for opd in opds:
                if opd in seen:
                    found[opd].observed_at = seen[opd]
                else:
                    waiting[opd] = last_day - timedelta(days=1)
    told = [f.observed_at for f in found.values() if f.observed_at is not None]
    found[None].observed_at = max(told, default=None)


def _last_days(until: dict[str, date]) -> sa.CompoundSelect[Any]:
    """Rows `opd, day`: each OPD's last day with a cell up to its own, or None; one look into the index
    each, where a grouping would read every cell there ever was."""
    c = attendance_cell
    last = sa.select(sa.func.max(c.c.day))
    return sa.union_all(
        *(
            sa.select(sa.literal(opd), last.where(c.c.opd == opd, c.c.day <= day).scalar_subquery())
            for opd, day in until.items()
        )
    )


def _of_people(part: int, whole: int, f: AttendanceFigures) -> Measurement:
    return Measurement(
        value=share(part, whole),
        observed_at=f.observed_at,
        numerator=part,
        denominator=whole,
        reporting=f.reporting,
        expected=f.opds,
        settled=f.settled,
    )


def _rate(f: AttendanceFigures) -> Measurement:
    found = _of_people(f.attended, f.due, f)
    return found if f.told else replace(found, value=None)


_D = Domain.E_ATTENDANCE
KPIS: tuple[Kpi, ...] = (
    Kpi(
        key="attendance_rate_today",
        domain=_D,
        title="Attendance today",
        unit=Unit.SHARE,
        better=Better.HIGHER,
        take=_rate,
    ),
    Kpi(
        key="late_share_today",
        domain=_D,
        title="Late today",
        unit=Unit.SHARE,
        better=Better.LOWER,
        take=lambda f: _of_people(f.late, f.present, f),
    ),
    Kpi(
        key="doubtful_share_today",
        domain=_D,
        title="Doubtful check-ins today",
        unit=Unit.SHARE,
        better=Better.LOWER,
        take=lambda f: _of_people(f.doubtful, f.checkins, f),
    ),
)
