"""What the attendance page shows: the day per OPD, the arrival curve, the days looked at. No person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from kpis.announce import PAST, versions
from kpis.config import Settings
from kpis.days import day_off, day_start, is_fasting, local_day
from kpis.e_attendance.figures import AttendanceFigures, figures
from kpis.e_attendance.tables import attendance_cell, attendance_day, attendance_person, is_worked
from kpis.percentile import percentile
from kpis.spans import Span, widened
from kpis.store import micros
from kpis.views import ArrivalPoint, AttendanceDay, AttendanceGlance, AttendanceView, OpdAttendance

_MINUTE_US = 60_000_000
CURVE = range(6 * 60, 10 * 60 + 1, 10)
USUAL_WEEKS = 8
LEAST_DAYS = 30
_MOST_CURVES = 400


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


def _usual_days(day: date, settings: Settings) -> list[date]:
    """The same weekday of the weeks before that was worked by the same hours: a day of Ramadan is
    compared with days of Ramadan, any other with none of them."""
    rules, found = settings.e_attendance, []
    for weeks in range(1, USUAL_WEEKS + 1):
        before = day - timedelta(weeks=weeks)
        if is_worked(before, settings) and is_fasting(before, rules) == is_fasting(day, rules):
            found.append(before)
    return found


@dataclass(slots=True)
class _Past:
    """Curves of days that are over, as of one version of the past."""

    version: int
    curves: dict[tuple[date, tuple[str, ...]], list[int]] = field(default_factory=dict)


# By engine: a process has one store, and it goes with its store.
_past: WeakKeyDictionary[Engine, _Past] = WeakKeyDictionary()


def _curves(conn: Connection) -> dict[tuple[date, tuple[str, ...]], list[int]]:
    """What is known of earlier days, until a record of the past comes in."""
    version = versions(conn).get(PAST, 0)
    known = _past.get(conn.engine)
    if known is None or known.version != version or len(known.curves) > _MOST_CURVES:
        known = _past[conn.engine] = _Past(version)
    return known.curves


def _arrivals(
    conn: Connection, settings: Settings, at: datetime, opd: str | None
) -> tuple[tuple[ArrivalPoint, ...], tuple[date, ...]]:
    """Share of the headcount in by each minute: today so far, and the median and middle half of the
    usual days; with the days that stand behind those."""
    today = local_day(at, settings.zone)
    opds, people = _counted(settings, opd)
    if not people:
        return (), ()
    now_minute = (micros(at) - day_start(today, settings.zone)) // _MINUTE_US
    mine = _first_ins(conn, settings, today, opds)
    known, usual_days = _curves(conn), _usual_days(today, settings)
    for day in usual_days:
        if (day, tuple(opds)) not in known:
            known[day, tuple(opds)] = _first_ins(conn, settings, day, opds)
    heard = [(day, ins) for day in usual_days if (ins := known[day, tuple(opds)])]
    points = []
    for place, minute in enumerate(CURVE):
        shares = sorted(ins[place] / people for _, ins in heard)
        so_far = mine[place] / people if minute <= now_minute and mine else None
        low, usual, high = (percentile(shares, part) for part in (0.25, 0.5, 0.75))
        points.append(ArrivalPoint(minute=minute, today=so_far, usual=usual, low=low, high=high))
    return tuple(points), tuple(day for day, _ in heard)


def _days(conn: Connection, settings: Settings, span: Span, opd: str | None) -> tuple[AttendanceDay, ...]:
    """The days of `span`: worked ones that were heard of, and days off as such."""
    opds, people = _counted(settings, opd)
    c = attendance_cell.c
    query = sa.select(
        c.day, sa.func.sum(c.present), sa.func.sum(c.off_site), sa.func.sum(c.on_leave), sa.func.sum(c.late)
    ).where(c.day >= span.first, c.day <= span.last, c.opd.in_(opds))
    # A day of which only leave and duty elsewhere were told was not empty: its clocks were not heard.
    query = query.group_by(c.day).having(sa.func.sum(c.present) > 0)
    told = {day: [int(n) for n in counts] for day, *counts in conn.execute(query)}
    found = []
    for back in range(span.days - 1, -1, -1):
        day = span.last - timedelta(days=back)
        off = day_off(day, settings.e_attendance)
        if off is not None:
            found.append(AttendanceDay(day=day, attended=0, due=0, late=0, off=off))
        elif day in told:
            present, off_site, leave, late = told[day]
            found.append(
                AttendanceDay(
                    day=day, attended=present + off_site, due=max(people - leave, 0), late=late,
                    present=present,
                )
            )  # fmt: skip
    return tuple(found)


def view(
    conn: Connection, settings: Settings, at: datetime, opd: str | None = None, span: Span | None = None
) -> AttendanceView:
    """The page's view for the city, or for one OPD; its days are those of `span`, a month at least."""
    day = local_day(at, settings.zone)
    shown = widened(span or Span(first=day, last=day, name="today"), LEAST_DAYS)
    rules = settings.e_attendance
    rows = [row for code, row in opd_attendance(conn, settings, at).items() if opd in (None, code)]

    def rate(row: OpdAttendance) -> float:
        due = row.expected - row.leave
        return (row.present + row.off_site) / due if due > 0 else 2.0

    fasting = is_fasting(day, rules)
    arrivals, usual_days = _arrivals(conn, settings, at, opd)
    return AttendanceView(
        day=day,
        day_off=day_off(day, rules),
        shift_start=(rules.ramadan_start if fasting else rules.shift_start).strftime("%H:%M"),
        grace_minutes=int(rules.grace / timedelta(minutes=1)),
        by_opd=tuple(sorted(rows, key=lambda row: (rate(row), row.opd))),
        arrivals=arrivals,
        days=_days(conn, settings, shown, opd),
        usual_days=usual_days,
        first=shown.first,
        last=shown.last,
    )


def glance(conn: Connection, settings: Settings, at: datetime) -> AttendanceGlance:
    """What a wall shows: the morning, and the rule it is read by."""
    day, rules = local_day(at, settings.zone), settings.e_attendance
    start = rules.ramadan_start if is_fasting(day, rules) else rules.shift_start
    return AttendanceGlance(
        day_off=day_off(day, rules),
        late_from=start.hour * 60 + start.minute + int(rules.grace / timedelta(minutes=1)),
        arrivals=_arrivals(conn, settings, at, None)[0],
    )
