"""What the wall shows of a domain is what the domain's own page says, for less."""

from __future__ import annotations

from datetime import timedelta

from dashboard.snapshot import Key
from dashboard.tables import Tables
from kpis import app_uptime, e_attendance, opd_integration, service_requests
from kpis.config import WALL_PAGES
from tests.pipeline.world import FEEDS, NOW, World, ago, record


def filled(world: World) -> World:
    for feed in FEEDS:
        world.take(feed, record(feed), {"id": ""})
    for number, up in enumerate((True, False, True)):
        check = {"id": f"glance-{number}", "app": f"app{number}", "up": up}
        world.take("uptime_check", record("uptime_check", observed_at=ago(minutes=1), **check))
    return world


def test_the_wall_shows_the_states_of_the_applications_page(world: World) -> None:
    with filled(world).store.read() as conn:
        glance = app_uptime.glance(conn, world.settings, NOW)
        rows = app_uptime.view(conn, world.settings, NOW).apps
    shown = [(a.app, a.opd, a.state, a.since, a.observed_at, a.uptime_30d) for a in glance.apps]
    assert shown == [(a.app, a.opd, a.state, a.since, a.observed_at, a.uptime_30d) for a in rows]
    assert len({state for _, _, state, *_ in shown}) > 1


def test_the_wall_shows_the_ages_and_days_of_the_requests_page(world: World) -> None:
    with filled(world).store.read() as conn:
        glance = service_requests.glance(conn, world.settings, NOW)
        page = service_requests.view(conn, world.settings, NOW)
    assert (glance.ages, glance.days) == (page.ages, page.days)
    assert sum(band.count for band in glance.ages) > 0


def test_the_wall_shows_the_ladder_of_the_integration_page(world: World) -> None:
    with filled(world).store.read() as conn:
        glance = opd_integration.glance(conn, world.settings, NOW)
        assert glance.steps == opd_integration.view(conn, world.settings, NOW).steps


def test_the_wall_shows_the_morning_of_the_attendance_page(world: World) -> None:
    with filled(world).store.read() as conn:
        glance = e_attendance.glance(conn, world.settings, NOW)
        page = e_attendance.view(conn, world.settings, NOW)
    assert (glance.arrivals, glance.day_off) == (page.arrivals, page.day_off)
    hour, minute = (int(part) for part in page.shift_start.split(":"))
    assert glance.late_from == hour * 60 + minute + world.settings.e_attendance.grace / timedelta(minutes=1)


def test_a_screen_reads_no_page_it_does_not_show(embedded: World) -> None:
    shown = Tables(embedded.settings, embedded.store).read(Key("wall")).detail
    assert set(shown.views) == set(WALL_PAGES) - {"overview", "opd"}
