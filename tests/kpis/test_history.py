"""The course of a figure: its cells, what stands for a stretch, and what is usual; on both stores."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from kpis.charts import Step
from kpis.history import LEAST_WEEKS, courses, kpi_trend, make_day, reading_day, roll_up, rolled
from kpis.percentile import percentile
from kpis.readings import reading_history
from kpis.spans import span_of
from kpis.store import bulk, instant, micros
from tests.pipeline.world import World, city
from tests.servers import Postgres

NOW = datetime(2026, 8, 19, 3, 0, tzinfo=UTC)  # ten in the morning
TODAY = date(2026, 8, 19)
QUARTER = timedelta(minutes=15)
OPEN = "requests_open"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Postgres
) -> Iterator[World]:
    """Seventy-five days of one figure, on each store."""
    on_disk = request.param == "sqlite"
    url = f"sqlite:///{tmp_path_factory.mktemp('history')}/pendopo.db" if on_disk else postgres.fresh()
    with city(url) as world:
        write(world, 75)
        yield world
    if not on_disk:
        postgres.drop(url)


def values(days: int) -> dict[datetime, float | None]:
    """A value each quarter of an hour; none on one day, and now and then none at all."""
    draw = random.Random(7)
    first = datetime(2026, 8, 19, 3, 0, tzinfo=UTC) - timedelta(days=days)
    found: dict[datetime, float | None] = {}
    for n in range(days * 96 + 1):
        at = first + n * QUARTER
        if local(at).date() != date(2026, 8, 9):
            found[at] = None if draw.random() < 0.02 else float(draw.randrange(100, 200))
    return found


def local(at: datetime) -> datetime:
    return at + timedelta(hours=7)


def write(world: World, days: int) -> None:
    rows = [(OPEN, "", micros(at), value, "on_target") for at, value in values(days).items()]
    with world.store.write() as conn:
        bulk(conn, reading_history, rows)
        while roll_up(conn, world.settings.zone, TODAY, 7) == 7:
            pass


def by(length: Callable[[datetime], datetime], days: int = 75) -> dict[datetime, list[float]]:
    """Known values by the stretch they lie in, computed apart from any SQL."""
    found: dict[datetime, list[float]] = defaultdict(list)
    for at, value in values(days).items():
        if value is not None:
            found[length(at)].append(value)
    return found


def of_day(at: datetime) -> datetime:
    return local(at).replace(hour=0, minute=0) - timedelta(hours=7)


def of_hour(at: datetime) -> datetime:
    return at.replace(minute=0)


def test_every_day_that_is_over_has_its_cells_and_today_has_none(world: World) -> None:
    with world.store.read() as conn:
        assert rolled(conn) == TODAY - timedelta(days=1)
        days = {row.day: row for row in conn.execute(reading_day.select())}
    expected = {local(at).date(): found for at, found in by(of_day).items()}
    assert set(days) == {day for day in expected if day < TODAY}
    for day, row in days.items():
        known = expected[day]
        assert (row.last, row.low, row.high) == (known[-1], min(known), max(known))
        assert row.mean == pytest.approx(sum(known) / len(known))


@pytest.mark.parametrize(
    ("asked", "step", "length"),
    [
        ("30d", Step.DAY, of_day),
        ("7d", Step.HOUR, of_hour),
        ("2026-07-01..2026-07-20", Step.DAY, of_day),
        ("2026-08-07..2026-08-12", Step.HOUR, of_hour),
    ],
)
def test_a_stretch_has_the_last_the_lowest_and_the_highest_of_its_values(
    world: World, asked: str, step: Step, length: Callable[[datetime], datetime]
) -> None:
    span = span_of(asked, TODAY)
    with world.store.read() as conn:
        found = kpi_trend(conn, OPEN, None, span, NOW, world.settings.zone)
    assert found.step is step
    shown = {one.at: (one.last, one.low, one.high) for one in found.points if one.last is not None}
    expected = {
        at: (some[-1], min(some), max(some))
        for at, some in by(length).items()
        if span.first <= local(at).date() <= span.last
    }
    assert shown == expected


def test_the_day_without_a_value_is_a_gap(world: World) -> None:
    with world.store.read() as conn:
        found = kpi_trend(conn, OPEN, None, span_of("30d", TODAY), NOW, world.settings.zone)
    gaps = [one.at for one in found.points if one.last is None]
    assert gaps == [datetime(2026, 8, 8, 17, 0, tzinfo=UTC)]


def test_today_is_the_last_24_hours_by_the_quarter(world: World) -> None:
    with world.store.read() as conn:
        found = kpi_trend(conn, OPEN, None, span_of("today", TODAY), NOW, world.settings.zone)
    expected = {at: value for at, value in values(75).items() if NOW - timedelta(hours=24) < at}
    assert {one.at: one.last for one in found.points} == expected


def test_the_band_is_the_10th_to_90th_percentile_of_the_same_hour_of_eight_weeks(world: World) -> None:
    with world.store.read() as conn:
        found = kpi_trend(conn, OPEN, None, span_of("7d", TODAY), NOW, world.settings.zone)
    means = {at: sum(some) / len(some) for at, some in by(of_hour).items()}
    assert found.weeks == 8
    assert len(found.usual) > 100
    for one in found.usual:
        before = sorted(means[at] for week in range(1, 9) if (at := one.at - timedelta(weeks=week)) in means)
        assert one.weeks == len(before) >= LEAST_WEEKS
        assert one.low == pytest.approx(percentile(before, 0.1))
        assert one.high == pytest.approx(percentile(before, 0.9))


def test_with_fewer_than_three_weeks_there_is_no_band(world: World) -> None:
    early = span_of("2026-06-10..2026-06-18", TODAY)
    with world.store.read() as conn:
        assert kpi_trend(conn, OPEN, None, early, NOW, world.settings.zone).usual == ()


def test_a_day_measured_again_has_its_cells_again(world: World) -> None:
    day = date(2026, 7, 3)
    with world.store.write() as conn:
        before = conn.execute(reading_day.select().where(reading_day.c.day == day)).one()
        conn.execute(reading_day.update().where(reading_day.c.day == day).values(high=9999))
        make_day(conn, world.settings.zone, day)
        assert conn.execute(reading_day.select().where(reading_day.c.day == day)).one() == before


def test_the_newest_days_get_their_cells_first(embedded: World) -> None:
    rows = [(OPEN, "", micros(NOW - timedelta(days=n)), float(n), "on_target") for n in range(20)]
    with embedded.store.write() as conn:
        bulk(conn, reading_history, rows)
        assert roll_up(conn, embedded.settings.zone, TODAY, 3) == 3
        made = {row.day for row in conn.execute(reading_day.select())}
        assert made == {TODAY - timedelta(days=n) for n in (1, 2, 3)}
        span = span_of("30d", TODAY)
        shown = courses(conn, [OPEN], [None], span, NOW, embedded.settings.zone)[OPEN, ""]
    assert {one.last for one in shown if one.last is not None} == {0.0, 1.0, 2.0, 3.0}
    assert instant(micros(NOW)) == NOW
