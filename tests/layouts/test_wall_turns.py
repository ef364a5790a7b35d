"""A wall's pages take turns, by themselves and by hand, and no turn and no dark hour hides an ACT.

The browser's clock is the test's own: minutes and months pass when they are told to.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from kpis.config import WALL_PAGES
from tests.layouts import serve

NOON = datetime(2026, 11, 16, 5, 0, tzinfo=UTC)  # in the west of the country
EVENING = datetime(2026, 11, 16, 14, 59, 50, tzinfo=UTC)  # ten seconds before 22.00
TURN = 30_000
MINUTE = 60_000


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, serve.application().server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}/wall"
    server.shutdown()


def opened(page: Page, address: str, at: datetime = NOON) -> Page:
    """A screen whose first page begins at `at`, where its clock stands until it is told to go on."""
    page.clock.install(time=at - timedelta(minutes=1))
    page.goto(address)
    page.wait_for_selector(".turn[aria-current]", state="attached")
    page.clock.pause_at(at)
    page.keyboard.press("Home")
    return page


def shown(page: Page) -> list[str]:
    found: list[str] = page.locator(".wall-page:not([hidden])").evaluate_all(
        "all => all.map(e => e.dataset.wall)"
    )
    return found


def acts(page: Page, marks: str) -> None:
    """Makes these the active ACT, as the stream would."""
    page.evaluate("marks => { document.querySelector('[data-acts]').dataset.acts = marks }", marks)
    page.clock.run_for(1000)


def known(page: Page) -> str:
    return str(page.evaluate("document.querySelector('[data-acts]').dataset.acts"))


def test_pages_take_turns_and_begin_again(page: Page, address: str) -> None:
    opened(page, f"{address}/one?lang=en")
    seen = []
    for _ in WALL_PAGES:
        seen += shown(page)
        page.clock.run_for(TURN)
    assert tuple(seen) == WALL_PAGES
    assert shown(page) == ["overview"]
    expect(page.locator("#heading")).to_have_text("Overview")


def test_four_pages_show_at_once_on_a_wall_of_four(page: Page, address: str) -> None:
    opened(page, f"{address}/two_by_two")
    assert shown(page) == ["overview", "service_requests", "app_uptime", "opd_integration"]
    page.clock.run_for(TURN)
    assert shown(page) == ["e_attendance", "opd", "app_uptime", "opd_integration"]


def test_keys_and_bars_choose_a_page(page: Page, address: str) -> None:
    opened(page, f"{address}/one")
    for key, name in (
        ("ArrowRight", "service_requests"), ("4", "opd_integration"), ("ArrowLeft", "app_uptime"),
        ("End", "opd"), ("ArrowRight", "overview"), ("PageDown", "service_requests"), ("Home", "overview"),
    ):  # fmt: skip
        page.keyboard.press(key)
        assert shown(page) == [name], key
    page.locator(".turn").nth(2).click()
    assert shown(page) == ["app_uptime"]
    page.locator(".turn").nth(4).focus()
    page.keyboard.press("Enter")
    assert shown(page) == ["e_attendance"]


def test_what_a_key_chose_stands_for_a_whole_turn(page: Page, address: str) -> None:
    opened(page, f"{address}/one")
    page.clock.run_for(TURN - 5000)
    page.keyboard.press("6")
    page.clock.run_for(TURN)
    assert shown(page) == ["opd"]
    page.clock.run_for(TURN)
    assert shown(page) == ["overview"]


def test_a_held_page_stands_and_is_let_go_by_hand_or_after_a_while(page: Page, address: str) -> None:
    opened(page, f"{address}/one?lang=en")
    page.keyboard.press("p")
    page.clock.run_for(10 * MINUTE)
    assert shown(page) == ["overview"]
    expect(page.locator("#hold")).to_have_attribute("aria-pressed", "true")
    page.locator("#hold").click()
    page.clock.run_for(TURN + 2000)
    assert shown(page) != ["overview"]
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    page.clock.run_for(15 * MINUTE - 5000)
    assert shown(page) == ["overview"]
    page.clock.run_for(2 * TURN)
    assert shown(page) != ["overview"]
    expect(page.locator("#hold")).to_have_attribute("aria-pressed", "false")


def test_a_machines_clock_set_back_stops_no_turn(page: Page, address: str) -> None:
    opened(page, f"{address}/one")
    page.clock.set_system_time(NOON - timedelta(hours=3))
    page.clock.run_for(2 * TURN + 2000)
    assert shown(page) != ["overview"]


# --- no ACT is hidden --------------------------------------------------------------------------


def test_every_page_says_what_is_at_act(page: Page, address: str) -> None:
    opened(page, f"{address}/one")
    count = str(len(known(page).split()))
    for _ in WALL_PAGES:
        listed = page.locator(".attention .count.act b, #act-strip .strip-count b").locator("visible=true")
        assert listed.all_inner_texts() == [count], shown(page)
        page.clock.run_for(TURN)


def test_a_new_act_brings_the_overview_forward_for_a_whole_turn(page: Page, address: str) -> None:
    opened(page, f"{address}/one")
    page.keyboard.press("4")
    acts(page, known(page) + " 0badcafe@e_attendance")
    assert shown(page) == ["overview"]
    page.clock.run_for(TURN - 2000)
    assert shown(page) == ["overview"]
    page.clock.run_for(TURN)
    assert shown(page) == ["service_requests"]


def test_an_act_that_comes_and_goes_brings_no_page_forward_again(page: Page, address: str) -> None:
    opened(page, f"{address}/one")
    before = known(page)
    acts(page, before + " 0badcafe@opd")
    for minutes, name in ((2, "opd"), (6, "overview")):
        acts(page, before)
        page.clock.run_for(minutes * MINUTE)
        page.keyboard.press("End")
        acts(page, before + " 0badcafe@opd")
        assert shown(page) == [name], minutes


def test_what_stands_for_long_is_not_new_because_something_else_is(page: Page, address: str) -> None:
    opened(page, f"{address}/one")
    page.clock.run_for(20 * MINUTE)
    page.keyboard.press("End")
    acts(page, known(page).split()[0])
    assert shown(page) == ["opd"]


def test_a_held_page_stays_and_the_strip_tells_of_the_new_act(page: Page, address: str) -> None:
    opened(page, f"{address}/one")
    page.keyboard.press("6")
    page.keyboard.press("p")
    acts(page, known(page) + " 0badcafe@opd")
    assert shown(page) == ["opd"]
    expect(page.locator("#act-strip .strip-count")).to_be_visible()


# --- dark hours --------------------------------------------------------------------------------


def test_a_screen_is_dark_in_its_hours_and_says_the_time_and_what_is_at_act(page: Page, address: str) -> None:
    opened(page, f"{address}/dark", EVENING)
    dark = page.locator("#dark")
    expect(dark).to_be_hidden()
    page.clock.run_for(15_000)
    expect(dark).to_be_visible()
    expect(page.locator(".tile").first).to_be_hidden()
    expect(page.locator(".dark-clock")).to_contain_text("WIB")
    expect(page.locator("#dark-acts")).to_contain_text("TINDAK")
    page.clock.set_system_time(EVENING + timedelta(hours=7, minutes=31))
    page.clock.run_for(1000)
    expect(dark).to_be_hidden()
    expect(page.locator(".tile").first).to_be_visible()


def test_a_new_act_lights_a_dark_screen_until_it_is_over(page: Page, address: str) -> None:
    opened(page, f"{address}/dark", EVENING + timedelta(hours=1))
    dark, before = page.locator("#dark"), known(page)
    expect(dark).to_be_visible()
    acts(page, before + " 0badcafe@app_uptime")
    expect(dark).to_be_hidden()
    assert shown(page) == ["overview"]
    page.clock.run_for(10 * MINUTE)
    expect(dark).to_be_hidden()
    acts(page, before)
    expect(dark).to_be_visible()


def test_the_dark_clock_wanders(page: Page, address: str) -> None:
    opened(page, f"{address}/dark", EVENING + timedelta(hours=1))
    places = set()
    for _ in range(4):
        places.add(str(page.locator(".dark-clock").bounding_box()))
        page.clock.run_for(MINUTE)
    assert len(places) == 4


# --- months ------------------------------------------------------------------------------------


def test_everything_moves_by_a_few_pixels_from_time_to_time(page: Page, address: str) -> None:
    opened(page, f"{address}/one")
    places = []
    for _ in range(9):
        box = page.locator(".city").bounding_box()
        assert box is not None
        places.append((box["x"], box["y"]))
        page.clock.run_for(2 * MINUTE)
    assert len(set(places)) == 9
    assert max(abs(x - places[0][0]) for x, _ in places) <= 8
    assert max(abs(y - places[0][1]) for _, y in places) <= 8


def test_nothing_grows_over_a_thousand_turns(page: Page, address: str) -> None:
    opened(page, f"{address}/one")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def counts() -> dict[str, float]:
        session.send("HeapProfiler.collectGarbage")
        return {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}

    page.clock.run_for(100 * TURN)
    before = counts()
    page.clock.run_for(1000 * TURN)
    after = counts()
    assert after["JSEventListeners"] <= before["JSEventListeners"]
    # Some nodes of the last turns wait for their collection; a leak of one a turn would be a thousand.
    assert after["Nodes"] <= before["Nodes"] + 50
    assert after["JSHeapUsedSize"] <= before["JSHeapUsedSize"] * 1.02
