"""An OPD's page against plain sums over the facts, on both stores, at a moment that stands still."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from kpis import mayor, opd_page, readings
from kpis.opd_integration import promises, troubles
from kpis.readings import reading, reading_change, reading_history
from kpis.service_requests import due_soon
from kpis.sources import rejects_of
from kpis.store import metadata, micros
from kpis.types import Severity
from kpis.views import InterfaceRow, MayorView, OpdView, Promise, PromisesView, Step, Why
from tests.kpis.test_plans import asked
from tests.pipeline.world import NOW, World, ago, record

TODAY = date(2026, 8, 19)  # a Wednesday; Monday 17 and Tuesday 25 August 2026 are holidays


def page(world: World, opd: str = "dinkes") -> OpdView:
    with world.store.read() as conn:
        found = readings.as_of(conn, world.settings, NOW)
        return opd_page.view(conn, world.settings, NOW, opd, found)


# --- what falls due --------------------------------------------------------------------------------


def wib(day: int, hour: int, minute: int = 0) -> str:
    return datetime(2026, 8, day, hour, minute, tzinfo=ZoneInfo("Asia/Jakarta")).isoformat()


def test_what_falls_due_is_counted_in_working_days(world: World) -> None:
    dues = {
        "now": NOW.isoformat(), "past": ago(seconds=1), "tonight": wib(19, 23, 59),
        "thursday": wib(20, 23, 59),
        "friday": wib(21, 0), "weekend": wib(23, 12), "monday": wib(24, 23, 59), "tuesday": wib(25, 0),
        "wednesday": wib(26, 23, 59), "too_late": wib(28, 0), "none": None,
    }  # fmt: skip
    rows = [record("service_request", id=name, due_at=due or ...) for name, due in dues.items()]
    rows.append(record("service_request", id="other", opd="dishub", due_at=wib(20, 9)))
    closed = {"status": "closed", "closed_at": ago(hours=1), "updated_at": ago(hours=1)}
    rows.append(record("service_request", id="done", due_at=wib(20, 9), **closed))
    assert world.take("service_request", *rows).accepted == len(rows)
    with world.store.read() as conn:
        found = due_soon(conn, world.settings, NOW, "dinkes")
    assert [(one.days, one.by.isoformat(), one.count) for one in found] == [
        (1, "2026-08-20", 3), (3, "2026-08-24", 6), (5, "2026-08-27", 8),
    ]  # fmt: skip


def test_a_holiday_is_no_working_day(world: World) -> None:
    with world.store.read() as conn:
        at = datetime.fromisoformat(wib(14, 10))  # the Friday before a long weekend
        found = due_soon(conn, world.settings, at, "dinkes")
    assert [one.by.isoformat() for one in found] == ["2026-08-18", "2026-08-20", "2026-08-24"]


def test_a_calendar_without_working_days_still_answers(world: World) -> None:
    world.with_settings(e_attendance={"workdays": []})
    with world.store.read() as conn:
        assert [one.count for one in due_soon(conn, world.settings, NOW, "dinkes")] == [0, 0, 0]


def test_what_is_overdue_is_what_the_facts_say(world: World) -> None:
    import random

    lots = random.Random(5)
    rows = [
        record(
            "service_request", id=f"r{n}", opd=lots.choice(["dinkes", "dishub"]), opened_at=ago(days=40),
            due_at=ago(days=lots.uniform(-9, 20)), status=lots.choice(["received", "closed", "answered"]),
            updated_at=ago(days=lots.uniform(0, 2)), category="sampah", kelurahan="Karangmulya",
        )
        for n in range(90)
    ]  # fmt: skip
    world.take("service_request", *rows)
    facts = world.rows(metadata.tables["service_request"])
    for opd in ("dinkes", "dishub"):
        late = [r for r in facts if r.opd == opd and r.ended_at is None and r.due_at < micros(NOW)]
        found = page(world, opd)
        assert found.overdue_all == len(late) > 12
        longest = sorted(late, key=lambda r: (r.due_at, r.source, r.id))[:12]
        assert [(r.id, micros(r.due_at)) for r in found.overdue if r.due_at] == [
            (r.id, r.due_at) for r in longest
        ]


# --- what was promised -----------------------------------------------------------------------------

MILESTONES: dict[str, tuple[int, int | None, Promise]] = {
    "long ago": (-90, None, Promise.OVERDUE),
    "yesterday": (-1, None, Promise.OVERDUE),
    "today": (0, None, Promise.DUE),
    "in a month": (30, None, Promise.DUE),
    "later": (31, None, Promise.LATER),
    "in time": (-10, -10, Promise.DONE),
    "early": (20, 0, Promise.DONE),
    "late": (-10, -9, Promise.DONE_LATE),
    "foretold": (5, 3, Promise.DUE),
    "foretold, late": (-3, 2, Promise.OVERDUE),
}


def promised(world: World) -> PromisesView:
    with world.store.read() as conn:
        return promises(conn, "dinkes", TODAY)


def put_milestones(world: World, **more: Any) -> None:
    rows = []
    for title, (due, done, _) in MILESTONES.items():
        days = {"due_on": str(TODAY + timedelta(days=due))}
        if done is not None:
            days["done_on"] = str(TODAY + timedelta(days=done))
        rows.append(record("milestone", id=title, title=title, **days, **more))
    rows.append(record("milestone", id="other", opd="dishub"))
    assert world.take("milestone", *rows).accepted == len(rows)


def test_milestones_stand_where_their_days_say(world: World) -> None:
    put_milestones(world)
    found = promised(world)
    assert found.counts == Counter(state for _, _, state in MILESTONES.values())
    states = {row.name: row.state for row in found.rows}
    assert states == {title: MILESTONES[title][2] for title in states}
    assert [row.name for row in found.rows] == [
        "long ago", "foretold, late", "yesterday", "today", "foretold", "in a month", "later", "early",
    ]  # fmt: skip
    assert found.updated_at == NOW - timedelta(days=1)


def test_an_opd_without_milestones_promised_nothing(world: World) -> None:
    found = promised(world)
    assert (found.rows, found.updated_at, set(found.counts.values())) == ((), None, {0})


def test_no_more_milestones_are_read_than_are_shown(world: World) -> None:
    rows = [record("milestone", id=f"m{n}", due_on=str(TODAY - timedelta(days=n))) for n in range(1, 60)]
    world.take("milestone", *rows)
    found = promised(world)
    assert found.counts[Promise.OVERDUE] == 59
    assert [row.due_on for row in found.rows] == [TODAY - timedelta(days=n) for n in (59, 58, 57, 56)]


# --- what systems failed to send ---------------------------------------------------------------------


def interface(last: float | None, ok: bool, good: float | None, interval: float = 6) -> InterfaceRow:
    """Hours ago of the newest run and of the newest good one; it should run every `interval` hours."""

    def before(hours: float | None) -> datetime | None:
        return None if hours is None else NOW - timedelta(hours=hours)

    return InterfaceRow(
        opd="dinkes", system="simpus", interface=f"{last}-{ok}-{good}",
        last_run_at=before(last), last_ok=None if last is None else ok, last_ok_at=before(good),
        data_as_of=None, data_age_hours=None, runs_24h=0, ok_24h=0, matched_share=None, rejected_share=None,
        step=Step.TERDAFTAR, error=None, interval_s=interval * 3600,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("row", "why", "hours"),
    [
        (interface(None, False, None), Why.NEVER, None),
        (interface(1, False, None), Why.FAILED, None),
        (interface(1, False, 2), Why.FAILED, 0),
        (interface(1, False, 8), Why.FAILED, 2),
        (interface(1, True, 1), None, None),
        (interface(6, True, 6), None, None),
        (interface(7, True, 7), Why.LATE, 1),
        (interface(18, True, 18), Why.LATE, 12),
        (interface(19, True, 19), Why.STALE, 13),
    ],
)
def test_an_interface_is_in_trouble_when(row: InterfaceRow, why: Why | None, hours: float | None) -> None:
    found = troubles([row], NOW)
    seconds = None if hours is None else hours * 3600
    assert [(one.why, one.overdue_s) for one in found] == ([] if why is None else [(why, seconds)])


def test_the_worst_trouble_comes_first() -> None:
    rows = [interface(7, True, 7), interface(None, False, None), interface(20, True, 20),
            interface(40, True, 40), interface(1, False, 3)]  # fmt: skip
    assert [one.why for one in troubles(rows, NOW)] == [Why.NEVER, Why.FAILED, Why.STALE, Why.STALE, Why.LATE]


def test_an_opds_rejects_are_its_own(world: World) -> None:
    bad = [
        record("service_request", id="a", status="entah"), record("service_request", id="b", status="entah"),
        record("service_request", id="c", opened_at="2026-08-18T09:00:00"),
        record("service_request", id="d", opd="dishub", status="entah"),
        record("service_request", id="e", opd="tidak-ada"),
    ]  # fmt: skip
    outcome = world.take("service_request", *bad, b"{broken")
    assert outcome.rejected == 6
    with world.store.read() as conn:
        found = {opd: rejects_of(conn, opd) for opd in ("dinkes", "dishub", "damkar", "tidak-ada")}
    said = {opd: [(one.label, one.count) for one in counts] for opd, counts in found.items()}
    assert said["dinkes"] == [("bad_value", 2), ("naive_time", 1)]
    assert said["dishub"] == [("bad_value", 1)]
    assert said["damkar"] == said["tidak-ada"] == []
    world.take("service_request", *bad[:1])
    with world.store.read() as conn:
        assert rejects_of(conn, "dinkes")[0].count == 3, "the same bad record again is counted"


def test_a_record_that_contradicts_another_counts_for_its_opd(world: World) -> None:
    world.take("sync_run", record("sync_run"))
    world.take("sync_run", record("sync_run", ok=False))
    with world.store.read() as conn:
        assert [(one.label, one.count) for one in rejects_of(conn, "dinkes")] == [("id_conflict", 1)]


# --- against the past, and against the others ----------------------------------------------------------


def put_readings(
    world: World, rows: list[tuple[str, str, float | None, Severity]], then: str | None = None
) -> None:
    """Readings of now, or with `then` rows of the history of that moment."""
    with world.store.write() as conn:
        for kpi, opd, value, severity in rows:
            at = micros(datetime.fromisoformat(then)) if then else micros(NOW)
            place = {"kpi": kpi, "opd": opd, "value": value, "severity": severity.value}
            if then:
                conn.execute(reading_history.insert().values(**place, at=at))
            else:
                more = {"observed_at": at, "settled": True, "since": at, "evaluated_at": at}
                conn.execute(reading.insert().values(**place, **more))


def past(world: World, days: float = 30) -> dict[readings.Key, Any]:
    with world.store.read() as conn:
        return readings.before(conn, NOW - timedelta(days=days))


def test_what_a_figure_was_a_month_ago_is_its_last_row_before_then(world: World) -> None:
    ok = Severity.ON_TARGET
    put_readings(world, [("requests_open", "dinkes", 9, ok), ("requests_open", "", 90, ok)])
    for days, value in ((31.4, 1.0), (30.2, 2.0), (30.0, 3.0), (29.9, 4.0)):
        put_readings(world, [("requests_open", "dinkes", value, ok)], ago(days=days))
    put_readings(world, [("requests_open", "", 5, ok)], ago(days=31.6))
    found = past(world)
    assert {key: (one.value, one.at) for key, one in found.items()} == {
        ("requests_open", "dinkes"): (3.0, NOW - timedelta(days=30))
    }, "a row of two days earlier stands for nothing"
    assert past(world, 30.1)["requests_open", "dinkes"].value == 2
    assert past(world, 20) == {}


def test_the_past_is_read_by_its_key_alone(embedded: World) -> None:
    questions = asked(embedded.store)
    past(embedded)
    promised(embedded)
    with embedded.store.read() as conn:
        rejects_of(conn, "dinkes")
        due_soon(conn, embedded.settings, NOW, "dinkes")
        plans = [
            row[3]
            for statement, given in dict(questions).items()
            for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
        ]
    scans = [plan for plan in plans if plan.startswith("SCAN")]
    assert scans == ["SCAN reading USING COVERING INDEX sqlite_autoindex_reading_1"]
    for index in (
        "reading_history",
        "milestone_due",
        "milestone_done",
        "reject_opd",
        "service_request_waiting",
    ):
        assert any(f"INDEX {index}" in plan or f"INDEX sqlite_autoindex_{index}" in plan for plan in plans), (
            index
        )


KPIS = (
    "requests_open", "requests_overdue_share", "apps_down_now", "requests_close_days_p50_30d",
    "data_age_hours_worst", "consistency_breaks", "late_share_today",
)  # fmt: skip
TARGETS = {key: {"target": 10, "act": 20} for key in KPIS}


def city(world: World, since: datetime | None = None) -> MayorView:
    with world.store.read() as conn:
        found = readings.current(conn, world.settings, NOW)
        return mayor.view(conn, world.settings, NOW, found, since)


def test_who_needs_a_word_and_who_deserves_one(world: World) -> None:
    world.with_settings(kpi=TARGETS)
    good, watch, act = Severity.ON_TARGET, Severity.WATCH, Severity.ACT
    rows = [(kpi, "dishub", 5.0, good) for kpi in KPIS]
    rows += [(kpi, "dinkes", 30.0 + n, act) for n, kpi in enumerate(KPIS[:2])]
    rows += [(kpi, "dinkes", 12.0, watch) for kpi in KPIS[2:]]
    rows += [(kpi, "damkar", 1.0, good) for kpi in KPIS[:3]]
    put_readings(world, rows)
    put_readings(world, [("requests_open", "dishub", 40.0, act)], ago(days=30))
    put_readings(world, [(kpi, "dishub", 5.0, good) for kpi in KPIS[1:]], ago(days=30))
    found = city(world)
    assert [(word.opd, word.kpi, word.others) for word in found.need] == [
        ("dinkes", "requests_overdue_share", 1)
    ]
    assert [(one.place.opd, one.place.place, one.place.of) for one in found.deserve] == [("dishub", 1, 2)]
    assert (found.acting, found.ranked, found.compared) == (1, 2, True)
    assert found.deserve[0].place.gained == 1
    view = page_of(world, "dishub")
    assert ([p.opd for p in view.best], [p.opd for p in view.improved]) == (["dishub"], ["dishub"])
    assert view.before["requests_open"].value == 40
    assert page_of(world, "damkar").place.place is None, "three figures are too few for a place"


def page_of(world: World, opd: str) -> OpdView:
    with world.store.read() as conn:
        return opd_page.view(conn, world.settings, NOW, opd, readings.current(conn, world.settings, NOW))


def test_nobody_is_praised_or_blamed_for_figures_that_are_not_there(world: World) -> None:
    found = city(world)
    assert (found.need, found.deserve, found.acting, found.ranked, found.compared) == ((), (), 0, 0, False)
    assert (found.look.worse_all, found.look.better_all, found.look.first) == (0, 0, True)


def test_only_what_changed_since_the_look_is_said(world: World) -> None:
    put_readings(
        world, [("requests_open", "dinkes", 9, Severity.ACT), ("apps_down_now", "", 1, Severity.ACT)]
    )
    since = NOW - timedelta(hours=3)
    with world.store.write() as conn:
        for kpi, opd, hours in (
            ("requests_open", "dinkes", 2.9),
            ("apps_down_now", "", 3.1),
            ("gone_kpi", "", 1),
        ):
            row = {"kpi": kpi, "opd": opd, "at": micros(NOW - timedelta(hours=hours)), "value": 1.0}
            conn.execute(reading_change.insert().values(**row, before="on_target", after="act"))
    seen = city(world, since).look
    assert ([(c.kpi, c.opd) for c in seen.worse], seen.first, seen.cut) == (
        [("requests_open", "dinkes")],
        False,
        False,
    )
    assert [(c.kpi, c.opd) for c in city(world).look.worse] == [
        ("apps_down_now", None),
        ("requests_open", "dinkes"),
    ]


def test_many_changes_are_counted_and_few_are_shown(world: World) -> None:
    world.with_settings(kpi=TARGETS)
    put_readings(world, [(kpi, "dinkes", 30, Severity.ACT) for kpi in KPIS])
    with world.store.write() as conn:
        rows = [
            {
                "kpi": kpi,
                "opd": "dinkes",
                "at": micros(NOW) - n * 1000 - place,
                "before": "watch",
                "after": "act",
            }
            for place, kpi in enumerate(KPIS)
            for n in range(300)
        ]
        conn.execute(reading_change.insert(), rows)
    seen = city(world).look
    assert (len(seen.worse), seen.worse_all, seen.cut) == (5, 7, True)
    assert sa.inspect(world.store._writer).get_indexes("reading_change")
