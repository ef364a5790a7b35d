"""What the mayor's page shows: what changed since the last look, who needs a word and who deserves one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from kpis import looks, ranks, readings
from kpis.catalogue import catalogue
from kpis.config import Settings
from kpis.days import day_off, local_day
from kpis.judge import distance
from kpis.readings import Key
from kpis.types import Domain, Reading, Severity
from kpis.views import LookView, MayorView, Past, Praise, Word

FIVE = 5
MONTH = timedelta(days=30)
# A tablet shows as many changes as are read in half a minute; the rest is counted.
_WORSE, _BETTER = 5, 3
_BEST = 3
_CHANGES = 2000
# What a mayor asks about first: a budget of errors is a consequence, and the last reason to give.
_LAST_REASONS = ("error_budget_left_30d",)


def view(
    conn: Connection, settings: Settings, at: datetime, found: Mapping[Key, Reading], since: datetime | None
) -> MayorView:
    """The page's view at `at`. `since` is the last look, None for a first one."""
    before = readings.before(conn, at - MONTH)
    by_opd = of_opds(settings, found)
    places = ranks.ranked(by_opd, judged_before(before))
    need = _need(settings, by_opd)
    return MayorView(
        look=_look(conn, settings, at, found, since),
        need=need,
        deserve=_deserve(settings, places, by_opd, before, {word.opd for word in need}),
        acting=sum(any(_acts(r) for r in own) for own in by_opd.values()),
        ranked=sum(p.place is not None for p in places),
        compared=any(p.gained is not None for p in places),
    )


def of_opds(settings: Settings, found: Mapping[Key, Reading]) -> dict[str, list[Reading]]:
    """Every OPD's readings; an empty list for one of which nothing was heard."""
    rows: dict[str, list[Reading]] = {opd.code: [] for opd in settings.city.opds}
    for (_, opd), r in found.items():
        if opd is not None:
            rows[opd].append(r)
    return rows


def judged_before(before: Mapping[Key, Past]) -> dict[str, dict[str, Severity]]:
    """What each OPD's figures were judged then, by OPD and KPI key."""
    rows: dict[str, dict[str, Severity]] = {}
    for (kpi, opd), past in before.items():
        if opd is not None:
            rows.setdefault(opd, {})[kpi] = Severity(past.severity)
    return rows


def _acts(r: Reading) -> bool:
    return ranks.counts(r) and r.severity is Severity.ACT


def _far(settings: Settings, r: Reading) -> float:
    return distance(r.value, readings.target_of(settings, r.kpi, r.opd), r.better)


def _need(settings: Settings, by_opd: Mapping[str, Sequence[Reading]]) -> tuple[Word, ...]:
    """The OPD with most to act on, then most to watch, then farthest off; only by what is known now."""
    rows = []
    for opd, own in by_opd.items():
        known = [r for r in own if ranks.counts(r)]
        acts = [r for r in known if r.severity is Severity.ACT]
        watches = [r for r in known if r.severity is Severity.WATCH]
        if not acts and not watches:
            continue
        why = min(acts or watches, key=lambda r: (r.kpi in _LAST_REASONS, -_far(settings, r), r.kpi))
        word = Word(opd=opd, kpi=why.kpi, others=max(len(acts) - 1, 0))
        rows.append(((-len(acts), -len(watches), -_far(settings, why), opd), word))
    return tuple(word for _, word in sorted(rows)[:FIVE])


def _deserve(
    settings: Settings,
    places: Sequence[ranks.Place],
    by_opd: Mapping[str, Sequence[Reading]],
    before: Mapping[Key, Past],
    needing: set[str],
) -> tuple[Praise, ...]:
    """The best, then the most improved, then whoever comes next; nobody who has something to act on."""
    calm = [
        p
        for p in places
        if p.place is not None and p.met and p.opd not in needing and not any(_acts(r) for r in by_opd[p.opd])
    ]
    best = calm[:_BEST]
    gained = [p for p in calm if p.gained is not None and p.gained > 0 and p not in best]
    gained.sort(key=lambda p: (-(p.gained or 0), p.place or 0, p.opd))
    improved = [one for p in gained if (one := _improved(settings, p, by_opd[p.opd], before)) is not None]
    named = {one.place.opd for one in improved[: FIVE - _BEST]} | {p.opd for p in best}
    rest = [Praise(place=p) for p in calm if p.opd not in named]
    found = [*(Praise(place=p) for p in best), *improved[: FIVE - _BEST], *rest]
    return tuple(found[:FIVE])


def _improved(
    settings: Settings, place: ranks.Place, own: Sequence[Reading], before: Mapping[Key, Past]
) -> Praise | None:
    """The figure that came right and was farthest off a month ago."""
    right = [
        (distance(past.value, readings.target_of(settings, r.kpi, r.opd), r.better), r.kpi, past)
        for r in own
        if ranks.counts(r) and r.severity is Severity.ON_TARGET
        if (past := before.get((r.kpi, r.opd))) is not None and past.value is not None
    ]
    far, kpi, then = max(right, key=lambda one: (one[0], one[1]), default=(0.0, "", None))
    return Praise(place=place, kpi=kpi, then=then) if far > 0 else None


def _look(
    conn: Connection, settings: Settings, at: datetime, found: Mapping[Key, Reading], since: datetime | None
) -> LookView:
    start = since or at - looks.FIRST
    moves = readings.changes(conn, None, start, at, most=_CHANGES)
    known = catalogue()
    changes = looks.grouped(
        [move for move in moves if move.kpi in known and (move.kpi, move.opd) in found],
        [r for r in found.values() if r.opd is None and not _rests(settings, r, at)],
        start,
        distances={key: _far(settings, r) for key, r in found.items()},
        by_day={key for key, kpi in known.items() if kpi.domain is Domain.E_ATTENDANCE},
    )
    worse = [c for c in changes if not c.turn.better]
    better = [c for c in changes if c.turn.better]
    return LookView(
        since=start,
        first=since is None,
        worse=tuple(worse[:_WORSE]),
        better=tuple(better[:_BETTER]),
        worse_all=len(worse),
        better_all=len(better),
        cut=len(moves) == _CHANGES,
    )


def _rests(settings: Settings, r: Reading, at: datetime) -> bool:
    """Whether a figure of attendance is silent because nobody works today."""
    at_work = catalogue()[r.kpi].domain is Domain.E_ATTENDANCE
    return at_work and day_off(local_day(at, settings.zone), settings.e_attendance) is not None
