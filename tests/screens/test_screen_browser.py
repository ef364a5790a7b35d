"""A screen in Chromium: enrolled once, it comes back by itself from whatever happens to it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from kpis.screens.enrolment import assign
from kpis.screens.health import screen_rows
from kpis.screens.state import ScreenRow, ScreenState
from kpis.store import Store
from tests.conftest import ROOT
from tests.dashboard.running import Hand, RunningDashboard
from tests.keeper import Keeper

SCREENS = """
[[screen]]
name = "lobi"
place = "Lantai 1"
pages = ["overview"]
"""
SIZE = {"width": 1920, "height": 1080}
# What a player's clock shows, as far as a page can see it.
CLOCK = "const real = Date.now; window.shift = 0; Date.now = () => real.call(Date) + window.shift;"


@pytest.fixture(scope="module")
def running(keeper: Keeper) -> Iterator[RunningDashboard]:
    made = RunningDashboard(keeper, more=SCREENS)
    yield made
    made.stop()


@pytest.fixture
def server(running: RunningDashboard) -> RunningDashboard:
    if not running.running:
        running.start()
    return running


@pytest.fixture(scope="module")
def store(running: RunningDashboard) -> Iterator[Store]:
    with running.open_store() as store:
        yield store


@pytest.fixture
def hand(store: Store) -> Hand:
    hand = Hand(store)
    hand.write("requests_open", 1204)
    return hand


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=SIZE)
    context.add_init_script(CLOCK)
    yield context
    context.close()


@pytest.fixture
def screen(context: BrowserContext, server: RunningDashboard, hand: Hand) -> Page:
    """A page that was enrolled as the screen `lobi`."""
    return enrolled(context.new_page(), server)


def command(server: RunningDashboard, *words: str) -> str:
    argv = [sys.executable, "-m", "kpis.screens", "--config", str(server.config), *words]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def enrolled(page: Page, server: RunningDashboard) -> Page:
    page.goto(server.url + "/screen")
    code = page.locator("#code").inner_text()
    with server.open_store() as store, store.write() as conn:
        assign(conn, server.settings, datetime.now(UTC), code, "lobi")
    page.wait_for_url(server.url + "/wall/lobi", timeout=10_000)
    connected(page)
    return page


def connected(page: Page) -> None:
    expect(page.locator("#connection")).to_have_attribute("data-state", "ok", timeout=15_000)


def shows(page: Page, value: str) -> None:
    expect(page.locator("#pendopo")).to_contain_text(value, timeout=20_000)


def row(store: Store, server: RunningDashboard) -> ScreenRow:
    with store.read() as conn:
        return next(r for r in screen_rows(conn, server.settings, datetime.now(UTC)) if r.name == "lobi")


def until(page: Page, holds: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        page.wait_for_timeout(100)


def test_a_screen_is_enrolled_by_its_code_and_tells_how_it_is(
    context: BrowserContext, server: RunningDashboard, store: Store, hand: Hand
) -> None:
    screen = context.new_page()
    screen.goto(server.url + "/screen")
    said = command(server, "enrol", screen.locator("#code").inner_text().lower(), "lobi")
    assert said.startswith("lobi: the screen that shows")
    screen.wait_for_url(server.url + "/wall/lobi", timeout=10_000)
    connected(screen)
    assert "pendopo_screen" not in screen.evaluate("document.cookie")
    kept = next(one for one in screen.context.cookies() if one["name"] == "pendopo_screen")
    assert (kept["httpOnly"], kept["sameSite"]) == (True, "Strict")
    assert kept["expires"] > time.time() + 300 * 24 * 3600
    until(screen, lambda: row(store, server).heard_at is not None)
    until(screen, lambda: row(store, server).painted_at is not None)
    told = row(store, server)
    assert (told.state, told.width, told.height) == (ScreenState.SHOWING, 1920, 1080)
    assert told.build == screen.locator("html").get_attribute("data-build")
    assert told.nodes
    assert told.nodes > 50
    assert told.heap_bytes
    assert told.painted_at
    assert told.heard_at
    assert timedelta(0) <= told.heard_at - told.painted_at < timedelta(seconds=30)
    assert re.search(r"lobi +\w{6} +showing +heard \d+ s ago", command(server, "list"))


def test_a_screen_that_looks_elsewhere_is_shown_where_it_belongs(
    screen: Page, server: RunningDashboard
) -> None:
    reply = screen.goto(server.url + "/service-requests")
    assert reply is not None
    assert reply.status == 403
    assert screen.get_by_role("link").get_attribute("href") == "/wall/lobi"
    screen.goto(server.url + "/")
    screen.wait_for_url(server.url + "/wall/lobi")


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_screen_comes_back_after_the_server_was_away(
    screen: Page, server: RunningDashboard, hand: Hand, how: str
) -> None:
    screen.evaluate("window.mark = 1")
    getattr(server, how)()
    expect(screen.locator("#connection")).to_have_attribute("data-state", "lost", timeout=10_000)
    hand.write("requests_open", 4711)
    server.start()
    shows(screen, "4.711")
    connected(screen)
    assert screen.url == server.url + "/wall/lobi"
    assert screen.evaluate("window.mark") == 1, "it was neither reloaded nor sent to enrol anew"


def test_a_screen_comes_back_after_its_network_was_cut(
    screen: Page, server: RunningDashboard, hand: Hand
) -> None:
    screen.context.set_offline(True)
    # A network that is cut says nothing; here the stream is cut with it.
    screen.evaluate("document.dispatchEvent(new CustomEvent('pendopo:jump'))")
    expect(screen.locator("#connection")).to_have_attribute("data-state", "lost", timeout=10_000)
    hand.write("requests_open", 5822)
    screen.wait_for_timeout(500)
    expect(screen.locator("#pendopo")).not_to_contain_text("5.822")
    screen.context.set_offline(False)
    shows(screen, "5.822")
    connected(screen)


def test_a_browser_that_crashed_is_still_the_screen(
    screen: Page, browser: Browser, server: RunningDashboard
) -> None:
    kept = screen.context.storage_state()
    screen.context.close()
    again = browser.new_context(viewport=SIZE, storage_state=kept)
    page = again.new_page()
    page.goto(server.url + "/screen", wait_until="commit")
    page.wait_for_url(server.url + "/wall/lobi")
    connected(page)
    again.close()


@pytest.mark.parametrize("hours", [5, -5, 24 * 365 * 56])
def test_the_citys_clock_is_right_whatever_the_players_clock_does(
    screen: Page, server: RunningDashboard, hand: Hand, hours: int
) -> None:
    screen.evaluate(f"window.shift = {hours} * 3600000")

    def right() -> bool:
        now = datetime.now(ZoneInfo("Asia/Jakarta"))
        near = [f"{now + timedelta(minutes=minutes):%H.%M} WIB" for minutes in (-1, 0)]
        return any(one in screen.locator("#clock").inner_text() for one in near)

    # The next tick sees that the clocks parted, and asks the server, whose time holds from then on.
    screen.wait_for_timeout(1500)
    until(screen, right)
    screen.wait_for_timeout(1200)
    assert right()
    connected(screen)
    hand.write("requests_open", 6933 + hours % 7)
    shows(screen, f"6.93{3 + hours % 7}")


def test_a_clock_set_back_does_not_hide_that_the_server_is_gone(
    screen: Page, server: RunningDashboard
) -> None:
    screen.evaluate("window.shift = -24 * 3600000")
    screen.wait_for_timeout(2000)
    connected(screen)
    server.kill()
    expect(screen.locator("#connection")).to_have_attribute("data-state", "lost", timeout=10_000)


def test_a_machine_that_slept_shows_the_newest_when_it_wakes(
    screen: Page, server: RunningDashboard, hand: Hand
) -> None:
    session = screen.context.new_cdp_session(screen)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    server.stop()
    hand.write("requests_open", 8044)
    server.start()
    session.send("Page.setWebLifecycleState", {"state": "active"})
    # The wall clock went on while the other stood still, which is how a sleep looks from inside.
    screen.evaluate("window.shift = 8 * 3600000")
    shows(screen, "8.044")
    connected(screen)


def test_a_revoked_screen_loses_its_stream_at_once_and_shows_a_code(
    screen: Page, server: RunningDashboard, store: Store
) -> None:
    command(server, "revoke", "lobi")
    revoked = time.monotonic()
    screen.wait_for_url(server.url + "/screen", timeout=20_000)
    assert time.monotonic() - revoked < 5
    assert re.fullmatch(r"\w{3} \w{3}", screen.locator("#code").inner_text())
    assert row(store, server).state is ScreenState.REVOKED
    enrolled(screen, server)
