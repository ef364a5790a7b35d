"""A wall screen on a real server: its pages turn, stay current while they are hidden, and tell of an ACT."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from kpis.config import WALL_PAGES
from kpis.types import Severity
from tests.dashboard.running import Hand, RunningDashboard
from tests.keeper import Keeper

SCREENS = """
[[screen]]
name = "cepat"
pages = ["app_uptime", "overview", "opd"]
every = "1s"

[[screen]]
name = "lambat"
every = "24h"
"""


@pytest.fixture(scope="module")
def server(keeper: Keeper) -> Iterator[RunningDashboard]:
    made = RunningDashboard(keeper, more=SCREENS)
    yield made
    made.stop()


@pytest.fixture
def hand(server: RunningDashboard) -> Iterator[Hand]:
    with server.open_store() as store:
        hand = Hand(store)
        hand.write("apps_down_now", 0)
        yield hand


def shown(page: Page, server: RunningDashboard, screen: str) -> Page:
    page.goto(f"{server.url}/wall/{screen}?lang=en", wait_until="commit")
    expect(page.locator("#first")).to_have_count(0)
    expect(page.locator("#connection")).to_have_attribute("data-state", "ok")
    return page


def wall(page: Page, name: str) -> None:
    expect(page.locator(".wall-page:not([hidden])")).to_have_attribute("data-wall", name)
    for other in {*WALL_PAGES} - {name}:
        expect(page.locator(f'.wall-page[data-wall="{other}"]:visible')).to_have_count(0)


def test_pages_turn_by_themselves_on_one_stream_without_a_reload(
    page: Page, server: RunningDashboard, hand: Hand
) -> None:
    streams: list[str] = []
    page.on("request", lambda request: streams.append(request.url) if "/live?" in request.url else None)
    shown(page, server, "cepat")
    page.evaluate("window.mark = 1")
    for name in ("app_uptime", "overview", "opd", "app_uptime"):
        wall(page, name)
    assert page.evaluate("window.mark") == 1
    assert len(streams) == 1
    assert "screen=cepat" in streams[0]


def test_a_hidden_page_is_current_when_it_comes_forward(
    page: Page, server: RunningDashboard, hand: Hand
) -> None:
    shown(page, server, "lambat")
    tile = page.locator("#app_uptime-tile-apps_down_now .tile-value")
    hand.write("apps_down_now", 3, severity=Severity.WATCH)
    expect(tile).to_have_text("3")
    expect(tile).to_be_hidden()
    page.keyboard.press("3")
    wall(page, "app_uptime")
    expect(tile).to_be_visible()


def test_a_new_act_is_on_every_page_and_brings_the_overview_forward(
    page: Page, server: RunningDashboard, hand: Hand
) -> None:
    shown(page, server, "lambat")
    page.keyboard.press("6")
    wall(page, "opd")
    expect(page.locator("#act-strip")).to_contain_text("Nobody has to act now.")
    hand.write("apps_down_now", 7, severity=Severity.ACT)
    wall(page, "overview")
    expect(page.locator("#tile-apps_down_now .tile.act")).to_be_visible()
    for key, name in enumerate(WALL_PAGES[1:], 2):
        page.keyboard.press(str(key))
        wall(page, name)
        expect(page.locator("#act-strip")).to_contain_text("Applications down")
        expect(page.locator("#act-strip .strip-count")).to_be_visible()
