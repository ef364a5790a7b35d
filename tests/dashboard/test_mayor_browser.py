"""The mayor's page in Chromium: what a device remembers, one tap to an OPD, a poor connection."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.running import Hand, RunningDashboard
from tests.keeper import Keeper

TABLET = {"width": 1024, "height": 768}
FIRST = "24 jam terakhir"
AGAIN = re.compile("Sejak terakhir dilihat")
# What a connection carries before the first answer comes back: ten segments (RFC 6928).
FIRST_FLIGHT = 14_600


@pytest.fixture(scope="module")
def server(keeper: Keeper) -> Iterator[RunningDashboard]:
    """A dashboard on a store in which one OPD needs a word."""
    made = RunningDashboard(keeper)
    with made.open_store() as store:
        hand = Hand(store)
        hand.write("requests_open", 1204)
        hand.write("requests_open", 700, "dlh")
        hand.write("requests_overdue_share", 0.125)
    yield made
    made.stop()


@pytest.fixture
def tablet(page: Page) -> Page:
    page.set_viewport_size(TABLET)  # type: ignore[arg-type]
    return page


def opened(page: Page, server: RunningDashboard, query: str = "") -> Page:
    page.goto(f"{server.url}/mayor{query}", wait_until="commit")
    expect(page.locator("#connection")).to_have_attribute("data-state", "ok")
    return page


def kept(page: Page) -> tuple[int, int]:
    """The device's look: since when, and when it last looked, in seconds."""
    value = next(one["value"] for one in page.context.cookies() if one["name"] == "look")
    since, seen = value.split(".")
    return int(since), int(seen)


def keep(page: Page, since: float, seen: float) -> None:
    # A page that is still open notes its own look, and would write over this one.
    page.goto("about:blank")
    value = f"{int(since)}.{int(seen)}"
    page.context.add_cookies([{"name": "look", "value": value, "domain": "127.0.0.1", "path": "/mayor"}])


def test_a_look_survives_a_reload_and_begins_anew_after_half_an_hour(
    tablet: Page, server: RunningDashboard
) -> None:
    opened(tablet, server)
    expect(tablet.locator("#look")).to_contain_text(FIRST)
    assert kept(tablet)[0] == 0
    assert abs(kept(tablet)[1] - time.time()) < 30
    tablet.reload(wait_until="commit")
    expect(tablet.locator("#look")).to_contain_text(FIRST)

    now = time.time()
    keep(tablet, now - 9 * 3600, now - 60)
    for _ in range(2):
        opened(tablet, server)
        expect(tablet.locator("#look")).to_contain_text(AGAIN)
        assert kept(tablet)[0] == pytest.approx(now - 9 * 3600, abs=300)

    keep(tablet, now - 9 * 3600, now - 2 * 3600)
    opened(tablet, server)
    assert kept(tablet)[0] == pytest.approx(now - 2 * 3600, abs=300)
    since = tablet.locator("html").get_attribute("data-live") or ""
    assert re.search(r"since=\d{8}T\d{4}Z", since), "the stream shows the same look"


def test_a_page_that_was_put_away_is_fetched_again_when_it_is_picked_up(
    tablet: Page, server: RunningDashboard
) -> None:
    tablet.clock.install()
    opened(tablet, server)
    with tablet.expect_navigation(wait_until="commit"):
        tablet.clock.fast_forward("31:00")


def test_a_moment_in_the_address_is_shown_and_leaves_the_devices_own_look(
    tablet: Page, server: RunningDashboard
) -> None:
    opened(tablet, server, f"?since={time.strftime('%Y%m%dT%H%MZ', time.gmtime(time.time() - 7200))}")
    expect(tablet.locator("#look")).to_contain_text(AGAIN)
    assert kept(tablet)[0] == 0
    opened(tablet, server)
    expect(tablet.locator("#look")).to_contain_text(FIRST)


def test_one_tap_leads_to_the_opd_concerned(tablet: Page, server: RunningDashboard) -> None:
    opened(tablet, server)
    # On the sentence, not on the name: the whole row is the link.
    box = tablet.locator("#need-a-word .reason").first.bounding_box()
    assert box is not None
    tablet.mouse.click(box["x"] + 20, box["y"] + box["height"] / 2)
    tablet.wait_for_url(re.compile(r"/opd/dlh\?"))
    expect(tablet.locator("h1")).to_have_text("Dinas Lingkungan Hidup")


def test_the_keyboard_reaches_the_opd_and_its_head(tablet: Page, server: RunningDashboard) -> None:
    opened(tablet, server)
    link = tablet.locator("#need-a-word .who-link").first
    link.focus()
    tablet.keyboard.press("Tab")
    contact = tablet.evaluate("[document.activeElement.className, document.activeElement.href]")
    assert contact == ["contact", "mailto:kepala.dlh@kotacontoh.go.id"]
    box = tablet.locator("#need-a-word .contact").first.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 44
    tablet.keyboard.press("Shift+Tab")
    tablet.keyboard.press("Enter")
    tablet.wait_for_url(re.compile(r"/opd/dlh\?"))


def test_the_page_does_not_jump_while_it_comes(tablet: Page, server: RunningDashboard) -> None:
    tablet.add_init_script(
        """window.shift = 0;
        new PerformanceObserver(list => {
            for (const one of list.getEntries()) if (!one.hadRecentInput) window.shift += one.value;
        }).observe({type: "layout-shift", buffered: true})"""
    )
    opened(tablet, server)
    tablet.wait_for_timeout(1500)
    assert tablet.evaluate("window.shift") < 0.02


def test_ages_go_on_and_the_page_says_so_when_the_stream_is_cut(
    browser: Browser, server: RunningDashboard
) -> None:
    context = browser.new_context(viewport=TABLET)  # type: ignore[arg-type]
    page = context.new_page()
    page.clock.install()
    page.route(re.compile(r"/live\?"), lambda route: route.abort())
    page.goto(server.url + "/mayor", wait_until="commit")
    age = page.locator("#tile-requests_overdue_share [data-observed]")
    expect(age).to_contain_text("mnt")
    before = age.inner_text()
    page.clock.fast_forward("12:00")
    expect(page.locator("#connection")).to_have_attribute("data-state", "lost")
    expect(age).not_to_have_text(before)
    expect(page.locator("#tile-requests_overdue_share")).to_contain_text("12,5")
    context.close()


def fetched(url: str) -> bytes:
    with urlopen(Request(url, headers={"Accept-Encoding": "gzip"})) as reply:
        body: bytes = reply.read()
        packed = reply.headers.get("Content-Encoding") == "gzip"
    return body if packed else gzip.compress(body, 5)


def test_the_figures_come_with_the_first_flight(server: RunningDashboard) -> None:
    """The document and its layout together; scripts and styles stay in the browser for a year."""
    document = fetched(server.url + "/mayor")
    text = gzip.decompress(document).decode()
    layout = re.search(r'href="(/_view/[^"]+_dash-layout)"', text)
    assert layout
    assert len(document) + len(fetched(server.url + layout[1])) < FIRST_FLIGHT
