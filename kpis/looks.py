"""What changed since somebody last looked, and when that was. Pure functions; nobody is remembered here.

A device keeps its own last look in a cookie, `<since>.<seen>` in seconds since 1970: from when on the
present look shows changes, and when the page was last in front of somebody. A look ends after `AWAY`
without the page; the next one then begins where it ended, and a reload in between changes nothing.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from zoneinfo import ZoneInfo

from kpis.types import Freshness, Reading, Severity
from kpis.views import StateChange

Key = tuple[str, str | None]

AWAY = timedelta(minutes=30)
FIRST = timedelta(hours=24)
"""What the first look of a device shows."""
LONGEST = timedelta(days=30)
GRAIN = timedelta(minutes=5)
"""Looks begin on a grid: a hundred devices that looked at about the same time share one page."""


def last_look(cookie: str | None, now: datetime) -> datetime | None:
    """From when on a device's page shows changes; None for a first look.

    A cookie that cannot be read, of the future or of long ago is no look.
    """
    since, _, seen = (cookie or "").partition(".")
    if not all(text.isascii() and text.isdecimal() and len(text) <= 11 for text in (since, seen)):
        return None
    began, left = (datetime.fromtimestamp(int(text), UTC) for text in (since, seen))
    if left > now + GRAIN or began > left:
        return None
    return _bounded(left if now - left > AWAY else began, now)


def asked_since(text: str | None, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The moment an address names (`?since=2026-08-17T08:30`, in the city's time unless it has an
    offset); None where it names none, or one of the future or of long ago."""
    if not text or len(text) > 40:
        return None
    try:
        at = datetime.fromisoformat(text)
        return _bounded(at if at.tzinfo else at.replace(tzinfo=zone), now)
    except (ValueError, OverflowError):
        return None


def _bounded(at: datetime, now: datetime) -> datetime | None:
    at = at.astimezone(UTC)
    if not now - LONGEST <= at <= now:
        return None
    grid = GRAIN // timedelta(seconds=1)
    return datetime.fromtimestamp(int(at.timestamp()) // grid * grid, UTC)


class Turn(StrEnum):
    """What became of a figure between two looks, the loudest first."""

    ACT = "act"
    WATCH = "watch"
    STALE = "stale"
    LOST = "lost"
    UNSTEADY = "unsteady"
    EASED = "eased"
    RECOVERED = "recovered"

    @property
    def better(self) -> bool:
        return self in (Turn.EASED, Turn.RECOVERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """All changes of one figure since a look, as one: how it stood, how it stands, how often it moved.

    `at` is the last change. A figure that went stale did not move: `times` is 0, its severity stays.
    """

    kpi: str
    opd: str | None
    turn: Turn
    before: Severity
    after: Severity
    at: datetime
    times: int


def grouped(
    moves: Iterable[StateChange],
    readings: Iterable[Reading],
    since: datetime,
    *,
    distances: Mapping[Key, float],
    by_day: Container[str] = (),
) -> tuple[Change, ...]:
    """One `Change` per figure, the loudest first: new ACT, the city's own before an OPD's, then how far.

    A figure that is back where it was is one line, unsteady, however often it moved. The figures of
    `by_day` are unknown every night, which is no change. `readings` are those whose silence counts:
    one that went stale since the look did not move, but it is not what it seems either.
    """
    by_figure: dict[Key, list[StateChange]] = {}
    for move in sorted(moves, key=lambda move: move.at):
        by_figure.setdefault((move.kpi, move.opd), []).append(move)
    found = {key: one for key, rows in by_figure.items() if (one := _one(rows, rows[-1].kpi in by_day))}
    for r in readings:
        if r.freshness is Freshness.STALE and r.since is not None and r.since > since:
            found[r.kpi, r.opd] = Change(
                kpi=r.kpi,
                opd=r.opd,
                turn=Turn.STALE,
                before=r.severity,
                after=r.severity,
                at=r.since,
                times=0,
            )
    loud = list(Turn)
    return tuple(
        sorted(
            found.values(),
            key=lambda c: (
                loud.index(c.turn),
                c.opd is not None,
                -distances.get((c.kpi, c.opd), 0.0),
                -c.at.timestamp(),
                c.kpi,
                c.opd or "",
            ),
        )
    )


def _one(moves: Sequence[StateChange], by_day: bool) -> Change | None:
    """The moves of one figure, oldest first, as one change; None when nothing came of them."""
    first, last = Severity(moves[0].before), moves[-1]
    states = [first, *(Severity(move.after) for move in moves)]
    lost = states[-1] is Severity.UNKNOWN and not by_day
    # A gap between two equal states is no move: it went away and came back.
    known = [state for state, _ in groupby(s for s in states if s is not Severity.UNKNOWN)]
    times = len(known) - 1
    after = Severity.UNKNOWN if lost or not known else known[-1]
    # That a figure came in and is as it should be is no news.
    began_well = first is Severity.UNKNOWN and after is Severity.ON_TARGET
    if began_well or (first is after and times <= 0):
        return None
    return Change(
        kpi=last.kpi, opd=last.opd, turn=_turn(first, after), before=first, after=after, at=last.at,
        times=max(times, 1),
    )  # fmt: skip


def _turn(before: Severity, after: Severity) -> Turn:
    if before is after:
        return Turn.UNSTEADY
    if after is Severity.UNKNOWN:
        return Turn.LOST
    if after is Severity.ACT:
        return Turn.ACT
    if after is Severity.WATCH:
        return Turn.EASED if before is Severity.ACT else Turn.WATCH
    return Turn.RECOVERED
