"""The pages of one figure at the sample's moment: a course with a hole in it, a band, rows behind it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from kpis.charts import Behind, KpiTrend, KpiView, Step, Stretch, Usual
from kpis.spans import span_of
from kpis.types import Snapshot, Target
from tests.layouts import sample, views_domains

TODAY = sample.NOW.replace(hour=17, minute=0, second=0, microsecond=0) - timedelta(days=1)
DAYS = 30
HOLE = range(8, 11)


def course(level: float) -> Iterator[Stretch]:
    """A month of days around a level; on the days of `HOLE` nothing is known."""
    for n in range(DAYS):
        at = TODAY - timedelta(days=DAYS - 1 - n)
        last = level * (1 + 0.1 * math.sin(n / 3))
        if n in HOLE:
            yield Stretch(at=at, last=None, low=None, high=None)
        else:
            yield Stretch(at=at, last=last, low=last * 0.95, high=last * (1.3 if n == 20 else 1.04))


def trend(level: float = 1700) -> KpiTrend:
    """A month, with what eight other weeks make usual for its second half."""
    points = tuple(course(level))
    usual = tuple(
        Usual(at=one.at, low=level * 0.97, high=level * 1.05, weeks=8) for one in points[DAYS // 2 :]
    )
    return KpiTrend(step=Step.DAY, begin=points[0].at, end=sample.NOW, points=points, usual=usual, weeks=8)


def figure(opd: str | None = None, **changes: object) -> Snapshot:
    """The open requests of the city, or of one OPD, over thirty days."""
    rows = views_domains.service_requests().detail.oldest
    codes = tuple(one.code for one in sample.CITY.opds)
    view = KpiView(
        kpi="requests_open",
        target=Target(target=1700, act=1900),
        trend=trend(),
        opds=codes if opd is None else (),
        courses={code: tuple(course(40 + 7 * n)) for n, code in enumerate(codes)} if opd is None else {},
        behind=Behind(word="Open, longest first", total=2341, requests=rows),
        kept_back=False,
    )
    found = sample.snapshot("kpi" if opd is None else "opd_kpi", view, opd=opd)
    return replace(found, **{"span": span_of("30d", sample.NOW.date()), **changes})  # type: ignore[arg-type]


def of_opd(**changes: object) -> Snapshot:
    return figure("dlh", **changes)


SNAPSHOTS = {"kpi": figure, "opd_kpi": of_opd}
