"""The domain pages say every state, every gap and every emptiness in words, in both languages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from dash import dcc, html
from dash.development.base_component import Component
from playwright.sync_api import Page as Tab
from werkzeug.serving import make_server

from dashboard.render import to_json
from kpis.types import Freshness
from kpis.views import AppDay, AppState, IntegrationView, Step
from layouts.flat import flat
from layouts.pages import PAGES, Page, app_uptime, attendance, integration, service_requests
from layouts.panels import app_table
from layouts.panels.app_table import status_grid
from layouts.panels.arrival_curve import arrival_curve, rate_line
from layouts.panels.attendance_table import attendance_table
from layouts.panels.bars import Bar, bars
from layouts.panels.columns import day_columns
from layouts.panels.heartbeat import heartbeat
from layouts.panels.integration_tables import BREAKS, break_table
from layouts.panels.interface_table import interface_table
from layouts.panels.marks_bar import data_age, live_line
from layouts.panels.request_table import request_table
from layouts.words import words_for
from tests.layouts import sample, serve, tree
from tests.layouts import views_domains as views

EN, ID = words_for("en", "Asia/Jakarta"), words_for("id", "Asia/Jakarta")
DOMAIN_PAGES = (service_requests.PAGE, app_uptime.PAGE, integration.PAGE, attendance.PAGE)
WIDTHS = ((390, 844), (1024, 768), (1920, 1080))


@pytest.mark.parametrize("page", DOMAIN_PAGES, ids=lambda page: page.name)
def test_a_frame_has_a_place_for_every_panel(page: Page) -> None:
    snapshot = views.SNAPSHOTS[page.name]()
    shared = {"data-age", "notice", "live-line"}
    ids = [getattr(part, "id", None) for part in tree.walk(page.frame(snapshot, EN))]
    for name in set(page.panels(snapshot, EN)) - shared:
        assert ids.count(name) == 1, name
    assert page in PAGES


@pytest.mark.parametrize("page", DOMAIN_PAGES, ids=lambda page: page.name)
def test_every_drawing_is_named_or_repeats_a_figure(page: Page) -> None:
    snapshot = views.SNAPSHOTS[page.name]()
    for markup in tree.markups(page.frame(snapshot, EN)):
        assert 'role="img" aria-label="' in markup or 'aria-hidden="true"' in markup


def test_the_whole_inventory_stays_light() -> None:
    grid = status_grid(views.app_uptime(), views.apps(120), EN)
    assert len(tree.of(grid, "Tr")) == 121
    assert len(to_json(grid)) < 400_000


def test_a_flattened_table_escapes_what_sources_say() -> None:
    row = replace(views.app(1, AppState.UP), name='<img src=x onerror="alert(1)">', owner="A & B")
    markup = status_grid(views.app_uptime(), (row,), EN).markup
    assert "&lt;img" in markup
    assert "<img" not in markup
    assert "A &amp; B" in markup


def test_a_flattened_table_keeps_what_the_browser_counts_ages_from() -> None:
    row = views.requests(1)[0]
    markup = request_table(views.service_requests(), (row,), EN).markup
    assert f'data-since="{int(row.opened_at.timestamp() * 1000)}"' in markup
    assert 'data-age-form="overdue {age}"' in markup


def test_only_what_can_be_written_as_html_is_flattened() -> None:
    with pytest.raises(TypeError, match="cannot be flattened"):
        flat(dcc.Graph())
    with pytest.raises(TypeError, match="headers of a td cannot be flattened"):
        flat(html.Td("1", headers=["a", "b"]))


# --- gaps are said ---------------------------------------------------------------------------


def _row(state: AppState, number: int = 1, **changes: object) -> str:
    row = replace(views.app(number, state), **changes)
    return tree.text(tree.of(status_grid(views.app_uptime(), (row,), EN), "Tr")[1])


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (AppState.UP, "Up"), (AppState.DOWN, "Down"), (AppState.UNKNOWN, "Unknown"),
        (AppState.MAINTENANCE, "Maintenance"), (AppState.NEVER, "Never checked"),
    ],
)  # fmt: skip
def test_a_state_of_an_application_is_said_in_words(state: AppState, word: str) -> None:
    assert _row(state).startswith(word)


def test_an_application_without_owner_says_so() -> None:
    assert "no OPD no owner" in _row(AppState.UP, owner=None, opd=None)
    assert "no OPD" not in _row(AppState.UP, owner=None, opd="setda")


def test_an_application_that_fell_silent_shows_no_latency_of_before() -> None:
    assert "250" in _row(AppState.UP, latency_ms=250.0)
    silent = _row(AppState.UNKNOWN, latency_ms=250.0, observed_at=views.NOW - timedelta(hours=2))
    assert "250" not in silent
    assert "last check 2 h ago" in silent


def test_a_certificate_that_ran_out_says_so() -> None:
    assert "expired" in _row(AppState.UP, cert_expires_at=views.NOW - timedelta(seconds=1))
    assert "9 d" in _row(AppState.UP, cert_expires_at=views.NOW + timedelta(days=9, hours=3))


def test_an_address_that_is_no_web_address_is_no_link() -> None:
    row = replace(views.app(1, AppState.UP), url="javascript:alert(1)", opd=None)
    assert app_table.address(row) is None
    assert app_table.address(replace(row, url="https://kota.go.id/")) is not None


def test_the_counts_on_top_say_all_five_states() -> None:
    said = tree.text(app_uptime.panels(views.app_uptime(), EN)["apps-counts"])
    assert "4 Down 3 Unknown 2 Maintenance 4 Never checked 47 Up" in said
    assert "12 without a named owner" in said


def test_a_heartbeat_tells_downtime_from_silence() -> None:
    quiet = AppDay(day=views.TODAY - timedelta(days=2), up_s=0, down_s=0)
    half = AppDay(day=views.TODAY - timedelta(days=1), up_s=43_200, down_s=43_200)
    picture = heartbeat((quiet, half), views.NOW, EN).markup
    assert 'aria-label="2 days: 12 h of downtime on 1 day, 1 day unobserved"' in picture
    assert "h-hollow" in picture
    assert "h-down" in picture
    assert "h-flat" not in picture


def test_a_request_without_a_deadline_says_so_and_an_overdue_one_for_how_long() -> None:
    row = views.requests(1)[0]
    now = views.NOW

    def said(**changes: object) -> str:
        return tree.text(request_table(views.service_requests(), (replace(row, **changes),), EN))

    assert "no deadline" in said(due_at=None)
    assert "overdue 2 d" in said(due_at=now - timedelta(days=2, hours=1))
    assert "overdue" not in said(due_at=now + timedelta(hours=1))
    assert "waiting for mail" in said(status="waiting_for_mail").lower()


def test_an_interface_that_never_synced_says_so_and_a_failed_one_why() -> None:
    never, failed = views.interfaces()[1], views.interfaces()[2]
    assert "never synced" in tree.text(interface_table(views.integration(), (never,), EN))
    said = tree.text(interface_table(views.integration(), (failed,), EN))
    assert "missed never a good sync · failed, 2 h" in said
    assert "connection refused" in said


def test_what_an_opd_lacks_is_said_in_indonesian() -> None:
    said = tree.text(integration.panels(views.integration(), ID)["integration-steps"])
    assert "Belum terintegrasi" in said
    assert "register an interface" not in said


def test_the_ladder_counts_every_step() -> None:
    view: IntegrationView = views.integration().detail
    rows = [
        tree.text(row)
        for row in tree.of(integration.panels(views.integration(), EN)["integration-ladder"], "Tr")
    ]
    top = sum(one.step is Step.TERINTEGRASI for one in view.steps)
    assert rows[1:] == [
        "Not integrated 2", "Registered 1", "Connected 2", "Partly integrated 4", f"Integrated {top}",
    ]  # fmt: skip


def test_breaks_beyond_the_list_are_counted() -> None:
    snapshot = views.integration()
    said = break_table(snapshot, snapshot.detail.breaks, 412, EN)
    assert len(tree.of(said, "Tr")) == BREAKS + 1
    assert "+3 more" in tree.text(said)
    assert "Rp\u00a01,254,000,000" in " ".join(str(part) for part in tree.walk(said))


def test_an_attendance_rate_stands_beside_what_it_was_divided_by() -> None:
    row = tree.text(tree.of(attendance.panels(views.attendance(), EN)["attendance-opd"], "Tr")[2])
    assert "91.5 % 65 of 71" in row


def test_an_opd_that_sent_nothing_has_no_rate_of_zero() -> None:
    snapshot = views.attendance()
    nought = {
        "leave": 0,
        "present": 0,
        "off_site": 0,
        "late": 0,
        "unexplained": 0,
        "checkins": 0,
        "doubtful": 0,
    }
    silent = replace(snapshot.detail.by_opd[3], **nought)
    row = tree.text(tree.of(attendance_table(snapshot, (silent,), EN), "Tr")[1])
    assert row == "Bappeda — no data — — — — — — —"
    on_leave = replace(silent, leave=5, off_site=2)
    assert "no data" in tree.text(attendance_table(snapshot, (on_leave,), EN)), "the clocks are silent still"
    one = replace(silent, present=1, checkins=1)
    assert "1.2 % 1 of 81" in tree.text(attendance_table(snapshot, (one,), EN))


def test_the_rule_lateness_counts_by_is_said() -> None:
    said = tree.text(attendance.panels(views.attendance(), ID)["attendance-rule"])
    assert "Terlambat dihitung dari pukul 07.30 ditambah 15 menit" in said


@pytest.mark.parametrize(
    ("why", "word"), [("weekend", "akhir pekan"), ("Hari Raya Nyepi", "Hari Raya Nyepi")]
)
def test_a_day_off_is_said_and_has_no_rates(why: str, word: str) -> None:
    found = attendance.panels(views.attendance(why), ID)
    assert word in tree.text(found["attendance-rule"])
    assert "%" not in tree.text(found["attendance-opd"])
    assert "terlambat mulai" not in tree.text(found["attendance-arrivals"])


def test_a_day_nobody_was_due_is_a_gap_in_the_line() -> None:
    worked = [day for day in views.attendance().detail.days if day.off is None][2:5]
    days = [replace(day, due=0) if n == 1 else day for n, day in enumerate(worked)]
    said = tree.text(rate_line(days, views.TODAY, EN))
    assert f"— {days[1].attended:,} 0" in said
    assert len(tree.markups(rate_line(days, views.TODAY, EN))[-1].split("l-rate")) == 3, "the line breaks"


def test_overdue_is_a_solid_part_of_a_hollow_bar() -> None:
    found = bars("Age", (Bar("old", 40, 10), Bar("new", 20, 0)), EN)
    old, new = tree.markups(found)[1:]
    assert 'width="100" height="12" class="c-hollow"' in old
    assert 'width="25" height="12" class="c-solid"' in old
    assert "c-solid" not in new


# --- nothing there is said -------------------------------------------------------------------


@pytest.mark.parametrize(
    "panel",
    [
        status_grid(views.app_uptime(), (), EN),
        request_table(views.service_requests(), (), EN),
        interface_table(views.integration(), (), EN),
        break_table(views.integration(), (), 12, EN),
        break_table(views.integration(), (), 0, EN),
        day_columns((), EN),
        bars("Age", (), EN),
        arrival_curve((), None, EN),
        rate_line((), views.TODAY, EN),
    ],
    ids=lambda panel: tree.text(panel)[:30],
)
def test_an_empty_panel_is_one_sentence(panel: Component) -> None:
    assert panel._type == "P"
    assert tree.text(panel).endswith(".")


# --- in a browser ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The sample's pages on a free port."""
    server = make_server("127.0.0.1", 0, serve.application().server, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("layout", DOMAIN_PAGES, ids=lambda page: page.name)
def test_a_page_fits_its_screen(page: Tab, address: str, layout: Page, language: str) -> None:
    """Nothing but a table's own box scrolls sideways; every drawing has a size; figures are whole."""
    page.goto(f"{address}{layout.path}?lang={language}")
    page.wait_for_selector("#content h1", state="attached", timeout=60_000)
    assert page.locator("#pendopo").get_attribute("lang") == language
    for width, height in WIDTHS:
        page.set_viewport_size({"width": width, "height": height})
        found = page.evaluate(_MEASURE)
        assert found["width"] <= width, (width, found)
        assert found["outside"] == [], (width, found)
        assert found["flat"] == [], (width, found)


_MEASURE = """() => {
  const name = (e) => e.tagName + '.' + (e.getAttribute('class') || '');
  const edge = document.documentElement.clientWidth;
  const own = [...document.querySelectorAll('#content *')].filter((e) => !e.closest('.scroll, svg, details'));
  const wide = own.filter((e) => e.getBoundingClientRect().right > edge + 1);
  const boxes = [...document.querySelectorAll('#content svg')].map((e) => [e, e.getBoundingClientRect()]);
  const flat = boxes.filter(([, box]) => box.width < 8 || box.height < 8).map(([e]) => e);
  return {width: document.documentElement.scrollWidth, outside: wide.map(name), flat: flat.map(name)};
}"""


def test_a_day_off_is_not_counted_as_stale_or_missing() -> None:
    page = sample.snapshot("attendance", None)
    today = {key: one for key, one in page.readings.items() if key.endswith("_today")}
    away = {key: replace(one, value=None, freshness=Freshness.STALE) for key, one in today.items()}
    words = words_for("en", "Asia/Jakarta")
    worked = replace(page, readings=away, day_off=None)
    resting = replace(worked, day_off="weekend")
    assert "3 stale" in tree.text(data_age(worked, words))
    assert "stale" not in tree.text(data_age(resting, words))
    assert live_line(worked, words) != live_line(resting, words) == "All figures are on target."
