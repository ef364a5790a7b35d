"""The mayor's, an OPD's and the sources' view at the sample's moment: every list with something in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from kpis.looks import Change, Turn
from kpis.opd_integration import troubles
from kpis.ranks import Place
from kpis.types import Severity, Snapshot
from kpis.views import (
    Count,
    DueSoon,
    LookView,
    MayorView,
    Milestone,
    OpdStep,
    OpdView,
    Past,
    Praise,
    Promise,
    PromisesView,
    RejectRow,
    SourceRow,
    SourcesView,
    Step,
    Word,
)
from tests.layouts import sample, views_domains

NOW = sample.NOW
OPD = "dlh"


def _place(place: int, number: int, **changes: object) -> Place:
    found = Place(
        opd=views_domains.OPDS[number], met=18 - place, judged=18, place=place, of=28, tied=0,
        gained=2 - place % 3, compared=17,
    )  # fmt: skip
    return replace(found, **changes)  # type: ignore[arg-type]


def _change(number: int, turn: Turn, opd: int | None, times: int = 1) -> Change:
    kpis = ("requests_overdue_share", "apps_down_now", "attendance_rate_today", "sync_success_share_24h")
    return Change(
        kpi=kpis[number % 4], opd=None if opd is None else views_domains.OPDS[opd], turn=turn,
        before=Severity.ON_TARGET, after=Severity.ACT, times=times,
        at=NOW - timedelta(hours=5 * number, minutes=7),
    )  # fmt: skip


def look(**changes: object) -> LookView:
    """A look since Sunday evening in which something of each kind happened."""
    found = LookView(
        since=NOW - timedelta(hours=13, minutes=2),
        first=False,
        worse=(
            _change(0, Turn.ACT, None),
            _change(0, Turn.ACT, 12, times=5),
            _change(1, Turn.WATCH, 18),
            _change(3, Turn.STALE, None),
            _change(2, Turn.UNSTEADY, 4, times=6),
        ),
        better=(_change(1, Turn.EASED, 9), _change(3, Turn.RECOVERED, None)),
        worse_all=9,
        better_all=4,
        cut=False,
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def mayor(**changes: object) -> Snapshot:
    """Five that need a word, five that deserve one, and what changed since Sunday evening."""
    kpis = ("requests_overdue_share", "apps_down_now", "attendance_rate_today", "data_age_hours_worst")
    past = Past(at=NOW - timedelta(days=30), value=0.241, severity="act")
    view = MayorView(
        look=look(),
        need=tuple(
            Word(opd=views_domains.OPDS[place], kpi=kpis[place % 4], others=others)
            for others, place in enumerate((9, 11, 12, 18, 20))
        ),
        deserve=(
            *(Praise(place=_place(1 + n, n)) for n in range(3)),
            Praise(place=_place(5, 4), kpi="requests_overdue_share", then=past),
            Praise(place=_place(6, 6)),
        ),
        acting=7,
        ranked=28,
        compared=True,
    )
    return sample.snapshot("mayor", view, **changes)


def _milestone(name: str, due: int, done: int | None, state: Promise, progress: float | None) -> Milestone:
    today = views_domains.TODAY
    return Milestone(
        name=name, kind="integrasi_data", due_on=today + timedelta(days=due),
        done_on=None if done is None else today + timedelta(days=done), progress=progress, state=state,
    )  # fmt: skip


def promised() -> PromisesView:
    """A promise of every kind, one of them with a title that is long."""
    rows = (
        _milestone("Sambungkan sistem kependudukan ke bus layanan kota", -21, None, Promise.OVERDUE, 0.4),
        _milestone(
            "Latih administrator dan operator seluruh bidang dan kecamatan", 9, None, Promise.DUE, None
        ),
        _milestone("Terbitkan metadata", 70, None, Promise.LATER, 0.1),
        _milestone("Padankan kode referensi", -40, -30, Promise.DONE_LATE, None),
        _milestone("Lengkapi inventaris aplikasi", -60, -61, Promise.DONE, None),
    )
    counts = dict(zip(Promise, (3, 1, 4, 2, 6), strict=True))
    return PromisesView(counts=counts, rows=rows, updated_at=NOW - timedelta(hours=4))


def opd(code: str = OPD, **changes: object) -> Snapshot:
    """One OPD's own page, with something to do in every list."""
    interfaces = tuple(replace(row, opd=code, interval_s=6 * 3600.0) for row in views_domains.interfaces(6))
    today = views_domains.TODAY
    view = OpdView(
        opd=code,
        overdue=views_domains.requests(8),
        overdue_all=31,
        due=tuple(
            DueSoon(days=days, by=today + timedelta(days=days), count=count)
            for days, count in ((1, 4), (3, 11), (5, 19))
        ),
        apps=views_domains.apps(12),
        interfaces=interfaces,
        troubles=troubles(interfaces, NOW),
        rejects=(Count(label="missing_field", count=12), Count(label="bad_time", count=3)),
        step=OpdStep(
            opd=code, step=Step.SEBAGIAN, lacks="bring every interface to the top step", interfaces=6,
            integrated=4,
        ),
        attendance=replace(views_domains.attendance().detail.by_opd[7], opd=code),
        before={
            "requests_open": Past(at=NOW - timedelta(days=30), value=2011.0, severity="on_target"),
            "requests_overdue_share": Past(at=NOW - timedelta(days=30), value=0.31, severity="act"),
            "app_uptime_30d": Past(at=NOW - timedelta(days=30), value=0.99624, severity="on_target"),
            "attendance_rate_today": Past(at=NOW - timedelta(days=30), value=None, severity="unknown"),
        },
        place=_place(12, 18, tied=2),
        best=(_place(1, 0), _place(1, 3)),
        improved=(_place(4, 6, gained=5),),
        ranked=28,
        promises=promised(),
        targets_by={"opd_integrated": date(2026, 12, 31)},
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
