"""What an enrolled screen tells of itself, and whether that is well: judged at read time.

The times a screen reports are the server's own, which it received with what it shows: its clock may
be wrong by years and nothing here is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.config import Screen, Settings
from kpis.judge import LATE_FACTOR, fresh_since, freshness
from kpis.screens.hours import dark, lit_since
from kpis.screens.state import ScreenRow, ScreenState
from kpis.screens.tables import screen_device as d
from kpis.store import instant, maybe_instant, micros
from kpis.types import Freshness

# A screen reports every 30 s (assets/screen.js) and may take a little longer. Past three times this
# it is silent.
INTERVAL = timedelta(seconds=40)
_WORST = tuple(ScreenState)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report. `due` is when the newest change it received was made, `painted` the newest it shows."""

    due: datetime | None
    painted: datetime | None
    heap_bytes: int | None
    nodes: int | None
    connection: str
    build: str
    page: str | None
    width: int
    height: int
    scale: float


def note(conn: Connection, token: str, at: datetime, report: Report) -> bool:
    """Keeps the newest report of the screen whose token has this digest; False when there is none."""
    row = {
        "heard_at": micros(at),
        "due_at": report.due and micros(report.due),
        "painted_at": report.painted and micros(report.painted),
        "heap_bytes": report.heap_bytes,
        "nodes": report.nodes,
        "connection": report.connection,
        "build": report.build,
        "page": report.page,
        "width": report.width,
        "height": report.height,
        "scale": report.scale,
    }
    return bool(conn.execute(d.update().where(d.c.token == token).values(row)).rowcount)


def owner_of(settings: Settings, screen: Screen) -> str | None:
    """The code of the OPD that answers for a screen: its own, else who answers for the applications."""
    applications = settings.kpis.get("apps_down_now")
    return screen.owner or (applications.owner if applications else None)


def screen_rows(
    conn: Connection, settings: Settings, at: datetime, listening: datetime | None = None
) -> tuple[ScreenRow, ...]:
    """Every configured screen, worst first. Silence counts from `listening` at the earliest: while
    nobody could hear them, no screen was silent."""
    stored = {row.screen: row for row in conn.execute(sa.select(d))}
    rows = [_row(settings, one, stored.get(one.name), at, listening) for one in settings.screens]
    return tuple(sorted(rows, key=lambda row: (_WORST.index(row.state), row.name)))


def _row(settings: Settings, screen: Screen, row: Any, at: datetime, listening: datetime | None) -> ScreenRow:
    interval = settings.clock.span(INTERVAL)
    heard = maybe_instant(row.heard_at) if row else None
    state, since = _state(settings, screen, row, at, listening)
    return ScreenRow(
        name=screen.name,
        title=screen.title,
        place=screen.place,
        owner=owner_of(settings, screen),
        state=state,
        freshness=freshness(heard, at, interval),
        since=since,
        device=row.device if row else None,
        enrolled_at=maybe_instant(row.enrolled_at) if row else None,
        revoked_at=maybe_instant(row.revoked_at) if row else None,
        heard_at=heard,
        painted_at=maybe_instant(row.painted_at) if row else None,
        heap_bytes=row.heap_bytes if row else None,
        nodes=row.nodes if row else None,
        connection=row.connection if row else None,
        build=row.build if row else None,
        page=row.page if row else None,
        width=row.width if row else None,
        height=row.height if row else None,
        scale=row.scale if row else None,
    )


def _state(
    settings: Settings, screen: Screen, row: Any, at: datetime, listening: datetime | None
) -> tuple[ScreenState, datetime | None]:
    if row is None:
        return ScreenState.NEVER, None
    if row.token is None:
        return ScreenState.REVOKED, maybe_instant(row.revoked_at)
    if dark(screen, at, settings.zone):
        return ScreenState.BLANK, None
    interval = settings.clock.span(INTERVAL)
    told = maybe_instant(row.heard_at if row.heard_at is not None else row.enrolled_at)
    lit = lit_since(screen, at, settings.zone)
    last = max(moment for moment in (told, lit, listening) if moment is not None)
    heard = freshness(last, at, interval)
    if heard is Freshness.STALE:
        return ScreenState.SILENT, fresh_since(last, heard, interval)
    if heard is Freshness.LATE:
        return ScreenState.LATE, fresh_since(last, heard, interval)
    return _picture(row, interval)


def _picture(row: Any, interval: timedelta) -> tuple[ScreenState, datetime | None]:
    """Whether what it receives also comes to be seen, and whether it receives anything."""
    shown = instant(row.enrolled_at if row.painted_at is None else row.painted_at)
    if row.due_at is not None and instant(row.due_at) - shown > LATE_FACTOR * interval:
        return ScreenState.FROZEN, shown + LATE_FACTOR * interval
    return (ScreenState.CUT if row.connection == "lost" else ScreenState.SHOWING), None
