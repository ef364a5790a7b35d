"""The mayor's, an OPD's and the sources' view at the sample's moment: every list with something in it."""

from __future__ import annotations

from datetime import timedelta

from kpis.types import Snapshot
from kpis.views import (
    Count,
    MayorView,
    OpdStanding,
    OpdStep,
    OpdView,
    RejectRow,
    SourceRow,
    SourcesView,
    StateChange,
    Step,
)
from tests.layouts import sample, views_domains

NOW = sample.NOW
OPD = "dlh"


def _standing(place: int, act: int, watch: int) -> OpdStanding:
    return OpdStanding(
        opd=views_domains.OPDS[place], on_target=17 - act - watch, watch=watch, act=act, unknown=2,
        worst_kpi="requests_overdue_share" if act else None, distance=float(act),
    )  # fmt: skip


def mayor(**changes: object) -> Snapshot:
    """Five that need a word, five that deserve one, and a day of changes."""
    kpis = ("requests_overdue_share", "apps_down_now", "attendance_rate_today", "sync_success_share_24h")
    view = MayorView(
        need=tuple(_standing(place, 4 - place // 2, 2) for place in range(5)),
        deserve=tuple(_standing(10 + place, 0, place % 2) for place in range(5)),
        changes=tuple(
            StateChange(
                kpi=kpis[n % 4],
                opd=None if n == 0 else views_domains.OPDS[n],
                at=NOW - timedelta(hours=2 * n, minutes=7),
                before="on_target",
                after=("act", "watch", "on_target", "unknown")[n % 4],
                value=0.24,
            )
            for n in range(8)
        ),
    )
    return sample.snapshot("mayor", view, **changes)


def opd(code: str = OPD, **changes: object) -> Snapshot:
    """One OPD's own page."""
    view = OpdView(
        opd=code,
        overdue=views_domains.requests(8),
        apps=views_domains.apps(12),
        interfaces=views_domains.interfaces(6),
        step=OpdStep(
            opd=code, step=Step.SEBAGIAN, lacks="bring every interface to the top step", interfaces=6,
            integrated=4,
        ),
        attendance=views_domains.attendance().detail.by_opd[0],
        rank=12,
        of=30,
    )  # fmt: skip
    return sample.snapshot("opd", view, opd=code, **changes)


def _source(name: str, door: str, freshness: str, error: str | None = None) -> SourceRow:
    never = freshness == "never"
    return SourceRow(
        source=name, door=door, feeds=() if never else ("service_request", "message"),
        last_at=None if never else NOW - timedelta(minutes=17), accepted=0 if never else 120_482, known=3_104,
        rejected=0 if never else 41, accepted_24h=0 if never else 2_204, rejected_24h=0 if never else 5,
        interval_s=900.0, freshness=freshness, error=error, behind_s=5400 if name == "sp4n" else None,
    )  # fmt: skip


def _reject(number: int, reason: str, field: str | None) -> RejectRow:
    return RejectRow(
        id=number, source="sp4n", feed="service_request", door="mqtt", place="city/v1/service_request/sp4n",
        first_at=NOW - timedelta(days=3), last_at=NOW - timedelta(hours=number), times=number * 3,
        reason=reason, field=field, detail="2019-02-30", replayed_at=None,
        raw='{"id": "2026000117", "opened_at": "2019-02-30"}',
    )  # fmt: skip


def sources(**changes: object) -> Snapshot:
    """Sources in every state, and one reject that was linked to."""
    rejects = (
        _reject(1, "bad_time", "opened_at"),
        _reject(2, "missing_field", "opd"),
        _reject(3, "bad_json", None),
    )
    view = SourcesView(
        sources=(
            _source("sp4n", "mqtt", "fresh"),
            _source("simpeg", "database", "late"),
            _source("pemantau", "probe", "stale"),
            _source("berkas", "file", "never"),
            _source("e-office", "database", "fresh", error="connection refused"),
        ),
        reasons=(Count(label="bad_time", count=12), Count(label="missing_field", count=4)),
        rejects=rejects,
        chosen=rejects[0],
        asked=1,
    )  # fmt: skip
    return sample.snapshot("sources", view, **changes)


SNAPSHOTS = {"mayor": mayor, "opd": opd, "sources": sources}
