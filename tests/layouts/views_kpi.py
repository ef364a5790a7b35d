"""The page of one figure at the sample's moment, of the city and of one OPD: a day, its band, its rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from kpis.charts import Behind, KpiTrend, KpiView, Step, Stretch, Usual
from kpis.types import Snapshot, Target
from tests.layouts import sample, views_domains

NOW = sample.NOW
KPI = "requests_overdue_share"


def stretches(base: float) -> tuple[Stretch, ...]:
    """A day of quarter hours that climbs, with an hour's gap."""
    begin = NOW - timedelta(hours=24)
    found = []
    for n in range(96):
        value = None if 30 <= n < 34 else base + n * 0.001
        low, high = (None, None) if value is None else (value - 0.004, value + 0.006)
        found.append(Stretch(at=begin + timedelta(minutes=15 * n), last=value, low=low, high=high))
    return tuple(found)


def trend() -> KpiTrend:
    begin = NOW - timedelta(hours=24)
    usual = tuple(
        Usual(at=begin + timedelta(hours=n), low=0.08, high=0.12 + n * 0.001, weeks=4) for n in range(24)
    )
    return KpiTrend(step=Step.QUARTER, begin=begin, end=NOW, points=stretches(0.15), usual=usual, weeks=4)


def _view() -> KpiView:
    opds = tuple(views_domains.OPDS[:8])
    return KpiView(
        kpi=KPI,
        target=Target(target=0.1, act=0.2),
        trend=trend(),
        opds=opds,
        courses={code: stretches(0.05 + n * 0.02) for n, code in enumerate(opds)},
        behind=Behind(
            word="Open past the deadline, longest first", total=23, requests=views_domains.requests(6)
        ),
        kept_back=False,
    )


def kpi(**changes: object) -> Snapshot:
    """The city's."""
    return sample.snapshot("kpi", _view(), **changes)


def opd_kpi(code: str = "dlh", **changes: object) -> Snapshot:
    """One OPD's."""
    return sample.snapshot("opd_kpi", replace(_view(), opds=(), courses={}), opd=code, **changes)


SNAPSHOTS = {"kpi": kpi, "opd_kpi": opd_kpi}
