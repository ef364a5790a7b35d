"""From a tile to its figure to an OPD's, by keyboard and back, with the days kept all the way."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.running import Hand, RunningDashboard
from tests.keeper import Keeper


@pytest.fixture(scope="module")
def server(keeper: Keeper) -> Iterator[RunningDashboard]:
    made = RunningDashboard(keeper)
    with made.open_store() as store:
        hand = Hand(store)
        hand.write("requests_open", 1204)
        hand.write("requests_open", 31, "dlh")
    yield made
    made.stop()


def test_a_tile_leads_down_to_an_opd_by_keyboard_and_back(page: Page, server: RunningDashboard) -> None:
    start = "/service-requests?range=30d&lang=en"
    page.goto(server.url + start, wait_until="commit")
    page.locator("#tile-requests_open .tile-link").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/kpi/requests_open\?.*range=30d"))
    expect(page.locator("h1")).to_have_text("Open requests")
    page.locator(".ranks").get_by_role("link", name="DLH").press("Enter")
    expect(page).to_have_url(re.compile(r"/opd/dlh/kpi/requests_open\?.*range=30d"))
    expect(page.locator("#kpi-tile")).to_contain_text("31")
    page.go_back()
    expect(page.locator("#kpi-tile")).to_contain_text("1,204")
    page.go_back()
    expect(page).to_have_url(server.url + start)
    expect(page.locator(".range [aria-current]")).to_have_text("30 days")


def test_days_of_ones_own_are_sent_by_a_plain_form(page: Page, server: RunningDashboard) -> None:
    page.goto(server.url + "/service-requests?lang=en&theme=dark", wait_until="commit")
    page.locator(".range-own summary").press("Enter")
    page.get_by_label("First day").fill("2026-08-01")
    page.get_by_label("Last day").fill("2026-08-17")
    page.get_by_role("button", name="Show").press("Enter")
    expect(page).to_have_url(re.compile(r"from=2026-08-01&to=2026-08-17"))
    expect(page.locator(".range-own summary")).to_contain_text("17")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_range_that_cannot_be_shown_is_said_and_today_is_shown(
    page: Page, server: RunningDashboard
) -> None:
    page.goto(server.url + "/service-requests?from=2026-08-17&to=2026-08-01&lang=en", wait_until="commit")
    expect(page.locator(".range-problem")).to_contain_text("The first day lies after the last")
    expect(page.locator(".range a[aria-current]")).to_have_text("Today")
