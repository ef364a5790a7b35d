"""What a first visit costs and shows, from real replies in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Response, Route, expect

import layouts.pages
from layouts.pages import PAGES
from tests.dashboard.running import Hand, RunningDashboard
from tests.keeper import Keeper

SCRIPTS_KIB = 350


@pytest.fixture(scope="module")
def server(keeper: Keeper) -> Iterator[RunningDashboard]:
    made = RunningDashboard(keeper)
    with made.open_store() as store:
        hand = Hand(store)
        hand.write("requests_open", 1204)
        hand.write("requests_overdue_share", 0.125)
        hand.write("requests_overdue_share", 0.125, opd="dlh")
    yield made
    made.stop()


def address(one: layouts.pages.Page) -> str:
    return one.path.replace("<code>", "dlh").replace("<kpi>", "requests_open")


def visited(page: Page, url: str) -> list[Response]:
    """Every reply of a visit that lasts until the page is live."""
    replies: list[Response] = []
    page.on("response", lambda reply: replies.append(reply))
    page.goto(url, wait_until="commit")
    expect(page.locator("#connection")).to_have_attribute("data-state", "ok", timeout=15_000)
    return replies


@pytest.mark.parametrize("one", PAGES, ids=lambda one: one.name)
def test_the_scripts_of_a_first_visit_are_light_and_hold_no_plotly(
    page: Page, server: RunningDashboard, one: layouts.pages.Page
) -> None:
    replies = visited(page, server.url + address(one))
    scripts = [reply for reply in replies if reply.request.resource_type == "script"]
    sizes = {reply.url: int(reply.headers["content-length"]) for reply in scripts}
    assert all(reply.headers.get("content-encoding") == "gzip" for reply in scripts)
    assert 50 < sum(sizes.values()) / 1024 <= SCRIPTS_KIB, sizes
    assert not re.search("plotly|ag-grid|ag_grid", " ".join(sizes), re.IGNORECASE)


def test_everything_a_page_is_made_of_is_kept_for_a_year(page: Page, server: RunningDashboard) -> None:
    replies = visited(page, f"{server.url}/mayor")
    kinds = ("script", "stylesheet", "font", "image")
    static = [reply for reply in replies if reply.request.resource_type in kinds]
    assert len(static) >= 8
    for reply in static:
        assert reply.headers["cache-control"] == "public, max-age=31536000, immutable", reply.url
    assert len([one for one in static if one.request.resource_type == "stylesheet"]) == 1


def test_the_document_itself_has_the_figures_and_claims_no_connection(
    browser: Browser, server: RunningDashboard
) -> None:
    """Without any script: what a slow line paints first."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.url}/wall")
    assert "1.204" in page.locator("#tile-requests_open").inner_text()
    assert page.locator("#connection").inner_text() == "Menghubungkan"
    context.close()


@pytest.mark.parametrize("path", ["/wall", "/mayor", "/opd/dlh"])
@pytest.mark.parametrize(("width", "height"), [(412, 823), (1920, 1080)])
def test_nothing_moves_when_dash_takes_over(
    browser: Browser, server: RunningDashboard, path: str, width: int, height: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.add_init_script("""window.shifts = [];
      new PerformanceObserver(list => list.getEntries().forEach(e => window.shifts.push([e.value,
        e.sources.map(s => s.node && (s.node.id || s.node.className))])))
        .observe({ type: "layout-shift", buffered: true });""")
    visited(page, server.url + path)
    page.wait_for_timeout(300)
    shifts = page.evaluate("window.shifts")
    assert sum(value for value, _ in shifts) < 0.02, shifts
    assert page.locator("#first").count() == 0
    assert page.locator("#pendopo").count() == 1
    context.close()


def test_the_focus_stays_where_it_was_when_dash_takes_over(
    browser: Browser, server: RunningDashboard
) -> None:
    context = browser.new_context()
    page = context.new_page()
    held: list[Route] = []
    page.route(re.compile("_dash-layout"), lambda route: held.append(route))
    page.goto(f"{server.url}/mayor", wait_until="commit")
    link = page.locator(".pages a").nth(2)
    link.focus()
    where = link.get_attribute("href")
    page.route(re.compile("_dash-layout"), lambda route: route.continue_())
    for route in held:
        route.continue_()
    expect(page.locator("#connection")).to_have_attribute("data-state", "ok", timeout=15_000)
    assert page.evaluate("document.activeElement.getAttribute('href')") == where
    context.close()


@pytest.mark.parametrize("one", [one for one in PAGES if not one.wall], ids=lambda one: one.name)
@pytest.mark.parametrize(("width", "height"), [(390, 844), (768, 1024)])
def test_whatever_can_be_touched_is_large_enough(
    browser: Browser, server: RunningDashboard, one: layouts.pages.Page, width: int, height: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=True)
    page = context.new_page()
    visited(page, server.url + address(one))
    small = page.evaluate("""() => Array.from(document.querySelectorAll('a, button, summary, input, select'))
      .map(e => [e, e.getBoundingClientRect()])
      .filter(([e, box]) => box.width > 0 && !e.closest('.skip') && (box.width < 44 || box.height < 44))
      .map(([e, box]) => e.outerHTML.slice(0, 120) + ' ' + box.width + 'x' + box.height)""")
    assert small == []
    context.close()


def test_paper_has_no_navigation_and_says_as_of_when(page: Page, server: RunningDashboard) -> None:
    visited(page, f"{server.url}/mayor")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    foot = page.evaluate("document.head.lastElementChild.textContent")
    assert re.search(r"Kota Contoh.*Data per \w+, \d+ \w+ \d{4}.*\d\d[.:]\d\d WIB", foot)
    page.emulate_media(media="print")
    for hidden in (".pages", ".switches", "#connection"):
        expect(page.locator(hidden).first).to_be_hidden()
    ground = page.locator("#pendopo").evaluate("root => getComputedStyle(root).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert "bottom-left" not in page.evaluate("document.head.lastElementChild.textContent")
