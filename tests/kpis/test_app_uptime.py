"""Uptime from checks, worked out by hand: what is down, what is up, and what nobody saw."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from kpis.app_uptime import inventory
from tests.conftest import FrozenClock
from tests.pipeline.world import NOW, World, record

DAY = 86_400.0
TICK = timedelta(microseconds=1)


def check(
    world: World, checks: str, *, app: str = "web", every: float = 5, end: datetime = NOW, **more: Any
) -> None:
    """Checks at equal steps that end at `end`: `+` up, `-` down, `.` none."""
    found = []
    for place, mark in enumerate(reversed(checks)):
        if mark != ".":
            moment = end - timedelta(minutes=every * place)
            fields = {"id": f"{app}{moment.isoformat()}", "app": app, "observed_at": moment.isoformat()}
            found.append(record("uptime_check", up=mark == "+", **fields, **more))
    outcome = world.take("uptime_check", *found)
    assert outcome.rejected == 0, outcome.refusals


def own(*apps: tuple[str, str | None]) -> list[dict[str, Any]]:
    return [{"app": app, **({"opd": opd} if opd else {})} for app, opd in apps]


def seconds(world: World, kpi: str = "app_uptime_24h", **scope: Any) -> tuple[float, float]:
    """Seconds up, and seconds observed."""
    found = world.reading(kpi, **scope)
    assert found.numerator is not None
    assert found.denominator is not None
    return found.numerator, found.denominator


# Each check stands for the five minutes until the next; the last at NOW stands for none yet.
@pytest.mark.parametrize(
    ("checks", "up", "observed"),
    [
        ("++++", 15, 15),
        ("+-++", 10, 15),  # down from the failed check to the next good one
        ("+--+", 5, 15),
        ("+---", 5, 15),  # still down
        ("---+", 0, 15),
        ("+..+", 15, 15),  # fifteen minutes are three intervals: seen all along
        ("+...+", 15, 15),  # longer silence: three intervals, then nobody saw
        ("-...+", 0, 15),
        ("-..+", 0, 15),
        ("-.......-+", 0, 20),
        ("+....-....+", 15, 30),
        ("+...............", 15, 15),
        ("-...............", 0, 15),
        ("+", 0, 0),
    ],
)
def test_uptime_of_short_stretches(world: World, checks: str, up: float, observed: float) -> None:
    check(world, checks)
    found = world.reading("app_uptime_24h")
    assert (found.numerator, found.denominator) == (up * 60, observed * 60)
    assert found.value == (pytest.approx(up / observed) if observed else None)
    assert seconds(world, "app_uptime_30d") == (up * 60, observed * 60)


def test_silence_of_one_microsecond_beyond_three_intervals_is_unobserved(embedded: World) -> None:
    check(embedded, "+", end=NOW - timedelta(minutes=15) - TICK)
    check(embedded, "+")
    assert seconds(embedded) == (900, 900)


def test_a_window_begins_in_the_middle_of_a_stretch(world: World) -> None:
    check(world, "-" + "-" * 12 + "+" * 288)  # down from 25 h to 24 h ago, and up since 23 h 55 min ago
    assert seconds(world) == (287 * 300, 288 * 300)
    assert world.value("app_uptime_24h") == pytest.approx(287 / 288)
    up, observed = seconds(world, "app_uptime_30d")
    assert (up, observed) == (287 * 300, 300 * 300)


def test_a_check_before_the_window_reaches_into_it(world: World) -> None:
    check(world, "-", end=NOW - timedelta(hours=24, minutes=10))
    assert seconds(world) == (0, 300)
    assert seconds(world, at=NOW + timedelta(minutes=4)) == (0, 60)
    assert world.value("app_uptime_24h", at=NOW + timedelta(minutes=5)) is None


def test_as_it_was_equals_what_was_known_then(world: World) -> None:
    """At any moment of the past the same figures as if nothing had come in since."""
    marks = "++-+....--+++.+-...-+----+"
    for place in range(1, len(marks) + 1):
        world.wipe()
        end = NOW - timedelta(minutes=5 * (len(marks) - place))
        check(world, marks[:place], end=end)
        moments = [end, end + timedelta(minutes=2)]
        then = [[world.readings(at)[k, None] for k in ("apps_down_now", "app_uptime_24h")] for at in moments]
        check(world, marks[place:])
        if place == len(marks) or marks[place] == ".":
            continue
        now = [[world.readings(at)[k, None] for k in ("apps_down_now", "app_uptime_24h")] for at in moments]
        assert now == then, marks[:place]


def test_two_checks_of_one_instant_that_disagree_are_down(world: World) -> None:
    check(world, "+++")
    moment = (NOW - timedelta(minutes=5)).isoformat()
    world.take("uptime_check", record("uptime_check", id="lain", observed_at=moment, up=False, probe="kedua"))
    assert seconds(world) == (300, 600)


def test_down_now_counts_the_latest_check_and_not_declared_maintenance(world: World) -> None:
    apps = own(("a", "dinkes"), ("b", "dinkes"), ("c", "dishub"), ("d", None), ("e", "dishub"))
    plan = {
        "app": "b",
        "starts_at": NOW - timedelta(hours=1),
        "ends_at": NOW + timedelta(hours=1),
        "reason": "x",
    }
    world.with_settings(application=apps, maintenance=[plan])
    for app, checks in {"a": "+-", "b": "+-", "c": "-+", "d": "-"}.items():
        check(world, checks, app=app)
    found = world.reading("apps_down_now")
    assert (found.value, found.reporting, found.expected) == (2, 4, 5)
    assert [world.value("apps_down_now", opd) for opd in ("dinkes", "dishub", "damkar")] == [1, 0, None]


@pytest.mark.parametrize(("starts", "ends", "down"), [(0, 60, 0), (-60, 0, 1), (-60, 1, 0), (1, 60, 1)])
def test_maintenance_begins_and_ends_on_the_minute(
    embedded: World, starts: int, ends: int, down: int
) -> None:
    plan = {
        "app": "web",
        "starts_at": NOW + timedelta(minutes=starts),
        "ends_at": NOW + timedelta(minutes=ends),
    }
    embedded.with_settings(maintenance=[{**plan, "reason": "x"}])
    check(embedded, "+-")
    assert embedded.value("apps_down_now") == down


def test_silence_does_not_mend_an_application(world: World, clock: FrozenClock) -> None:
    check(world, "+-")
    clock.tick(days=3)
    found = world.reading("apps_down_now")
    assert (found.value, found.reporting, found.expected, found.freshness) == (1, 0, 1, "stale")
    assert world.value("app_uptime_24h") is None
    assert world.value("app_uptime_30d") == pytest.approx(300 / 1200)


def test_the_city_sums_over_its_applications(world: World) -> None:
    world.with_settings(application=own(("a", "dinkes"), ("b", "dishub"), ("c", "dishub")))
    check(world, "++++", app="a")
    check(world, "+--+", app="b")
    check(world, "+++", app="c")
    assert world.value("app_uptime_24h") == pytest.approx((15 + 5 + 10) / (15 + 15 + 10))
    assert world.value("app_uptime_24h", "dinkes") == 1
    assert world.value("app_uptime_24h", "dishub") == pytest.approx(15 / 25)
    assert world.value("app_uptime_24h", "damkar") is None


@pytest.mark.parametrize(
    ("checks", "left"),
    [("+" * 201, 1.0), ("-" + "+" * 200, 0.0), ("--" + "+" * 199, -1.0), ("-" * 2, -199.0), ("+", None)],
)
def test_the_error_budget_that_is_left(world: World, checks: str, left: float | None) -> None:
    """The objective is 0.995, so one of two hundred intervals down spends all of it."""
    world.with_settings(app_uptime={"objective": 0.995})
    check(world, checks)
    assert world.value("error_budget_left_30d") == (None if left is None else pytest.approx(left))


def test_thirty_days_of_checks(embedded: World) -> None:
    """A check every hour, as the interval expects, down for six of 721."""
    embedded.with_settings(app_uptime={"interval": "1h"})
    check(embedded, "+" * 360 + "-" * 6 + "+" * 355, every=60)
    assert seconds(embedded, "app_uptime_30d") == (714 * 3600, 720 * 3600)
    assert embedded.value("app_uptime_30d") == pytest.approx(1 - 6 / 720)
    assert embedded.value("app_uptime_24h") == 1


def test_an_application_that_is_only_ever_checked_counts(world: World) -> None:
    check(world, "+-", app="liar.kota.go.id")
    assert world.value("apps_down_now") == 1
    assert world.value("apps_down_now", "dinkes") is None


def test_an_imported_inventory_names_the_owner(world: World) -> None:
    check(world, "+-")
    world.take("application", record("application", id="web", opd="dishub"))
    assert world.value("apps_down_now", "dishub") == 1
    assert world.value("apps_down_now", "dinkes") is None


def test_only_an_address_that_a_file_or_a_database_named_is_called(embedded: World) -> None:
    """Whoever may publish must not choose whom the probe asks."""
    for source, door in (("bus", "mqtt"), ("berkas", "file"), ("dinas", "database")):
        entry = record("application", id=f"{door}.kota", url="http://127.0.0.1/")
        outcome = embedded.pipeline.take([embedded.arrival("application", entry, source, door=door)])
        assert outcome.accepted == 1, outcome.refusals
    with embedded.store.read() as conn:
        found = {app.app: app for app in inventory(conn, embedded.settings)}
    assert {name: app.probe for name, app in found.items()} == {
        "mqtt.kota": False,
        "file.kota": True,
        "database.kota": True,
    }
    assert found["mqtt.kota"].url == "http://127.0.0.1/", "it is shown all the same"
