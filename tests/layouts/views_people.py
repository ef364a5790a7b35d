"""The mayor's, an OPD's and the sources' view at the sample's moment: every list with something in it."""

from __future__ import annotations

from datetime import date, timedelta

from kpis.looks import Change, Turn
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
    Trouble,
    Why,
    Word,
)
from tests.layouts import sample, views_domains

NOW = sample.NOW
OPD = "dlh"
KPIS = ("requests_overdue_share", "apps_down_now", "attendance_rate_today", "sync_success_share_24h")


def _place(number: int, gained: int | None = 2) -> Place:
    code = views_domains.OPDS[number]
    return Place(opd=code, met=14 - number, judged=16, place=number + 1, of=30, gained=gained, compared=15)


def _changes(*moves: tuple[Turn, Severity, Severity]) -> tuple[Change, ...]:
    return tuple(
        Change(
            kpi=KPIS[n], opd=None if n == 0 else views_domains.OPDS[n], turn=turn, before=before, after=after,
            at=NOW - timedelta(hours=2 * n, minutes=7), times=n + 1,
        )
        for n, (turn, before, after) in enumerate(moves)
    )  # fmt: skip


def mayor(**changes: object) -> Snapshot:
    """Five that need a word, five that deserve one, and what moved since yesterday."""
    look = LookView(
        since=NOW - timedelta(hours=21),
        first=False,
        worse=_changes(
            (Turn.ACT, Severity.ON_TARGET, Severity.ACT),
            (Turn.WATCH, Severity.ON_TARGET, Severity.WATCH),
            (Turn.STALE, Severity.ACT, Severity.ACT),
            (Turn.UNSTEADY, Severity.WATCH, Severity.WATCH),
        ),
        better=_changes((Turn.EASED, Severity.ACT, Severity.WATCH)),
        worse_all=9,
        better_all=4,
        cut=False,
    )
    then = Past(at=NOW - timedelta(days=30), value=0.31, severity="act")
    view = MayorView(
        look=look,
        need=tuple(Word(opd=views_domains.OPDS[n], kpi=KPIS[n % 4], others=n) for n in range(5)),
        deserve=tuple(
            Praise(place=_place(10 + n), kpi=KPIS[n] if n < 3 else None, then=then if n < 3 else None)
            for n in range(5)
        ),
        acting=12,
        ranked=28,
        compared=True,
    )
    return sample.snapshot("mayor", view, **changes)


def _milestone(number: int, state: Promise) -> Milestone:
    done = date(2026, 10, 30) if state in (Promise.DONE, Promise.DONE_LATE) else None
    return Milestone(
        title=f"Taman kota tahap {number}", kind="fisik", due_on=date(2026, 10 + number % 3, 12),
        done_on=done, progress=None if number == 2 else 0.2 * number, state=state,
    )  # fmt: skip


def opd(code: str = OPD, **changes: object) -> Snapshot:
    """One OPD's own page."""
    interfaces = views_domains.interfaces(6)
    view = OpdView(
        opd=code,
        overdue=views_domains.requests(8),
        overdue_all=23,
        due=tuple(DueSoon(days=days, by=date(2026, 11, 16 + days), count=days * 3) for days in (1, 3, 5)),
        apps=views_domains.apps(12),
        interfaces=interfaces,
        troubles=tuple(
            Trouble(row=row, why=why, overdue_s=None if why is Why.NEVER else 7_400.0)
            for row, why in zip(interfaces, Why, strict=False)
        ),
        rejects=(Count(label="bad_time", count=12), Count(label="missing_field", count=1)),
        step=OpdStep(
            opd=code, step=Step.SEBAGIAN, lacks="bring every interface to the top step", interfaces=6,
            integrated=4,
        ),
        attendance=views_domains.attendance().detail.by_opd[0],
        before={key: Past(at=NOW - timedelta(days=30), value=0.2, severity="watch") for key in KPIS},
        place=_place(3),
        best=tuple(_place(n) for n in range(3)),
        improved=tuple(_place(n + 4, gained=5 - n) for n in range(3)),
        ranked=28,
        promises=PromisesView(
            counts={state: n + 1 for n, state in enumerate(Promise)},
            rows=tuple(_milestone(n, state) for n, state in enumerate(Promise)),
            updated_at=NOW - timedelta(days=2),
        ),
        targets_by={"requests_overdue_share": date(2026, 12, 31)},
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
