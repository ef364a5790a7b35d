"""Open pages in Chromium: they change without a reload, survive the server, and ask nobody else."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

import layouts.pages
from kpis.store import Store
from kpis.types import Severity
from layouts.pages import PAGES
from tests.dashboard.running import Hand, RunningDashboard
from tests.keeper import Keeper

TILE = "#tile-requests_open"
_DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")


@pytest.fixture(scope="module")
def running(keeper: Keeper) -> Iterator[RunningDashboard]:
    made = RunningDashboard(keeper)
    yield made
    made.stop()


@pytest.fixture
def server(running: RunningDashboard) -> RunningDashboard:
    """The module's server, up whatever the last test did to it."""
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
def unwatched(browser: Browser) -> Iterator[Page]:
    """A page whose console may hold errors: one whose server the test takes away."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    yield context.new_page()
    context.close()


def shown(page: Page, server: RunningDashboard, path: str = "/wall") -> Page:
    page.goto(server.url + path, wait_until="commit")
    expect(page.locator("#connection")).to_have_attribute("data-state", "ok")
    return page


def test_an_open_page_shows_a_change_without_a_reload(
    page: Page, server: RunningDashboard, hand: Hand
) -> None:
    shown(page, server)
    expect(page.locator(TILE)).to_contain_text("1.204")
    page.evaluate("window.mark = 1")
    hand.write("requests_open", 4711, severity=Severity.ACT)
    expect(page.locator(TILE)).to_contain_text("4.711", timeout=2000)
    assert page.evaluate("window.mark") == 1


def test_the_first_paint_of_the_page_has_its_figures(
    unwatched: Page, server: RunningDashboard, hand: Hand
) -> None:
    """The stream is held off: what shows came with the page."""
    unwatched.route(re.compile(r"/live\?"), lambda route: route.abort())
    unwatched.goto(server.url + "/wall", wait_until="commit")
    unwatched.wait_for_selector("#pendopo")
    assert "1.204" in unwatched.locator(TILE).inner_text()


@pytest.mark.parametrize("one", PAGES, ids=lambda one: one.name)
def test_every_page_opens_and_is_live_in_both_languages(
    page: Page, server: RunningDashboard, hand: Hand, one: layouts.pages.Page
) -> None:
    path = one.path.replace("<code>", "dlh").replace("<key>", "requests_open")
    for language, word in (("id", "Terhubung"), ("en", "Connected")):
        shown(page, server, f"{path}?lang={language}")
        expect(page.locator("#connection")).to_have_text(word)
        assert page.locator("html").get_attribute("lang") == language
        assert "Kota Contoh" in page.title()


def test_a_page_asks_only_its_own_server(page: Page, server: RunningDashboard, hand: Hand) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    shown(page, server)
    page.wait_for_timeout(1500)
    assert [url for url in asked if not url.startswith((server.url, "data:"))] == []
    assert sum("/live?" in url for url in asked) == 1
    assert sum("_dash-layout" in url for url in asked) == 1
    assert not any("plotly" in url or "ag_grid" in url for url in asked)


def test_the_page_breaks_none_of_its_own_content_policy(
    page: Page, server: RunningDashboard, hand: Hand
) -> None:
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation', e => { window.broken = e.violatedDirective })"
    )
    shown(page, server)
    page.wait_for_timeout(500)
    assert page.evaluate("window.broken") is None


def test_language_follows_the_address_and_is_remembered(
    page: Page, server: RunningDashboard, hand: Hand
) -> None:
    shown(page, server, "/wall?lang=en&theme=light")
    expect(page.locator(TILE)).to_contain_text("1,204")
    shown(page, server)
    expect(page.locator(TILE)).to_contain_text("1,204")
    html = page.locator("html")
    assert (html.get_attribute("lang"), html.get_attribute("data-theme")) == ("en", "light")


def test_the_clock_shows_the_citys_time(page: Page, server: RunningDashboard, hand: Hand) -> None:
    shown(page, server)
    page.wait_for_timeout(1200)
    said = page.locator("#clock").inner_text()
    now = datetime.now(ZoneInfo("Asia/Jakarta"))
    near = [now + timedelta(minutes=minutes) for minutes in (-1, 0)]
    assert said in [f"{_DAYS[at.weekday()]} {at:%H.%M} WIB" for at in near]


def test_a_paused_page_stands_still_and_then_shows_the_newest(
    page: Page, server: RunningDashboard, hand: Hand
) -> None:
    hand.write("requests_overdue_share", 0.125)
    shown(page, server, "/mayor")
    tile = page.locator("#tile-requests_overdue_share")
    expect(tile).to_contain_text("12,5")
    page.locator("#pause").click()
    expect(page.locator("#pause")).to_have_attribute("aria-pressed", "true")
    for value in (0.375, 0.625):
        hand.write("requests_overdue_share", value)
        page.wait_for_timeout(1000)
    expect(tile).to_contain_text("12,5")
    page.locator("#pause").click()
    expect(tile).to_contain_text("62,5")


def test_ages_go_on_by_the_citys_clock(keeper: Keeper, unwatched: Page) -> None:
    """In a city whose clock runs 60 times as fast, a minute of age passes every second."""
    now = datetime.now(UTC).isoformat()
    server = RunningDashboard(keeper, more=f"[clock]\nreal = {now}\ncity = {now}\nspeed = 60")
    with server.open_store() as store:
        Hand(store).write("requests_open", 1204)
        shown(unwatched, server)
        age = unwatched.locator("#data-age [data-observed]")
        seen = set()
        for _ in range(4):
            seen.add(age.inner_text())
            unwatched.wait_for_timeout(1100)
        assert len(seen) >= 3, seen
    server.stop()


def test_a_page_comes_back_by_itself_after_the_server_was_away(
    unwatched: Page, server: RunningDashboard, hand: Hand
) -> None:
    page = shown(unwatched, server)
    page.evaluate("window.mark = 1")
    server.stop()
    expect(page.locator("#connection")).to_have_attribute("data-state", "lost", timeout=10_000)
    form = page.locator("#pendopo").get_attribute("data-disconnected") or ""
    expect(page.locator("#connection")).to_have_text(re.compile(form.replace("{time}", r"\d\d\.\d\d")))
    hand.write("requests_open", 1808)
    server.start()
    expect(page.locator(TILE)).to_contain_text("1.808", timeout=15_000)
    expect(page.locator("#connection")).to_have_attribute("data-state", "ok")
    assert page.evaluate("window.mark") == 1, "a plain restart reloads nothing"


def test_a_page_comes_back_by_itself_after_the_server_was_killed(
    unwatched: Page, server: RunningDashboard, hand: Hand
) -> None:
    page = shown(unwatched, server)
    server.kill()
    hand.write("requests_open", 1909)
    server.start()
    expect(page.locator(TILE)).to_contain_text("1.909", timeout=15_000)


def test_an_open_page_reloads_once_after_an_upgrade(
    unwatched: Page, server: RunningDashboard, hand: Hand
) -> None:
    page = shown(unwatched, server)
    server.stop()
    server.configure('[wall]\ntiles = ["requests_open"]')
    with page.expect_navigation(timeout=25_000, wait_until="commit"):
        server.start()
    expect(page.locator(TILE)).to_be_visible()
    expect(page.locator("#tile-apps_down_now")).to_have_count(0)
    loads: list[str] = []
    page.on("load", lambda _: loads.append("again"))
    time.sleep(2)
    assert loads == []
    server.stop()
    server.configure()
    server.start()


def test_nothing_grows_while_a_page_lives(page: Page, server: RunningDashboard, hand: Hand) -> None:
    """DOM nodes and listeners after two hundred changes are what they were after the first twenty."""
    shown(page, server)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def counts() -> dict[str, float]:
        session.send("HeapProfiler.collectGarbage")
        return {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}

    def change(first: int, last: int) -> None:
        for n in range(first, last):
            hand.write("requests_open", 1000 + n)
            page.wait_for_timeout(60)
        expect(page.locator(TILE)).to_contain_text(f"1.{last - 1:03d}")

    change(0, 60)
    before = counts()
    change(60, 260)
    after = counts()
    assert after["JSEventListeners"] <= before["JSEventListeners"]
    assert after["Nodes"] <= before["Nodes"] * 1.05 + 20
    assert after["JSHeapUsedSize"] <= before["JSHeapUsedSize"] * 1.1
