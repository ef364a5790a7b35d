"""Pages whose server is away, in Chromium: what the service worker keeps, how it says its age, and how
the page comes back."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from kpis.types import Severity
from tests.dashboard.running import Hand, RunningDashboard
from tests.keeper import Keeper

TILE = "#tile-requests_overdue_share"
_KEPT = "caches.open('pendopo-pages').then(cache => cache.keys()).then(keys => keys.map(key => key.url))"
_HOURS = 3
# The kept page as it would be hours later: only the moment it was kept is another.
_OLDER = f"""async () => {{
  const cache = await caches.open("pendopo-pages");
  for (const key of await cache.keys()) {{
    const kept = await cache.match(key);
    const headers = new Headers(kept.headers);
    const at = Number(headers.get("x-pendopo-saved-at")) - {_HOURS} * 3600000 - 60000;
    headers.set("x-pendopo-saved-at", String(at));
    const text = (await kept.text()).replace(/data-at="\\d+"/, 'data-at="' + at + '"');
    await cache.put(key, new Response(text, {{ headers: headers }}));
  }}
}}"""


@pytest.fixture
def server(keeper: Keeper) -> Iterator[RunningDashboard]:
    made = RunningDashboard(keeper)
    with made.open_store() as store:
        hand = Hand(store)
        hand.write("requests_overdue_share", 0.45, severity=Severity.ACT)
        hand.write("apps_down_now", 0)
    yield made
    made.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1024, "height": 768})
    yield context
    context.close()


def until(page: Page, asked: str, holds: Callable[[list[str]], bool]) -> None:
    """Asks the page until what it answers holds, for at most 15 s."""
    for _ in range(150):
        if holds(page.evaluate(asked)):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{asked}: {page.evaluate(asked)}")


def opened(context: BrowserContext, server: RunningDashboard, path: str) -> Page:
    """The page, live, under a worker that keeps it."""
    page = context.new_page()
    page.goto(server.url + path, wait_until="commit")
    expect(page.locator("#connection")).to_have_attribute("data-state", "ok", timeout=15_000)
    page.wait_for_function("() => navigator.serviceWorker.controller")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    until(page, _KEPT, lambda urls: server.url + path in urls)
    return page


@pytest.mark.parametrize("path", ["/mayor", "/wall"])
def test_a_killed_server_leaves_the_last_snapshot_that_says_how_old_it_is(
    context: BrowserContext, server: RunningDashboard, path: str
) -> None:
    page = opened(context, server, path)
    server.kill()
    page.close()  # as after a restart of the browser: nothing of the open page is left
    page = context.new_page()
    page.goto(server.url + "/attendance", wait_until="commit")  # of which nothing is kept
    page.evaluate(_OLDER)
    page.goto(server.url + path, wait_until="commit")
    band = page.locator(".aged-band")
    expect(band).to_contain_text(f"{_HOURS} jam")
    expect(band).to_contain_text(re.compile(r"TIDAK TERHUBUNG.*\d\d\.\d\d WIB"))
    expect(page.locator(TILE)).to_contain_text("45,0")
    expect(page.locator(TILE)).to_contain_text(f"BASI {_HOURS} jam")
    expect(page.locator(TILE)).to_contain_text("semula TINDAK")
    expect(page.locator("#connection")).to_have_attribute("data-state", "lost")
    assert page.locator(".state.act, .state.on_target, .tile.act, .tile.on_target").count() == 0
    hatched = page.locator(".tile").first.evaluate("tile => getComputedStyle(tile).backgroundImage")
    assert "repeating-linear-gradient" in hatched
    server.start()
    expect(page.locator("#connection")).to_have_attribute("data-state", "ok", timeout=30_000)
    assert page.locator("html").get_attribute("data-saved") is None
    expect(page.locator(".aged-band")).to_have_count(0)
    expect(page.locator(f"{TILE} .state.act")).to_be_visible()


def test_a_device_without_a_network_shows_what_it_kept_and_comes_back(
    context: BrowserContext, server: RunningDashboard
) -> None:
    page = opened(context, server, "/opd/dlh")
    context.set_offline(True)
    page.reload(wait_until="commit")
    expect(page.locator(".aged-band")).to_contain_text("TIDAK TERHUBUNG")
    page.goto(server.url + "/attendance", wait_until="commit")
    expect(page.locator("body")).to_contain_text("belum pernah dibuka di perangkat ini")
    page.goto(server.url + "/opd/dlh?lang=en", wait_until="commit")
    expect(page.locator(".aged-band")).to_be_visible()
    context.set_offline(False)
    expect(page.locator("#connection")).to_have_text("Connected", timeout=30_000)


def test_a_snapshot_is_of_what_the_page_showed_last(
    context: BrowserContext, server: RunningDashboard
) -> None:
    page = opened(context, server, "/mayor")
    with server.open_store() as store:
        Hand(store).write("requests_overdue_share", 0.375)
    expect(page.locator(TILE)).to_contain_text("37,5")
    server.kill()
    expect(page.locator("#connection")).to_have_attribute("data-state", "lost", timeout=15_000)
    page.reload(wait_until="commit")
    expect(page.locator(".aged-band")).to_be_visible()
    expect(page.locator(TILE)).to_contain_text("37,5")


def test_another_build_takes_over_once_and_leaves_no_files_of_the_old_one(
    context: BrowserContext, server: RunningDashboard
) -> None:
    page = opened(context, server, "/mayor")
    old = page.locator("html").get_attribute("data-build")
    server.stop()
    server.configure('[wall]\ntiles = ["requests_open"]')
    with page.expect_navigation(timeout=30_000, wait_until="commit"):
        server.start()
    expect(page.locator("#connection")).to_have_attribute("data-state", "ok", timeout=15_000)
    new = page.locator("html").get_attribute("data-build")
    assert new != old
    files = "caches.keys().then(names => names.filter(one => one.includes('files')))"
    until(page, files, lambda names: names == [f"pendopo-files-{new}"])
    loads: list[str] = []
    page.on("load", lambda _: loads.append("again"))
    page.wait_for_timeout(1000)
    assert loads == []
    server.stop()
    page.reload(wait_until="commit")
    expect(page.locator(".aged-band")).to_be_visible()


def test_what_is_kept_is_bounded_and_forgotten_when_told(
    context: BrowserContext, server: RunningDashboard
) -> None:
    page = opened(context, server, "/sources")
    for number in range(26):
        page.evaluate(f"""navigator.serviceWorker.controller.postMessage({{type: "snapshot", content: "y",
            address: location.origin + "/sources?reject={number}", at: Date.now()}})""")
    until(page, _KEPT, lambda urls: len(urls) >= 24)
    page.wait_for_timeout(500)
    assert len(page.evaluate(_KEPT)) <= 24
    page.evaluate("window.pendopo.forget()")
    until(page, _KEPT, lambda urls: urls == [])


def test_a_page_can_be_installed(context: BrowserContext, server: RunningDashboard) -> None:
    page = opened(context, server, "/mayor")
    address = page.locator("link[rel=manifest]").get_attribute("href")
    said = page.evaluate("address => fetch(address).then(reply => reply.json())", address)
    assert (said["name"], said["lang"], said["display"]) == ("Kota Contoh · Wali kota", "id", "standalone")
    assert (said["start_url"], said["scope"]) == ("/mayor", "/")
    kinds = {(icon["sizes"], icon["purpose"]) for icon in said["icons"]}
    assert {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable"), ("any", "any")} == kinds
    for icon in said["icons"]:
        sizes = page.evaluate(
            """src => new Promise((done, lost) => {
              const image = new Image();
              image.onload = () => done([image.naturalWidth, image.naturalHeight]);
              image.onerror = lost;
              image.src = src;
            })""",
            icon["src"],
        )
        assert icon["sizes"] in ("any", f"{sizes[0]}x{sizes[1]}")
    session = context.new_cdp_session(page)
    found = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # What a browser of tests is: it forgets everything, and so installs nothing.
    assert [error["errorId"] for error in found if error["errorId"] != "in-incognito"] == []


def test_without_tls_a_page_works_and_nothing_is_kept(
    browser: Browser, chromium: Path, server: RunningDashboard
) -> None:
    flags = ["--host-resolver-rules=MAP pendopo.test 127.0.0.1"]
    flags += ["--no-sandbox"] if os.geteuid() == 0 else []
    errors: list[str] = []
    other = browser.browser_type.launch(executable_path=chromium, args=flags)
    page = other.new_page()
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(server.url.replace("127.0.0.1", "pendopo.test") + "/mayor", wait_until="commit")
    expect(page.locator("#connection")).to_have_attribute("data-state", "ok", timeout=15_000)
    assert page.evaluate("window.isSecureContext") is False
    other.close()
    # Chromium notes of one security header that it means nothing without TLS; that is all.
    assert [text for text in errors if "Cross-Origin-Opener-Policy" not in text] == []
