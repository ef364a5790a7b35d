"""The charts in Chromium: days told by pointer and keyboard, drill and back, tables behind pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ingest.arrivals import Arrival
from ingest.pipeline import Pipeline
from kpis.types import Severity
from tests.dashboard.running import Hand, RunningDashboard
from tests.keeper import Keeper

APP = "siak/lama.kota.go.id"


def _records(now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Half a day of checks with two outages, the last still on; syncs of ten days; a road map."""
    for back in range(0, 12 * 60, 5):
        at = (now - timedelta(minutes=back)).isoformat()
        up = back > 20 and not 300 <= back < 340
        yield "uptime_check", {"id": f"c{back}", "app": APP, "observed_at": at, "up": up}
    for back in range(0, 240, 6):
        run = {"id": f"s{back}", "opd": "dlh", "system": "sipd", "interface": "realisasi"}
        at = (now - timedelta(hours=back)).isoformat()
        yield "sync_run", {**run, "started_at": at, "ok": back % 42 != 0, "rows_read": 10, "data_as_of": at}
    for number in range(6):
        due = (now + timedelta(days=number * 40 - 120)).date().isoformat()
        row = {
            "id": f"m{number}",
            "opd": "dlh",
            "title": f"Tonggak {number}",
            "due_on": due,
            "kind": "connect",
        }
        yield "milestone", {**row, "updated_at": now.isoformat(), "budget": 1e9, "progress": 0.25}


@pytest.fixture(scope="module")
def server(keeper: Keeper) -> Iterator[RunningDashboard]:
    made = RunningDashboard(keeper)
    now = datetime.now(UTC)
    with made.open_store() as store:
        arrivals = [
            Arrival("asal", "asal", feed, json.dumps(body).encode(), now, "mqtt", f"city/v1/{feed}/asal")
            for feed, body in _records(now)
        ]
        outcome = Pipeline(store, made.settings, lambda: now).take(arrivals)
        assert outcome.rejected == 0, outcome.refusals
        hand = Hand(store)
        hand.write("requests_open", 700, opd="dlh", severity=Severity.ACT)
        for opd in ("dinkes", "setda"):
            hand.write("requests_open", 12, opd=opd)
    yield made
    made.stop()


def shown(page: Page, server: RunningDashboard, path: str) -> Page:
    page.goto(server.url + path, wait_until="commit")
    expect(page.locator("#connection")).to_have_attribute("data-state", "ok")
    return page


def test_the_days_of_an_application_are_told_by_keyboard_and_enter_leads_to_its_outages_and_back(
    page: Page, server: RunningDashboard
) -> None:
    shown(page, server, "/app-uptime?lang=en&range=7d")
    link = page.locator("#apps-grid a", has_text=APP)
    link.focus()
    page.keyboard.press("ArrowLeft")
    tip = page.locator(".beat-tip")
    expect(tip).to_contain_text("so far")
    page.keyboard.press("Home")
    expect(tip).to_contain_text("not observed")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.locator("#app-outages")).to_contain_text("still down")
    assert page.locator("#app-outages tbody tr").count() == 2
    assert "range=7d" in page.url
    page.go_back()
    expect(page.locator("#apps-grid a", has_text=APP)).to_be_visible()


def test_a_day_is_told_under_the_pointer(page: Page, server: RunningDashboard) -> None:
    shown(page, server, "/app-uptime?lang=id")
    beats = page.locator("#apps-grid .beats").first
    box = beats.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.999, box["y"] + 10)
    expect(page.locator(".beat-tip")).to_contain_text("tidak aktif")
    page.mouse.move(5, 5)
    expect(page.locator(".beat-tip")).to_be_hidden()


def test_the_matrix_is_walked_with_the_arrow_keys_worst_first(page: Page, server: RunningDashboard) -> None:
    shown(page, server, "/opd?lang=en")
    rows = page.locator("#opd-matrix tbody tr")
    expect(rows.first).to_contain_text("DLH")
    page.locator("#opd-matrix thead a").first.focus()
    page.keyboard.press("ArrowDown")
    focused = page.locator(":focus")
    expect(focused).to_contain_text("ACT")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/opd/dlh\?"))
    page.go_back()
    page.locator("#opd-matrix thead a").first.click()
    expect(page.locator("#opd-matrix")).to_contain_text("700")
    page.go_back()
    expect(rows.first).to_be_visible()


def test_one_opd_is_looked_at_by_an_address(page: Page, server: RunningDashboard) -> None:
    shown(page, server, "/integration?lang=en&range=90d")
    page.locator(".opd-choice select").select_option("dlh")
    page.locator(".opd-choice button").click()
    page.wait_for_url(re.compile(r"opd=dlh"))
    assert "range=90d" in page.url
    expect(page.locator("#integration-interfaces tbody tr")).to_have_count(1)
    page.locator("#integration-interfaces a", has_text="sipd").click()
    expect(page.locator("#interface-runs")).to_contain_text("good")
    expect(page.locator("#interface-sum")).to_contain_text("40 runs")


def test_every_picture_of_the_road_map_has_its_table(page: Page, server: RunningDashboard) -> None:
    shown(page, server, "/integration?lang=en")
    behind = page.locator("#integration-road details")
    behind.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(behind.locator("table")).to_be_visible()
    expect(page.locator("#integration-road svg[role=img]")).to_have_attribute(
        "aria-label", re.compile("0 of 6 milestones done")
    )
