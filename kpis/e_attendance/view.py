"""What the attendance page shows: the day per OPD, the arrival curve, the last thirty days. No person."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.days import day_off, day_start, local_day
from kpis.e_attendance.figures import AttendanceFigures, figures
from kpis.e_attendance.tables import attendance_cell, attendance_day, attendance_person, is_worked
from kpis.percentile import percentile
from kpis.store import micros
from kpis.views import ArrivalPoint, AttendanceDay, AttendanceView, OpdAttendance

_MINUTE_US = 60_000_000
CURVE = range(6 * 60, 10 * 60 + 1, 10)
USUAL_DAYS = 5


def _left_early(conn: Connection, settings: Settings, day: date, t: int) -> dict[str, int]:
    """People whose last clock-out of the day came before the end of the shift, by OPD."""
    end = datetime.combine(day, settings.e_attendance.shift_end, tzinfo=settings.zone)
    p = attendance_person
    query = sa.select(p.c.opd, sa.func.count()).where(
        p.c.day == day, p.c.first_in.is_not(None), p.c.last_out < micros(end), p.c.last_out <= t,
        sa.literal(t >= micros(end)),
    )  # fmt: skip
    return {row[0]: row[1] for row in conn.execute(query.group_by(p.c.opd))}


def _unexplained(conn: Connection, day: date) -> dict[str, int]:
    d = attendance_day
    query = sa.select(d.c.opd, sa.func.count(d.c.employee.distinct())).where(
        d.c.day == day, d.c.category == "tanpa_keterangan"
    )
    return {row[0]: row[1] for row in conn.execute(query.group_by(d.c.opd))}


def opd_attendance(conn: Connection, settings: Settings, at: datetime) -> dict[str, OpdAttendance]:
    """Every OPD's day so far."""
    day = local_day(at, settings.zone)
    by_scope: dict[str | None, AttendanceFigures] = figures(conn, settings, at)
    early = _left_early(conn, settings, day, micros(at))
    unexplained = _unexplained(conn, day)
    return {
        opd.code: OpdAttendance(
            opd=opd.code, expected=f.expected, leave=f.on_leave, present=f.present, off_site=f.off_site,
            late=f.late, left_early=early.get(opd.code, 0), unexplained=unexplained.get(opd.code, 0),
            checkins=f.checkins, doubtful=f.doubtful,
        )
        for opd in settings.city.opds
        for f in (by_scope[opd.code],)
    }  # fmt: skip


def _counted(settings: Settings, opd: str | None) -> tuple[list[str], int]:
    """The OPD of a scope whose headcount is known, and their people: a share needs both of the same OPD."""
    known = [o for o in settings.city.opds if opd in (None, o.code) and o.employees is not None]
    return [o.code for o in known], sum(o.employees or 0 for o in known)


def _first_ins(conn: Connection, settings: Settings, day: date, opds: list[str]) -> list[int]:
    """How many people were in by each minute of the curve; empty when nobody clocked in that day."""
    p = attendance_person
    start = day_start(day, settings.zone)
    step = CURVE.step * _MINUTE_US
    # Counted in steps by the store: a page never fetches a row per person.
    place = ((p.c.first_in - start + step - 1) // step).label("place")
    query = sa.select(place, sa.func.count()).where(
        p.c.day == day, p.c.first_in.is_not(None), p.c.opd.in_(opds)
    )
    steps: dict[int, int] = {row[0]: row[1] for row in conn.execute(query.group_by(place))}
    if not steps:
        return []
    return [sum(n for place, n in steps.items() if place * CURVE.step <= minute) for minute in CURVE]


def _worked_before(day: date, settings: Settings, count: int) -> list[date]:
    found: list[date] = []
    back = day
    while len(found) < count and (day - back).days < 60:
        back -= timedelta(days=1)
        if is_worked(back, settings):
            found.append(back)
    return found


def _arrivals(
    conn: Connection, settings: Settings, at: datetime, opd: str | None
) -> tuple[ArrivalPoint, ...]:
    """Share of the headcount in by each minute: today so far, and the median of the last worked days."""
    today = local_day(at, settings.zone)
    opds, people = _counted(settings, opd)
    if not people:
        return ()
    now_minute = (micros(at) - day_start(today, settings.zone)) // _MINUTE_US
    mine = _first_ins(conn, settings, today, opds)
    others = [_first_ins(conn, settings, day, opds) for day in _worked_before(today, settings, USUAL_DAYS)]
    points = []
    for place, minute in enumerate(CURVE):
        usual = percentile(sorted(o[place] / people for o in others if o), 0.5)
        so_far = mine[place] / people if minute <= now_minute and mine else None
        points.append(ArrivalPoint(minute=minute, today=so_far, usual=usual))
    return tuple(points)


def _days(conn: Connection, settings: Settings, at: datetime, opd: str | None) -> tuple[AttendanceDay, ...]:
    today = local_day(at, settings.zone)
    first = today - timedelta(days=29)
    opds, people = _counted(settings, opd)
    c = attendance_cell
    query = sa.select(
        c.c.day, sa.func.sum(c.c.present + c.c.off_site), sa.func.sum(c.c.on_leave), sa.func.sum(c.c.late)
    ).where(c.c.day >= first, c.c.day <= today, c.c.opd.in_(opds))
    # A day of which only leave and duty elsewhere were told was not empty: its clocks were not heard.
    query = query.group_by(c.c.day).having(sa.func.sum(c.c.present) > 0).order_by(c.c.day)
    return tuple(
        AttendanceDay(day=day, attended=int(attended), due=max(people - int(leave), 0), late=int(late))
        for day, attended, leave, late in conn.execute(query)
        if is_worked(day, settings)
    )


def view(conn: Connection, settings: Settings, at: datetime, opd: str | None = None) -> AttendanceView:
    """The page's view for the city, or for one OPD."""
    day = local_day(at, settings.zone)
    rules = settings.e_attendance
    rows = [row for code, row in opd_attendance(conn, settings, at).items() if opd in (None, code)]

    def rate(row: OpdAttendance) -> float:
        due = row.expected - row.leave
        return (row.present + row.off_site) / due if due > 0 else 2.0

    fasting = any(r.first <= day <= r.last for r in rules.ramadan)
    return AttendanceView(
        day=day,
        day_off=day_off(day, rules),
        shift_start=(rules.ramadan_start if fasting else rules.shift_start).strftime("%H:%M"),
        grace_minutes=int(rules.grace / timedelta(minutes=1)),
        by_opd=tuple(sorted(rows, key=lambda row: (rate(row), row.opd))),
        arrivals=_arrivals(conn, settings, at, opd),
        days=_days(conn, settings, at, opd),
    )
