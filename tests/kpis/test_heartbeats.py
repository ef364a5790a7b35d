"""Days and outages of an application against its uptime, and both against the checks themselves."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from kpis import app_uptime
from kpis.app_uptime.figures import AppTruth, Stretch
from kpis.days import local_day
from kpis.spans import Span
from kpis.views import AppRow, AppView
from tests.kpis.test_app_uptime import check
from tests.pipeline.world import NOW, World, property_of, record

TODAY = date(2026, 8, 19)
NINETY = Span(first=TODAY - timedelta(days=89), last=TODAY, name="90d")


def row(world: World, app: str = "web") -> AppRow:
    with world.store.read() as conn:
        return next(r for r in app_uptime.app_rows(conn, world.settings, NOW) if r.app == app)


def page(world: World, span: Span = NINETY, app: str = "web") -> AppView:
    with world.store.read() as conn:
        return app_uptime.app_view(conn, world.settings, NOW, app, span)


def plain_seconds(world: World, first: date, last: date) -> tuple[float, float]:
    """Seconds up and down on the city's days from first to last, from the checks alone: each stands for
    the time to the next one, and for no longer than fifteen minutes."""
    offset, day = 7 * 3600, 86_400
    with world.store.read() as conn:
        query = sa.text("SELECT observed_at, up FROM uptime_check WHERE app = 'web' ORDER BY observed_at, up")
        checks = [(at / 1e6, bool(up)) for at, up in conn.execute(query)]
    low = (first - date(1970, 1, 1)).days * day - offset
    high = min((last - date(1970, 1, 1)).days * day - offset + day, NOW.timestamp())
    sums = [0.0, 0.0]
    for (at, up), (after, _) in zip(checks, [*checks[1:], (NOW.timestamp(), True)], strict=True):
        sums[0 if up else 1] += max(min(after, at + 900, high) - max(at, low), 0.0)
    return sums[0], sums[1]


MARKS = "+" * 140 + "---" + "+" * 30 + "." * 40 + "++-+" + "." * 20 + "-" * 9 + "+" * 200 + "--.....-+--"


def test_each_day_is_what_its_checks_say(world: World) -> None:
    check(world, MARKS, every=7)
    days = row(world).days
    assert [day.day for day in days] == [TODAY - timedelta(days=n) for n in range(89, -1, -1)]
    for day in days:
        assert (day.up_s, day.down_s) == pytest.approx(plain_seconds(world, day.day, day.day), abs=0.01)
    assert sum(day.down_s for day in days) > 3600
    assert [day.passed_s for day in days[-2:]] == [86_400, 10 * 3600]


def test_thirty_days_of_a_heartbeat_are_the_kpis_uptime(world: World) -> None:
    """The KPI's window ends now and so begins in the middle of a day: what lies before it is taken off."""
    check(world, MARKS, every=7)
    found = world.reading("app_uptime_30d")
    days = row(world).days[-31:]
    up, down = sum(day.up_s for day in days), sum(day.down_s for day in days)
    assert (found.numerator, found.denominator) == pytest.approx((up, up + down))
    assert found.value == pytest.approx(row(world).uptime_30d)


def test_outages_add_up_to_the_downtime_of_their_days(world: World) -> None:
    check(world, MARKS, every=7)
    view = page(world)
    assert (view.up_s, view.down_s) == pytest.approx(plain_seconds(world, NINETY.first, TODAY), abs=0.01)
    assert sum(one.down_s for one in view.outages) == pytest.approx(view.down_s)
    assert view.outage_count == len(view.outages)
    starts = [one.started_at for one in view.outages]
    assert starts == sorted(starts, reverse=True)


@pytest.mark.parametrize(
    ("checks", "ended", "recovered", "minutes"),
    [
        ("+--", None, False, 5),  # still down
        ("--+", 0, True, 10),
        ("+-....", -5, False, 15),  # then nobody looked
        ("+-.....+", -15, False, 15),
        ("-", None, False, 0),
    ],
)
def test_an_outage_ends_with_a_good_check_or_when_nobody_looks(
    world: World, checks: str, ended: int | None, recovered: bool, minutes: float
) -> None:
    check(world, checks)
    (one,) = page(world).outages
    assert one.ended_at == (None if ended is None else NOW + timedelta(minutes=ended))
    assert (one.recovered, one.down_s) == (recovered, minutes * 60)


def test_an_outage_that_began_before_the_days_looked_at_is_shown_whole_and_counted_in_part(
    world: World,
) -> None:
    check(world, "+" + "-" * 200 + "+")
    today = Span(first=TODAY, last=TODAY, name="today")
    view = page(world, today)
    (one,) = view.outages
    assert one.started_at == NOW - timedelta(minutes=1000)
    assert (one.down_s, view.down_s) == (60_000, 36_000)
    before = TODAY - timedelta(days=1)
    yesterday = Span(first=before, last=before, name="custom", now=False)
    assert page(world, yesterday).down_s == 24_000
    assert page(world, Span(first=TODAY, last=TODAY, name="today"), "other").row is None


def test_the_newest_outages_are_listed_and_all_are_counted(
    embedded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kpis.app_uptime.outages.MOST_OUTAGES", 3)
    check(embedded, "-+" * 5)
    view = page(embedded)
    assert (len(view.outages), view.outage_count, view.down_s) == (3, 5, 5 * 300)
    assert view.outages[0].ended_at == NOW


def test_declared_maintenance_is_marked_on_its_days_and_leaves_the_figures(world: World) -> None:
    start = NOW - timedelta(hours=14)  # over midnight: 20:00 to 02:00 in the city
    entry = {"app": "web", "starts_at": start, "ends_at": start + timedelta(hours=6), "reason": "x"}
    world.with_settings(maintenance=[entry])
    check(world, "+---+")
    days = row(world).days
    assert [day.maintained_s / 3600 for day in days[-3:]] == [0, 4, 2]
    assert days[-1].down_s == 900


@property_of(120)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60), st.booleans()), max_size=25))
def test_walking_along_the_stretches_gives_what_each_window_asks_for(
    parts: list[tuple[int, int, bool]],
) -> None:
    at, stretches = 0, []
    for length, silence, up in parts:
        stretches.append(Stretch(at, at + length, up))
        at += length + silence
    truth = AppTruth(stretches, at, True, 0)
    edges = sorted({(n * 37) % 2000 for n in range(len(parts) * 3 + 2)})
    wanted = [truth.seconds(a, b) for a, b in pairwise(edges)]
    assert truth.between(edges) == wanted


def test_an_applications_page_looks_at_that_application_alone(world: World) -> None:
    check(world, "+-+")
    check(world, "---", app="other")
    assert page(world).outage_count == 1
    assert page(world, app="other").down_s == 600
    assert local_day(NOW, world.settings.zone) == TODAY
    world.take("application", record("application", id="new", app="new", name="Baru"))
    found = page(world, app="new").row
    assert found is not None
    assert found.days == ()
