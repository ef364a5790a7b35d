"""How long a page's snapshot, the evaluator and a question to the bare facts take, in turns.

Every city is timed once in each round, so that whatever else the machine does falls on all alike; the
quickest of the rounds says what was left when it did nothing else.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import NamedTuple

from benchmarks.growth_city import Grown, connect
from benchmarks.growth_shape import NOW
from dashboard.snapshot import Key
from dashboard.tables import Tables
from ingest.evaluate import Evaluator
from kpis.catalogue import DOMAINS, Measured, catalogue
from kpis.readings import measure
from layouts.pages import PAGES

Timed = dict[str, float]


class Times(NamedTuple):
    """Of every city, ms by what was timed: the median of the rounds, and the quickest."""

    median: list[Timed]
    quickest: list[Timed]


# What the pages would have to ask if there were no roll-ups and no index led to the newest of each.
_RAW = {
    "latest_check_of_each_app": "SELECT app, max(observed_at) FROM uptime_check GROUP BY app",
    "good_checks_by_app": "SELECT app, sum(CASE WHEN up THEN 1 ELSE 0 END) FROM uptime_check GROUP BY app",
    "open_requests_by_opd": "SELECT opd, count(*) FROM service_request"
    " WHERE status NOT IN ('closed', 'rejected', 'archived', 'withdrawn') GROUP BY opd",
    "last_good_sync": "SELECT opd, system, interface, max(started_at) FROM sync_run"
    " WHERE ok GROUP BY opd, system, interface",
    "attendance_by_day": "SELECT day, opd, count(DISTINCT employee) FROM attendance"
    " WHERE kind = 'in' GROUP BY day, opd",
}


class _Tick:
    """A clock that ten seconds pass on between two looks, as between two cycles of the evaluator."""

    def __init__(self) -> None:
        self._at = NOW

    def __call__(self) -> datetime:
        self._at += timedelta(seconds=10)
        return self._at


def read_pages(cities: Sequence[Grown], rounds: int) -> Times:
    """What it takes: every page's snapshot, of the city or one OPD, for each city."""
    opd = cities[0].settings.city.opds[0].code
    kpi = next(iter(catalogue()))
    asked = {
        page.name: Key(page.name, opd if page.scope == "opd" else None, kpi=kpi if page.of_kpi else None)
        for page in PAGES
    }
    tables = [Tables(city.settings, city.store) for city in cities]
    works = [{name: _reading(one, key) for name, key in asked.items()} for one in tables]
    return _medians(works, rounds)


def _reading(tables: Tables, key: Key) -> Callable[[], object]:
    return lambda: tables.read(key)


def run_evaluator(cities: Sequence[Grown], rounds: int) -> Times:
    """What it takes: `cycle`, what the evaluator does every ten seconds (all KPIs of all scopes measured,
    judged, written), of measuring each domain, and of `past_hour`, all KPIs as they were some hours ago."""
    works = []
    for city in cities:
        evaluator = Evaluator(city.store, city.settings, _Tick())
        work: dict[str, Callable[[], object]] = {"cycle": _cycle(evaluator)}
        for domain in DOMAINS:
            work[domain.domain.value] = _measuring(city, (domain,), NOW)
        work["past_hour"] = _measuring(city, DOMAINS, NOW - timedelta(hours=7))
        works.append(work)
    return _medians(works, rounds)


def _cycle(evaluator: Evaluator) -> Callable[[], object]:
    return lambda: evaluator.cycle(everything=True)


def _measuring(city: Grown, domains: Sequence[Measured], at: datetime) -> Callable[[], object]:
    def work() -> object:
        with city.store.read() as conn:
            return measure(conn, city.settings, at, domains)

    return work


def ask_facts(cities: Sequence[Grown], rounds: int) -> Times:
    """What it takes: each question to the bare facts, for each city."""
    works = [{name: _asking(city, statement) for name, statement in _RAW.items()} for city in cities]
    return _medians(works, rounds)


def _asking(city: Grown, statement: str) -> Callable[[], object]:
    def work() -> object:
        with closing(connect(city.settings.store.url)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    return work


def _medians(works: Sequence[dict[str, Callable[[], object]]], rounds: int) -> Times:
    """One warm-up of everything, then `rounds` turns; ms."""
    took: list[dict[str, list[float]]] = [defaultdict(list) for _ in works]
    for number in range(rounds + 1):
        for work, found in zip(works, took, strict=True):
            for name, call in work.items():
                began = time.perf_counter()
                call()
                if number:
                    found[name].append((time.perf_counter() - began) * 1000)
    return Times(*([_each(found, pick) for found in took] for pick in (statistics.median, min)))


def _each(found: dict[str, list[float]], pick: Callable[[list[float]], float]) -> Timed:
    return {name: round(pick(ms), 2) for name, ms in found.items()}
