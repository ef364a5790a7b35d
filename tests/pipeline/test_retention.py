"""Single records older than `[retention]` go; figures of the past stay, and nothing counts twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from ingest import retention
from ingest.arrivals import Arrival
from ingest.election import RETENTION, Election
from ingest.evaluate import Evaluator
from ingest.retention import Retention
from kpis import partitions, readings
from kpis.app_uptime.tables import app_run, uptime_check
from kpis.catalogue import FEED_TABLES
from kpis.config import parse
from kpis.e_attendance.tables import attendance_cell, attendance_person
from kpis.errors import ConfigError
from kpis.messages import message
from kpis.opd_integration.tables import interface_seen, sync_day
from kpis.retention import horizon_month, horizon_us, kept_from, kept_months, kept_since, months_before
from kpis.service_requests.tables import request_day, service_request
from kpis.sources import reject, source_hour
from kpis.store import micros
from tests.conftest import FrozenClock
from tests.data.first_release.make import LAST, batches
from tests.pipeline.world import World, configuration, record, settings_for

EVENTS = ("uptime_check", "sync_run", "attendance", "attendance_day")
ROLLUPS = (app_run, sync_day, interface_seen, attendance_person, attendance_cell, request_day)
KEEP = {"uptime_check": "4 months", "sync_run": "4 months", "attendance": "5 months"}
JULY = micros(datetime(2026, 7, 1, tzinfo=UTC))


@pytest.fixture(autouse=True)
def believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is believed although the small city sent nothing for months; two tests below take it back."""
    monkeypatch.setattr(retention, "_AHEAD", timedelta(days=1_000))


@pytest.fixture
def full(world: World, clock: FrozenClock) -> World:
    """Three months of the small city, from 20 May to 19 August, looked at in November."""
    clock.set(LAST)
    world.pipeline.take(everything())
    clock.set(datetime(2026, 11, 20, 3, tzinfo=UTC))
    world.with_settings(retention=KEEP)
    return world


def everything() -> list[Arrival]:
    return [arrival for _, arrivals, _ in batches() for arrival in arrivals]


def remove(world: World, piece: int = 50, stop: threading.Event | None = None) -> dict[str, int]:
    return Retention(world.store, world.settings, world.now, piece).once(stop)


def dates(world: World, feed: str) -> list[Any]:
    """When each fact happened, sorted."""
    table = FEED_TABLES[feed]
    column = table.table.c[table.by or table.moment]
    with world.store.read() as conn:
        return sorted(conn.scalars(sa.select(column)))


def keys(world: World, feed: str) -> list[tuple[str, str]]:
    """The pairs of the facts; their key table holds exactly these."""
    table = FEED_TABLES[feed]
    assert table.key is not None
    with world.store.read() as conn:
        facts = conn.execute(sa.select(table.table.c.source, table.table.c.id)).all()
        known = conn.execute(sa.select(table.key.c.source, table.key.c.id)).all()
    assert sorted(map(tuple, known)) == sorted(map(tuple, facts))
    return [tuple(row) for row in known]


def test_whole_months_before_the_horizon_go_with_their_keys(full: World) -> None:
    before = {feed: dates(full, feed) for feed in EVENTS}
    remove(full)
    first = {"uptime_check": JULY, "sync_run": JULY}
    for feed in EVENTS:
        bound = first.get(feed, date(2026, 6, 1))
        left = [at for at in before[feed] if at >= bound]
        assert 0 < len(left) < len(before[feed])
        assert dates(full, feed) == left
        assert len(keys(full, feed)) == len(left)


def test_on_postgresql_a_month_goes_with_its_partition(full: World) -> None:
    with full.store.read() as conn:
        months = [month for month, _ in partitions.of(conn, uptime_check)]
    remove(full)
    with full.store.read() as conn:
        left = [month for month, _ in partitions.of(conn, uptime_check)]
    assert left == [month for month in months if month >= 202607]
    assert bool(months) is not full.store.embedded


def test_roll_ups_readings_and_their_history_stay(full: World) -> None:
    Evaluator(full.store, full.settings, full.now).cycle(everything=True)
    tables = (*ROLLUPS, readings.reading, readings.reading_history, readings.reading_change)
    before = [full.rows(table) for table in tables]
    assert all(before)
    remove(full)
    assert [full.rows(table) for table in tables] == before
    Evaluator(full.store, full.settings, full.now).cycle(everything=True)


def test_what_was_removed_is_refused_when_it_comes_again(full: World) -> None:
    remove(full)
    before = [full.rows(table) for table in ROLLUPS]
    facts = {feed: dates(full, feed) for feed in EVENTS}
    events = [a for a in everything() if a.feed in EVENTS and a.source != "daftar"]
    outcome = full.pipeline.take(events)
    assert (outcome.accepted, outcome.known > 0) == (0, True)
    assert {refusal.reason for refusal in outcome.refusals} == {"beyond_retention"}
    assert [full.rows(table) for table in ROLLUPS] == before
    assert {feed: dates(full, feed) for feed in EVENTS} == facts
    reasons = [(row.feed, row.field) for row in full.rejects() if row.reason == "beyond_retention"]
    assert set(reasons) == {
        ("uptime_check", "observed_at"), ("sync_run", "started_at"), ("attendance", "at"),
        ("attendance_day", "day"),
    }  # fmt: skip


def test_what_waited_for_the_store_past_its_month_is_judged_again(world: World, clock: FrozenClock) -> None:
    world.with_settings(retention={"uptime_check": "4 months"})
    clock.set(datetime(2026, 9, 29, tzinfo=UTC))
    check = record("uptime_check", id="c", observed_at="2026-05-20T00:00:00Z")
    arrivals = [world.arrival("uptime_check", check)]
    assert world.pipeline.take(arrivals).accepted == 1
    waiting = world.pipeline.gather([world.pipeline.prepare(arrivals)])
    clock.set(datetime(2026, 10, 5, tzinfo=UTC))
    remove(world)
    assert not world.facts("uptime_check")
    late = world.pipeline.take(waiting)
    assert (late.accepted, late.known) == (0, 0), "it was counted before, and nobody knows any more"
    assert [refusal.reason for refusal in late.refusals] == ["beyond_retention"]


def test_keeping_longer_from_now_on_brings_nothing_back(full: World) -> None:
    remove(full)
    for later in ({**KEEP, "uptime_check": "24 months"}, {}):
        full.with_settings(retention=later)
        may = record("uptime_check", id="may", observed_at="2026-05-25T00:00:00Z")
        assert [r.reason for r in full.take("uptime_check", may).refusals] == ["beyond_retention"]
        july = record("uptime_check", id=f"july {len(later)}", observed_at="2026-07-01T00:00:00Z")
        assert full.take("uptime_check", july).accepted == 1
        assert remove(full) == {}


class Interrupted(threading.Event):
    """Is set after it was waited for some times: a stop between two pieces."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        if self.left <= 0:
            self.set()
        return self.is_set()


def test_a_pass_cut_short_is_gone_on_with(full: World) -> None:
    for after in range(1, 30, 4):
        remove(full, 20, Interrupted(after))
        may = record("uptime_check", id="may", observed_at="2026-05-25T00:00:00Z")
        assert full.take("uptime_check", may).rejected == 1
    remove(full)
    assert remove(full) == {}
    assert min(dates(full, "uptime_check")) >= JULY
    for feed in EVENTS:
        keys(full, feed)


def test_nothing_is_removed_while_another_is_at_it(full: World) -> None:
    count = len(dates(full, "uptime_check"))
    stop = Interrupted(1)
    with Election(full.store, RETENTION) as other:
        assert other.won
        Retention(full.store, full.settings, full.now).run(stop)
    assert len(dates(full, "uptime_check")) == count
    Retention(full.store, full.settings, full.now).run(Interrupted(12))
    assert len(dates(full, "uptime_check")) < count


def test_a_long_look_at_the_facts_makes_nobody_wait(
    in_service: World, clock: FrozenClock, request: pytest.FixtureRequest
) -> None:
    in_service.take("uptime_check", record("uptime_check", observed_at="2026-01-05T00:00:00Z"))
    in_service.with_settings(retention=KEEP)
    count = sa.select(sa.func.count()).select_from(uptime_check)
    with ThreadPoolExecutor(1) as pool:
        with in_service.store.read() as looking:
            assert looking.execute(count).scalar() == 1
            job = pool.submit(remove, in_service)
            slowest = timedelta(0)
            for number in range(20):
                began = datetime.now(UTC)
                check = record("uptime_check", id=f"n{number}", app=f"app {number}")
                assert in_service.take("uptime_check", check).accepted == 1
                with in_service.store.read() as conn:
                    assert conn.execute(count).scalar() == number + 2
                slowest = max(slowest, datetime.now(UTC) - began)
            assert not job.done()
        assert job.result(30)["uptime_check"] == 1
    assert slowest < timedelta(seconds=2)
    assert len(dates(in_service, "uptime_check")) == 20


def test_only_ended_requests_go_and_their_messages_with_them(world: World, clock: FrozenClock) -> None:
    clock.set(datetime(2026, 11, 20, 3, tzinfo=UTC))
    old, new = "2026-02-01T00:00:00Z", "2026-10-01T00:00:00Z"
    for name, status, updated in (
        ("ended", "rejected", old), ("open", "received", old), ("open again", "in_progress", new),
        ("ended late", "archived", new),
    ):  # fmt: skip
        given = {"opened_at": "2026-01-01T00:00:00Z", "updated_at": updated, "status": status}
        world.take("service_request", record("service_request", id=name, **given))
        world.take("message", record("message", id=name, request=name, at="2026-01-02T00:00:00Z"))
    before = world.rows(request_day)
    world.with_settings(retention={"service_request": "4 months"})
    assert remove(world, 1) == {"service_request": 1}
    assert [row.id for row in world.rows(service_request)] == ["ended late", "open", "open again"]
    assert [row.request for row in world.rows(message)] == ["ended late", "open", "open again"]
    given = {"opened_at": "2026-01-01T00:00:00Z", "updated_at": old, "status": "rejected"}
    again = world.take("service_request", record("service_request", id="ended", **given))
    assert [r.reason for r in again.refusals] == ["beyond_retention"]
    assert world.rows(request_day) == before


def test_old_rejects_and_hourly_counts_go(world: World, clock: FrozenClock) -> None:
    for month in (2, 6, 11):
        clock.set(datetime(2026, month, 10, tzinfo=UTC))
        world.take("uptime_check", f"broken in {month}".encode())
    world.with_settings(retention={"rejects": "4 months", "source_hour": "9 months"})
    assert remove(world, 1) == {"rejects": 2, "source_hour": 0}
    assert [row.last_at for row in world.rows(reject)] == [micros(clock.at)]
    assert len(world.rows(source_hour)) == 3
    assert world.counts() == (0, 0, 3)


def test_without_retention_everything_is_kept(full: World) -> None:
    full.with_settings(retention={})
    before = {feed: dates(full, feed) for feed in EVENTS}
    assert remove(full) == {}
    assert {feed: dates(full, feed) for feed in EVENTS} == before
    assert full.rows(kept_from) == []


def test_a_late_check_joins_a_run_whose_checks_are_gone(world: World, clock: FrozenClock) -> None:
    """The run stands over the horizon; only what came after it is folded again."""
    clock.set(datetime(2026, 11, 20, 3, tzinfo=UTC))
    bound = datetime(2026, 7, 1, tzinfo=UTC)

    def check(minutes: int, up: bool = True) -> dict[str, Any]:
        at = bound + timedelta(minutes=minutes)
        return record("uptime_check", id=f"c{minutes}", observed_at=at.isoformat(), up=up)

    for minutes in (-10, -5, 5, 10):
        world.take("uptime_check", check(minutes))
    world.with_settings(retention=KEEP)
    remove(world)
    assert world.take("uptime_check", check(2, up=False)).accepted == 1
    at = [micros(bound + timedelta(minutes=m)) for m in (-10, 2, 5, 10)]
    assert [(r.started_at, r.last_at, r.up) for r in world.rows(app_run)] == [
        (at[0], at[1] - 1, True), (at[1], at[1], False), (at[2], at[3], True),
    ]  # fmt: skip


def test_from_when_on_facts_are_whole_is_told_for_a_rebuild(full: World) -> None:
    with full.store.read() as conn:
        assert kept_since(conn, full.settings, "uptime_check") is None
    remove(full)
    with full.store.read() as conn:
        assert kept_since(conn, full.settings, "uptime_check") == JULY
        june = micros(datetime(2026, 5, 31, 17, tzinfo=UTC))
        assert kept_since(conn, full.settings, "attendance") == june
        assert kept_since(conn, full.settings, "service_request") is None


def test_a_horizon_is_where_a_month_begins_in_utc_or_in_the_city() -> None:
    settings = settings_for("sqlite:///unused.db", retention=KEEP)
    now = datetime(2026, 4, 30, 18, tzinfo=UTC)
    assert horizon_month(settings, "uptime_check", now) == 202512
    assert horizon_month(settings, "attendance", now) == 202512
    assert horizon_us(settings, "uptime_check", now) == micros(datetime(2025, 12, 1, tzinfo=UTC))
    assert horizon_us(settings, "attendance", now) == micros(datetime(2025, 11, 30, 17, tzinfo=UTC))
    assert horizon_us(settings, "attendance_day", now) == horizon_us(settings, "attendance", now)
    assert horizon_us(settings, "ledger", now) is None
    assert [months_before(202601, n) for n in (0, 1, 12, 13)] == [202601, 202512, 202501, 202412]


@pytest.mark.parametrize("value", ["24", "2 years", "3 months", "0 months", "-5 months", "30d", 24])
def test_a_retention_nobody_can_mean_is_refused(value: object) -> None:
    data = configuration("sqlite:///unused.db", retention={"uptime_check": value})
    with pytest.raises(ConfigError, match=r"retention\.uptime_check"):
        parse(data, settings_for("sqlite:///unused.db").path, {})


def test_a_clock_that_runs_years_ahead_costs_no_record(
    full: World, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(retention, "_AHEAD", timedelta(days=31))
    before = {feed: dates(full, feed) for feed in ("uptime_check", "attendance", "sync_run")}
    clock.set(datetime(2036, 1, 1, tzinfo=UTC))
    remove(full)
    assert "the clock says 2035-12-31, and the newest record is of 2026-08-19" in caplog.text
    # Four months before the month after the newest record's: nothing of what is there goes.
    # (One check is of the year 2000.)
    before["uptime_check"] = before["uptime_check"][1:]
    assert {feed: dates(full, feed) for feed in before} == before
    with full.store.read() as conn:
        assert max(kept_months(conn).values()) <= 202605


def test_after_the_first_pass_one_month_goes_at_a_time(full: World, clock: FrozenClock) -> None:
    remove(full)
    with full.store.read() as conn:
        first = kept_months(conn)["uptime_check"]
    clock.set(datetime(2027, 6, 20, tzinfo=UTC))
    for month in range(1, 4):
        remove(full)
        with full.store.read() as conn:
            assert kept_months(conn)["uptime_check"] == first + month
