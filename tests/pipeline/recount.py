"""The roll-ups counted again from the fact rows in plain Python, the way the definitions read.

Written apart from the SQL of `kpis/`: Kota Uji's zone, three intervals of five minutes, 07:30 and 15
minutes of grace.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kpis.store import metadata
from tests.pipeline.world import World

ZONE = ZoneInfo("Asia/Jakarta")
GAP = 15 * 60 * 1_000_000
NAMES = ("app_run", "attendance_cell", "attendance_person", "interface_seen", "request_day", "sync_day")

Rows = list[tuple[Any, ...]]


def stored(world: World) -> dict[str, Rows]:
    """Every roll-up as it stands; a sum of nothing is no cell."""
    found = {name: [tuple(row) for row in world.rows(metadata.tables[name])] for name in NAMES}
    for name, keys in (("request_day", 2), ("sync_day", 4)):
        found[name] = [row for row in found[name] if any(row[keys:])]
    return found


def recounted(world: World) -> dict[str, Rows]:
    """Every roll-up as the facts have it, in the order of its key."""
    facts = {
        feed: world.facts(feed)
        for feed in ("uptime_check", "service_request", "sync_run", "attendance", "attendance_day")
    }
    people, cells = _attendance(facts["attendance"], facts["attendance_day"])
    days, interfaces = _syncs(facts["sync_run"])
    return {
        "app_run": _runs(facts["uptime_check"]),
        "request_day": _requests(facts["service_request"]),
        "sync_day": days,
        "interface_seen": interfaces,
        "attendance_person": people,
        "attendance_cell": cells,
    }


def assert_right(world: World) -> None:
    """Every roll-up holds what its facts say, and nothing else."""
    found, wanted = stored(world), recounted(world)
    for name in NAMES:
        assert found[name] == wanted[name], name


def _day(us: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).astimezone(ZONE).date()


def _runs(checks: list[Any]) -> Rows:
    by_app: dict[str, dict[int, bool]] = defaultdict(dict)
    for c in checks:
        by_app[c.app][c.observed_at] = by_app[c.app].get(c.observed_at, True) and c.up
    found: Rows = []
    for app in sorted(by_app):
        moments = sorted(by_app[app])
        start = moments[0]
        for this, following in zip(moments, [*moments[1:], None], strict=True):
            same = following is not None and by_app[app][following] == by_app[app][this]
            if following is None or not same or following - this > GAP:
                found.append((app, start, this, by_app[app][this]))
                start = following if following is not None else start
    return found


def _requests(requests: list[Any]) -> Rows:
    cells: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0])
    for r in requests:
        cells[_day(r.opened_at), r.opd][0] += 1
        if r.status == "closed":
            cells[_day(r.closed_at), r.opd][1] += 1
    return sorted((*key, *counts) for key, counts in cells.items())


def _syncs(syncs: list[Any]) -> tuple[Rows, Rows]:
    keys = [(_day(s.started_at), s.opd, s.system, s.interface) for s in syncs]
    good = Counter(key for key, s in zip(keys, syncs, strict=True) if s.ok)
    days = sorted((*key, count, good[key]) for key, count in Counter(keys).items())
    return days, sorted({key[1:] for key in keys})


def _attendance(events: list[Any], told: list[Any]) -> tuple[Rows, Rows]:
    came: dict[tuple[date, str, str], dict[str, list[int]]] = defaultdict(lambda: {"in": [], "out": []})
    for e in events:
        came[_day(e.at), e.opd, e.employee][e.kind].append(e.at)
    people = sorted(
        (*key, min(t["in"], default=None), max(t["out"], default=None)) for key, t in came.items()
    )
    category: dict[tuple[date, str, str], str] = {}
    for d in told:
        key = (d.day, d.opd, d.employee)
        category[key] = max(category.get(key, ""), d.category)
    cells: dict[tuple[date, str], Counter[str]] = defaultdict(Counter)
    for day, opd, who in {*came, *category}:
        ins = came[day, opd, who]["in"] if (day, opd, who) in came else []
        what, cell = category.get((day, opd, who)), cells[day, opd]
        if what in ("izin", "sakit", "cuti"):
            cell["leave"] += 1
        elif ins or what == "hadir":
            start = datetime.combine(day, time(7, 45), tzinfo=ZONE)
            cell["present"] += 1
            cell["late"] += bool(ins) and min(ins) > round(start.timestamp() * 1_000_000)
        elif what == "dinas_luar":
            cell["off"] += 1
    counted = ((*key, c["present"], c["off"], c["leave"], c["late"]) for key, c in cells.items())
    return people, sorted(counted)
