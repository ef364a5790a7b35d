"""The domain pages' views at the sample's moment: every state, every gap, and names that are long."""

from __future__ import annotations

import atexit
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from ingest.demo import city as demo_city
from kpis.types import Snapshot
from kpis.views import (
    AgeBand,
    AppDay,
    AppRow,
    AppState,
    AppView,
    ArrivalPoint,
    AttendanceDay,
    AttendanceView,
    ChainStage,
    ConnectedDay,
    Count,
    IntegrationView,
    InterfaceRow,
    InterfaceView,
    LedgerBreak,
    MilestoneRow,
    OpdAttendance,
    OpdRequests,
    OpdStep,
    OpdsView,
    Outage,
    RequestDay,
    RequestRow,
    RequestsView,
    RoadMap,
    RoadPoint,
    Step,
    SyncDay,
    SyncRun,
    UptimeView,
)
from tests.layouts import sample

NOW = sample.NOW
TODAY = NOW.astimezone(sample.SETTINGS.zone).date()
OPDS = [opd.code for opd in sample.CITY.opds]


def requests(count: int = 12) -> tuple[RequestRow, ...]:
    statuses = ("received", "verified", "assigned", "in_progress", "answered")
    return tuple(
        RequestRow(
            source="lapor" if n % 3 else "sms",
            id=f"2026{n:06d}",
            opd=OPDS[(n * 7) % len(OPDS)],
            status=statuses[n % 5],
            category=None if n == 4 else ("jalan rusak", "lampu_jalan", "sampah menumpuk di saluran")[n % 3],
            channel=None if n == 3 else ("sms", "tatap_muka", "radio_warga")[n % 3],
            kelurahan=None if n == 2 else "Karangmulya",
            opened_at=NOW - timedelta(days=64 - n * 3, hours=5),
            due_at=None if n == 5 else NOW - timedelta(days=50 - n * 5, hours=5),
        )
        for n in range(count)
    )


def _days(number: int) -> tuple[AppDay, ...]:
    found = []
    for back in range(89, -1, -1):
        whole = 86_400.0 if back else 8.7 * 3600
        down = whole if (number + back) % 47 == 0 else 900.0 if (number * 5 + back) % 31 == 0 else 0.0
        seen = (
            0.0
            if (number * 3 + back) % 43 < number % 4
            else whole * 0.6
            if (number + back) % 41 == 0
            else whole
        )
        down = min(down, seen)
        kept = 3 * 3600.0 if (number * 7 + back) % 53 == 0 else 0.0
        day = TODAY - timedelta(days=back)
        found.append(AppDay(day=day, up_s=seen - down, down_s=down, passed_s=whole, maintained_s=kept))
    return tuple(found)


def app(number: int, state: AppState) -> AppRow:
    never = state is AppState.NEVER
    code = OPDS[number % len(OPDS)]
    host = f"layanan{number}.{code}.kotacontoh.go.id"
    return AppRow(
        app=host,
        name=host if number % 9 == 0 else "Sistem Informasi Pelayanan Perizinan Terpadu Satu Pintu",
        opd=None if number % 8 == 0 else code,
        owner=None if number % 5 == 0 else "Bidang Pengelolaan Informasi Administrasi",
        url=None if number % 7 == 0 else f"https://{host}/",
        hosting="pusat data kota",
        state=state,
        since=None if never else NOW - timedelta(minutes=11 * number + 3),
        observed_at=None if never else NOW - timedelta(seconds=40),
        latency_ms=None if never or state is AppState.DOWN else 80.0 + 37 * number,
        status_code=503 if state is AppState.DOWN and number % 2 else None,
        error=("timeout" if number % 2 == 0 else "http 503") if state is AppState.DOWN else None,
        cert_expires_at=None if number % 3 else NOW + timedelta(days=number * 6 - 20),
        uptime_24h=None if never else 0.9987,
        uptime_30d=None if never else 0.99421,
        days=() if never else _days(number),
    )


def apps(count: int = 60) -> tuple[AppRow, ...]:
    worst = [AppState.DOWN] * 4 + [AppState.UNKNOWN] * 3 + [AppState.MAINTENANCE] * 2
    states = [*worst, *[AppState.UP] * (count - 13), *[AppState.NEVER] * 4]
    return tuple(app(number, state) for number, state in enumerate(states))


def interfaces(count: int = 36) -> tuple[InterfaceRow, ...]:
    found = []
    for number in range(count):
        step = (Step.TERDAFTAR, Step.TERHUBUNG, Step.TERINTEGRASI)[number * 3 // count]
        never = number < 2
        good = step is not Step.TERDAFTAR
        found.append(
            InterfaceRow(
                opd=OPDS[number % (len(OPDS) - 2)],
                system=("sipd", "simpeg", "siak", "e-kinerja")[number % 4],
                interface=("realisasi", "pegawai", "penduduk_per_kelurahan")[number % 3],
                last_run_at=None if never else NOW - timedelta(hours=number),
                last_ok=None if never else good,
                last_ok_at=NOW - timedelta(hours=number) if good else None,
                data_as_of=NOW - timedelta(hours=number + 2) if good else None,
                data_age_hours=number + 2.0 if good else None,
                runs_24h=0 if never else 24,
                ok_24h=24 if good else 0,
                matched_share=0.971 if good else None,
                rejected_share=0.004 if good else None,
                step=step,
                error=None if good or never else "connection refused by the service bus",
            )
        )
    return tuple(found)


def app_uptime(**changes: object) -> Snapshot:
    rows = apps()
    view = UptimeView(
        apps=rows,
        without_owner=sum(row.owner is None and row.opd is None for row in rows),
        never_checked=sum(row.state is AppState.NEVER for row in rows),
        objective=0.995,
    )
    return sample.snapshot("app_uptime", view, **changes)


@cache
def _map() -> tuple[Path, tuple[str, ...]]:
    """The pretend city's map as a file, and the names on it."""
    city = demo_city.found(sample.SETTINGS, TODAY)
    path = Path(mkdtemp(prefix="pendopo-map-")) / "kelurahan.geojson"
    atexit.register(rmtree, path.parent, ignore_errors=True)
    demo_city.write_map(city, path)
    return path, tuple(place.name for place in city.places)


def service_requests(**changes: object) -> Snapshot:
    map_file, names = _map()
    days = tuple(
        RequestDay(
            day=TODAY - timedelta(days=back),
            opened=0 if back == 9 else 150 + (back * 37) % 90,
            closed=0 if back % 7 == 0 else 140 + (back * 53) % 110,
        )
        for back in range(29, -1, -1)
    )
    bands = ((0, 3, 512, 0), (3, 7, 604, 12), (7, 14, 611, 160), (14, 30, 402, 240), (30, 60, 180, 120))
    ages = [AgeBand(from_days=a, to_days=b, count=n, overdue=late) for a, b, n, late in bands]
    view = RequestsView(
        by_status=_counts("received", "verified", "assigned", "in_progress", "answered"),
        by_channel=_counts("sms", "whatsapp", "aplikasi", "web", "tatap_muka", "radio_warga"),
        by_category=_counts("jalan rusak", "lampu_jalan", "sampah menumpuk di saluran pembuangan warga"),
        by_kelurahan=_counts(*names),
        ages=(*ages, AgeBand(from_days=60, to_days=None, count=32, overdue=32)),
        by_opd=tuple(
            OpdRequests(
                opd=code,
                open=600 - n * 20,
                overdue=max(0, 100 - n * 6),
                closed_30d=0 if n == 7 else 1204 - n * 30,
                close_days_p50=None if n == 7 else 6.41,
                close_days_p90=None if n == 7 else 16.2,
            )
            for n, code in enumerate(OPDS)
        ),
        days=days,
        oldest=requests(),
    )
    city = replace(sample.CITY, map_file=map_file)
    return sample.snapshot("service_requests", view, **{"city": city, **changes})


def _counts(*labels: str) -> tuple[Count, ...]:
    return tuple(
        Count(label=label, count=1204 // (n + 1), overdue=0 if n == 2 else 211 // (n + 1))
        for n, label in enumerate(labels)
    )


def application(**changes: object) -> Snapshot:
    row = app(3, AppState.DOWN)
    outages = tuple(
        Outage(
            started_at=NOW - timedelta(days=n * 5, minutes=36),
            ended_at=None if n == 0 else NOW - timedelta(days=n * 5, minutes=3),
            recovered=n % 3 == 1,
            down_s=60.0 * (36 if n == 0 else 33 + 700 * (n % 4)),
        )
        for n in range(8)
    )
    view = AppView(
        app=row.app, row=row, objective=0.995, outages=outages, outage_count=11,
        up_s=7_000_000, down_s=70_000,
    )  # fmt: skip
    return sample.snapshot("app", view, **changes)


def opds(**changes: object) -> Snapshot:
    return sample.snapshot("opds", OpdsView(), **changes)


SNAPSHOTS = {
    "service_requests": service_requests, "app_uptime": app_uptime, "app": application, "opds": opds,
}  # fmt: skip


def _breaks(count: int) -> tuple[LedgerBreak, ...]:
    reasons = ("missing_before", "differs", "exceeds")
    stages = ("procurement", "budget", "contract")
    return tuple(
        LedgerBreak(
            opd=OPDS[n % len(OPDS)],
            year=2026,
            code=f"5.02.02.2.01.{n:04d}",
            name=None if n == 1 else "Koordinasi dan Penyusunan Dokumen Perencanaan Perangkat Daerah",
            stage=stages[n % 3],
            reason=reasons[n % 3],
            amount=1_254_000_000.0 + n,
            against=None if n % 3 == 0 else 1_200_000_000.0,
            since=NOW - timedelta(days=90 - n),
        )
        for n in range(count)
    )


def integration(**changes: object) -> Snapshot:
    lacks = {
        Step.BELUM: "register an interface",
        Step.TERDAFTAR: "sync successfully within the interval",
        Step.TERHUBUNG: "match reference codes and lower rejected rows",
        Step.SEBAGIAN: "bring every interface to the top step",
        Step.TERINTEGRASI: None,
    }
    order = [Step.BELUM] * 2 + [Step.TERDAFTAR] + [Step.TERHUBUNG] * 2 + [Step.SEBAGIAN] * 4
    steps = [*order, *[Step.TERINTEGRASI] * (len(OPDS) - len(order))]
    view = IntegrationView(
        steps=tuple(
            OpdStep(
                opd=code,
                step=step,
                lacks=lacks[step],
                interfaces=0 if step is Step.BELUM else 3,
                integrated=3 if step is Step.TERINTEGRASI else int(step is Step.SEBAGIAN),
            )
            for code, step in zip(OPDS, steps, strict=True)
        ),
        interfaces=interfaces(),
        breaks=_breaks(43),
        codes=412,
        chain=chain_stages(),
        days={
            (row.opd, row.system, row.interface): sync_days(n)
            for n, row in enumerate(interfaces()) if n > 1
        },
        road_map=road_map(),
        connected=tuple(
            ConnectedDay(
                day=TODAY - timedelta(days=back), connected=26 - back // 6, target=28 - back // 20,
            )
            for back in range(89, -1, -1)
        ),
        opds=len(OPDS),
    )  # fmt: skip
    return sample.snapshot("integration", view, **changes)


def chain_stages() -> tuple[ChainStage, ...]:
    stages = ("plan", "budget", "procurement", "contract", "realisation")
    return tuple(
        ChainStage(stage=stage, codes=412 - n * 70, amount=4.1e11 - n * 6.3e10, breaks=(0, 12, 9, 21, 1)[n])
        for n, stage in enumerate(stages)
    )


def sync_days(number: int) -> tuple[SyncDay, ...]:
    return tuple(
        SyncDay(
            day=TODAY - timedelta(days=back), runs=0 if (number + back) % 29 == 0 else 8,
            ok=0 if (number + back) % 29 == 0 else 5 if (number * 3 + back) % 19 == 0 else 8,
        )
        for back in range(89, -1, -1)
    )  # fmt: skip


def milestone(number: int) -> MilestoneRow:
    due = TODAY + timedelta(days=number * 9 - 300)
    done = due + timedelta(days=number % 5 * 6) if number % 7 else None
    kept = done if done is not None and done <= TODAY else None
    return MilestoneRow(
        id=f"m{number}", opd=OPDS[number % len(OPDS)],
        title="Sambungkan sistem kepegawaian ke bus layanan kota", kind="connect",
        programme="Integrasi Data dan Aplikasi", due_on=due, done_on=kept, budget=120e6 + number * 1e6,
        progress=1.0 if kept else 0.4,
    )  # fmt: skip


def road_map() -> RoadMap:
    rows = [milestone(number) for number in range(60)]
    first = rows[0].due_on
    days = [first + timedelta(days=7 * n) for n in range((rows[-1].due_on - first).days // 7 + 1)]
    points = tuple(
        RoadPoint(
            day=day,
            due=sum(row.due_on <= day for row in rows),
            done=sum(row.done_on is not None and row.done_on <= day for row in rows)
            if day <= TODAY
            else None,
            budget_due=sum(row.budget for row in rows if row.due_on <= day),
            budget_done=sum(row.budget for row in rows if row.done_on and row.done_on <= day)
            if day <= TODAY
            else None,
        )
        for day in sorted({*days, TODAY})
    )
    late = tuple(row for row in rows if row.done_on is None and row.due_on < TODAY)
    coming = tuple(row for row in rows if row.done_on is None and row.due_on >= TODAY)
    return RoadMap(
        points=points, total=60, late=late, late_count=len(late) + 3, coming=coming[:12],
        budget=sum(row.budget for row in rows),
        budget_due=sum(row.budget for row in rows if row.due_on <= TODAY),
        budget_done=sum(row.budget * row.progress for row in rows),
    )  # fmt: skip


def interface(**changes: object) -> Snapshot:
    row = interfaces()[20]
    runs = tuple(
        SyncRun(
            started_at=NOW - timedelta(hours=3 * n), finished_at=NOW - timedelta(hours=3 * n, minutes=-1),
            ok=n % 6 != 2, rows_read=None if n % 6 == 2 else 4_120 + n, rows_rejected=n % 4, matched=4_000,
            unmatched=120, data_as_of=NOW - timedelta(hours=3 * n + 1),
            error="koneksi ditolak" if n % 6 == 2 else None,
        )
        for n in range(20)
    )  # fmt: skip
    view = InterfaceView(
        asked="x", row=row, days=sync_days(4), runs=runs, run_count=56, ok_count=50,
    )  # fmt: skip
    return sample.snapshot("interface", view, **changes)


SNAPSHOTS["integration"] = integration
SNAPSHOTS["interface"] = interface


def _opd_day(number: int, opd: str) -> OpdAttendance:
    present = 60 + number * 3
    return OpdAttendance(
        opd=opd,
        expected=present + 12,
        leave=4,
        present=0 if number == 0 else present,
        off_site=2,
        late=0 if number == 0 else number,
        left_early=0,
        unexplained=number % 3,
        checkins=0 if number == 0 else present + 1,
        doubtful=number % 2,
    )


def attendance(day_off: str | None = None, **changes: object) -> Snapshot:
    minutes = range(6 * 60, 10 * 60 + 1, 10)
    worked = [TODAY - timedelta(days=back) for back in range(29, -1, -1)]
    view = AttendanceView(
        day=TODAY,
        day_off=day_off,
        shift_start="07:30",
        grace_minutes=15,
        by_opd=tuple(
            replace(_opd_day(n, code), **({"expected": 0, "leave": 0} if day_off else {}))
            for n, code in enumerate(OPDS)
        ),
        arrivals=tuple(
            ArrivalPoint(
                minute=minute,
                today=None if minute > 8 * 60 + 42 or day_off else min(0.91, (minute - 355) / 160),
                usual=min(0.94, (minute - 350) / 150),
                low=min(0.91, (minute - 356) / 160),
                high=min(0.96, (minute - 343) / 142),
            )
            for minute in minutes
        ),
        days=tuple(
            AttendanceDay(day=day, attended=7_900 + 31 * (n % 11), due=8_870, late=640 + n)
            if day.isoweekday() < 6
            else AttendanceDay(day=day, attended=0, due=0, late=0, off="weekend")
            for n, day in enumerate(worked)
            if day != worked[9]
        ),
        usual_days=tuple(TODAY - timedelta(weeks=n) for n in (1, 2, 3, 5, 6, 8)),
        first=worked[0],
        last=TODAY,
    )
    return sample.snapshot("attendance", view, **changes)


SNAPSHOTS["attendance"] = attendance
