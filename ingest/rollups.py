"""What each roll-up must hold by its facts, in slices small enough to be made again while others write.

A slice is one application's runs, one day of attendance, or the sums of one table. To compare it reads
one consistent state and holds up nobody. Where records were removed (`kpis.retention`) the roll-ups of
their time are right as they stand, and no slice reaches there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.app_uptime import runs
from kpis.app_uptime.fold import Run
from kpis.app_uptime.tables import app_run, checked_apps, uptime_check
from kpis.config import Settings
from kpis.days import day_start, local_day
from kpis.e_attendance import tables as people
from kpis.opd_integration.tables import interface_seen, sync_day, sync_run
from kpis.retention import kept_since
from kpis.store import insert, instant
from kpis.types import Domain

Differing = dict[str, int]


class Sliced(Protocol):
    """A roll-up that can be made again slice by slice under the locks of `feeds`, in this order."""

    @property
    def feeds(self) -> tuple[str, ...]: ...

    @property
    def domain(self) -> Domain: ...

    @property
    def tables(self) -> tuple[str, ...]: ...

    def slices(self, conn: Connection, settings: Settings) -> list[Any]: ...

    def differing(self, conn: Connection, settings: Settings, part: Any) -> Differing: ...

    def mend(self, conn: Connection, settings: Settings, part: Any) -> None: ...


def first_whole_day(conn: Connection, settings: Settings, *feeds: str) -> date | None:
    """The first of the city's days that the facts of all these feeds are whole of; None when all are."""
    bounds = [kept_since(conn, settings, feed) for feed in feeds]
    known = [bound for bound in bounds if bound is not None]
    if not known:
        return None
    day = local_day(instant(max(known)), settings.zone)
    return day if day_start(day, settings.zone) >= max(known) else day + timedelta(days=1)


@dataclass(frozen=True)
class Runs:
    """`app_run`, one application at a time."""

    feeds = ("uptime_check",)
    domain = Domain.APP_UPTIME
    tables = ("app_run",)

    def slices(self, conn: Connection, settings: Settings) -> list[Any]:
        found: set[str] = set()
        for table in (uptime_check, app_run):
            apps = checked_apps(table)
            found.update(conn.scalars(sa.select(apps.c.app).where(apps.c.app.is_not(None))))
        return sorted(found)

    def differing(self, conn: Connection, settings: Settings, part: Any) -> Differing:
        stored, wanted = self._both(conn, settings, part)
        return {"app_run": len(stored ^ wanted)}

    def mend(self, conn: Connection, settings: Settings, part: Any) -> None:
        stored, wanted = self._both(conn, settings, part)
        starts = {run.started_at for run in wanted}
        gone = [(part, run.started_at) for run in stored if run.started_at not in starts]
        changed = [(part, run.started_at, run.last_at, run.up) for run in wanted - stored]
        runs.replace(conn, app_run, gone, changed)

    def _both(self, conn: Connection, settings: Settings, app: str) -> tuple[set[Run], set[Run]]:
        """The runs that stand, and those that the facts make; from the one that holds when they begin."""
        gap, since, r = runs.longest_gap(settings), kept_since(conn, settings, "uptime_check"), app_run.c
        where, mine = [uptime_check.c.app == app], [r.app == app]
        held: Run | None = None
        if since is not None:
            where.append(uptime_check.c.observed_at >= since)
            before = self._runs(conn, *mine, r.started_at < since, newest=True)
            held = before[0] if before else None
            mine.append(r.started_at >= since)
        made = runs.stretches(uptime_check, gap, *where).c
        query = sa.select(made.started_at, made.last_at, made.up).order_by(made.started_at)
        wanted = [Run(*row[:2], bool(row.up)) for row in conn.execute(query)]
        stored = set(self._runs(conn, *mine))
        if held is None or since is None:
            return stored, set(wanted)
        return {held, *stored}, set(_carried(held, wanted, since, gap))

    def _runs(self, conn: Connection, *where: sa.ColumnElement[bool], newest: bool = False) -> list[Run]:
        r = app_run.c
        query = sa.select(r.started_at, r.last_at, r.up).where(*where)
        if newest:
            query = query.order_by(r.started_at.desc()).limit(1)
        return [Run(*row[:2], bool(row.up)) for row in conn.execute(query)]


def _carried(held: Run, made: list[Run], since: int, gap: int) -> list[Run]:
    """The run that holds when the facts begin keeps its start; how it goes on is theirs to say."""
    first = made[0] if made else None
    agrees = first is not None and first.up == held.up
    last = held.last_at
    if last >= since:
        last = first.started_at if first is not None and agrees and last >= first.started_at else since - 1
    if first is not None and agrees and first.started_at - last <= gap:
        return [Run(held.started_at, first.last_at, held.up), *made[1:]]
    return [Run(held.started_at, last, held.up), *made]


@dataclass(frozen=True)
class AttendanceDays:
    """`attendance_person` and `attendance_cell`, one day at a time."""

    feeds = ("attendance", "attendance_day")
    domain = Domain.E_ATTENDANCE
    tables = ("attendance_person", "attendance_cell")

    def slices(self, conn: Connection, settings: Settings) -> list[Any]:
        since = first_whole_day(conn, settings, *self.feeds)
        found: set[date] = set()
        for table in (
            people.attendance, people.attendance_day, people.attendance_person, people.attendance_cell
        ):  # fmt: skip
            found.update(_steps(conn, table.c.day, since))
        return sorted(found)

    def differing(self, conn: Connection, settings: Settings, part: Any) -> Differing:
        return {table.name: _apart(conn, table, made, part) for table, made in self._made(settings, part)}

    def mend(self, conn: Connection, settings: Settings, part: Any) -> None:
        for table, made in self._made(settings, part):
            conn.execute(table.delete().where(table.c.day == part))
            conn.execute(table.insert().from_select([c.name for c in table.columns], made))

    def _made(self, settings: Settings, day: date) -> list[tuple[sa.Table, sa.Select[Any]]]:
        return [
            (people.attendance_person, people.day_persons(day)),
            (people.attendance_cell, people.day_cells(settings, day)),
        ]


def _steps(conn: Connection, column: sa.Column[Any], since: date | None) -> Iterator[date]:
    """Every day of an indexed column, each by one step down its index."""
    day = conn.scalar(sa.select(sa.func.min(column)).where(*([] if since is None else [column >= since])))
    while day is not None:
        yield day
        day = conn.scalar(sa.select(sa.func.min(column)).where(column > day))


def _apart(conn: Connection, table: sa.Table, made: sa.Select[Any], day: date) -> int:
    """How many rows of one day stand on one side only."""
    stored = sa.select(table).where(table.c.day == day)
    made = sa.select(made.subquery())
    count = 0
    for one, other in ((stored, made), (made, stored)):
        rows = sa.except_(one, other).subquery()
        count += int(conn.scalar(sa.select(sa.func.count()).select_from(rows)) or 0)
    return count


@dataclass(frozen=True)
class Interfaces:
    """`interface_seen`, whole: it has a row for each interface, and an index leads from one to the next."""

    feeds = ("sync_run",)
    domain = Domain.OPD_INTEGRATION
    tables = ("interface_seen",)

    def slices(self, conn: Connection, settings: Settings) -> list[Any]:
        return ["all"]

    def differing(self, conn: Connection, settings: Settings, part: Any) -> Differing:
        stored, wanted = self._both(conn, settings)
        return {"interface_seen": len(stored ^ wanted)}

    def mend(self, conn: Connection, settings: Settings, part: Any) -> None:
        stored, wanted = self._both(conn, settings)
        names = [c.name for c in interface_seen.columns]
        for key in stored - wanted:
            same = (c == value for c, value in zip(interface_seen.columns, key, strict=True))
            conn.execute(interface_seen.delete().where(*same))
        if missing := [dict(zip(names, key, strict=True)) for key in wanted - stored]:
            conn.execute(insert(conn, interface_seen), missing)

    def _both(
        self, conn: Connection, settings: Settings
    ) -> tuple[set[tuple[str, ...]], set[tuple[str, ...]]]:
        stored = {tuple(row) for row in conn.execute(sa.select(interface_seen))}
        r, d = sync_run.c, sync_day.c
        wanted: set[tuple[str, ...]] = set()
        key = sa.tuple_(r.opd, r.system, r.interface)
        step = sa.select(r.opd, r.system, r.interface).order_by(r.opd, r.system, r.interface).limit(1)
        found = conn.execute(step).first()
        while found is not None:
            wanted.add(tuple(found))
            found = conn.execute(step.where(key > sa.tuple_(*(sa.literal(v) for v in found)))).first()
        if (since := first_whole_day(conn, settings, "sync_run")) is not None:
            old = sa.select(d.opd, d.system, d.interface).distinct().where(d.day < since, d.runs > 0)
            wanted |= {tuple(row) for row in conn.execute(old)}
        return stored, wanted
