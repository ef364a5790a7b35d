"""Every page of the wall fits every screen: nothing scrolls, is cut off, overlaps or is too small to read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from dash.development.base_component import Component
from playwright.sync_api import Browser
from werkzeug.serving import make_server

from kpis.config import WALL_PAGES
from kpis.types import Attention, Freshness, Reading, Severity, Snapshot
from layouts.pages import wall
from layouts.panels.app_cells import app_cells
from layouts.panels.attention_list import attention_list
from layouts.panels.opd_matrix import opd_strip
from layouts.panels.urgent import FEW, act_strip, acts, brief, cases
from layouts.panels.wall_matrix import wall_matrix
from layouts.walls import WALLS
from layouts.words import words_for
from tests.layouts import sample, serve, tree, views, views_domains

EN, ID = words_for("en", "Asia/Jakarta"), words_for("id", "Asia/Jakarta")
MEASURE = (Path(__file__).parent / "measure.js").read_text(encoding="utf-8")
LEAST = 2.25
"""36 px at 1080p, 72 at 4K: the letters a wall is read by from 3.5 m."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, serve.application().server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}/wall"
    server.shutdown()


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize(
    ("screen", "size", "theme"),
    [
        ("one", (1920, 1080), "dark"),
        ("one", (3840, 2160), "light"),
        ("portrait", (1080, 1920), "light"),
        ("two_by_two", (3840, 2160), "dark"),
        ("quarter", (1920, 1080), "dark"),
        ("long", (1920, 1080), "dark"),
    ],
)
def test_a_page_fits_its_screen(
    browser: Browser, address: str, screen: str, size: tuple[int, int], theme: str, language: str
) -> None:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.goto(f"{address}/{screen}?lang={language}&theme={theme}")
    page.wait_for_selector(".turn[aria-current]")
    page.evaluate("document.fonts.ready")
    wrong, shown = [], set()
    for turn in range(page.locator(".turn").count()):
        page.keyboard.press(str(turn + 1))
        names = page.locator(".wall-page:not([hidden])").evaluate_all("all => all.map(e => e.dataset.wall)")
        shown |= set(names)
        wrong += [f"{names}: {one}" for one in page.evaluate(f"({MEASURE.strip()})({LEAST})")]
    context.close()
    assert shown == ({"service_requests", "opd"} if screen == "quarter" else set(WALL_PAGES))
    assert not wrong, "\n".join(wrong)


# --- what the pages say ------------------------------------------------------------------------


@pytest.mark.parametrize("name", WALL_PAGES)
def test_a_page_has_a_place_for_every_panel_and_at_most_eight_tiles(name: str) -> None:
    snapshot = views.wall()
    found = WALLS[name].panels(snapshot, EN, False)
    ids = [getattr(part, "id", None) for part in tree.walk(WALLS[name].frame(found, snapshot, EN))]
    assert {one for one in ids if one} == set(found)
    assert len(tree.of(WALLS[name].frame(found, snapshot, EN), "Div", "tile-slot")) <= 8


@pytest.mark.parametrize("screen", views.SCREENS.values(), ids=views.SCREENS)
def test_no_two_panels_of_a_screen_share_an_id(screen: object) -> None:
    snapshot = views.wall(screen)  # type: ignore[arg-type]
    ids = [getattr(part, "id", None) for part in tree.walk(wall.frame(snapshot, EN))]
    given = [one for one in ids if one]
    assert len(given) == len(set(given))
    shared = {"data-age", "notice", "live-line"}
    assert set(wall.panels(snapshot, EN)) - shared <= set(given)


def attention(*readings: Reading) -> Snapshot:
    rows = tuple(
        Attention(reading=one, title=sample.KPIS[one.kpi].title, distance=1.0, owner="") for one in readings
    )
    return views.wall(attention=rows)


def late(opd: str | None = None, minutes: float = 60, **changes: object) -> Reading:
    """Overdue requests at ACT since so many minutes."""
    found = sample.reading(sample.ROWS[1], opd)
    return replace(found, since=sample.NOW - timedelta(minutes=minutes), **changes)


def marks(strip: Component) -> str:
    found: dict[str, str] = strip.to_plotly_json()["props"]  # type: ignore[no-untyped-call]
    return found["data-acts"]


def test_every_act_is_counted_on_the_strip_and_the_first_is_named() -> None:
    found = act_strip(attention(*(late(opd.code) for opd in sample.CITY.opds)), EN)
    said = tree.text(found)
    assert said.startswith("30 ACT Overdue requests")
    assert "+2" in said
    assert len(marks(found).split()) == 30


def test_a_stale_act_is_still_an_act() -> None:
    assert tree.text(act_strip(attention(late(freshness=Freshness.STALE)), EN)).startswith("1 ACT")


def test_without_an_act_the_strip_says_so_in_the_same_place() -> None:
    found = act_strip(attention(late(severity=Severity.WATCH)), EN)
    assert tree.text(found) == "Nobody has to act now."
    assert marks(found) == ""


def test_an_act_that_just_began_stands_first() -> None:
    snapshot = attention(late("dlh"), late("dishub", minutes=3), late("dinkes"))
    assert [one.reading.opd for one in acts(snapshot)] == ["dishub", "dlh", "dinkes"]


def test_a_mark_is_the_same_as_long_as_the_act_is() -> None:
    first = act_strip(attention(late("dlh", value=0.3)), EN).to_plotly_json()["props"]["data-acts"]
    again = act_strip(attention(late("dlh", value=0.4, minutes=90)), ID).to_plotly_json()["props"][
        "data-acts"
    ]
    assert first == again
    assert first.endswith("@service_requests")


def test_a_share_of_few_cases_is_said_as_cases() -> None:
    few = late("dlh", value=0.4, numerator=2.0, denominator=5.0)
    many = late("dlh", value=0.4, numerator=0.4 * FEW, denominator=float(FEW))
    assert cases(attention(few), few, EN) == "2 of 5"
    assert "2 of 5 (target ≤ 10 %)" in tree.text(attention_list(attention(few), EN, rows=3))
    assert "40.0 % (target" in tree.text(attention_list(attention(many), EN, rows=3))


def test_uptime_is_a_share_of_time_and_never_said_as_cases() -> None:
    uptime = replace(sample.reading(sample.ROWS[9], "dlh"), numerator=2.0, denominator=5.0)
    assert cases(attention(uptime), uptime, EN) is None


def test_the_list_says_how_many_more_there_are() -> None:
    found = attention_list(attention(*(late(opd.code) for opd in sample.CITY.opds[:7])), EN, rows=4)
    assert len(tree.of(found, "Li")) == 4
    assert "7 ACT" in tree.text(found)
    assert "+3 more" in tree.text(found)


def test_a_figure_that_has_a_tile_is_counted_and_takes_no_row() -> None:
    snapshot = attention(late(), late("dlh"))
    found = attention_list(snapshot, EN, rows=4, tiles=("requests_overdue_share",))
    assert len(tree.of(found, "Li")) == 1
    assert "2 ACT" in tree.text(found)
    assert "more" not in tree.text(found)


def test_a_row_names_who_answers_for_it() -> None:
    rows = tree.of(attention_list(attention(late(), late("dlh")), EN, rows=2), "Li")
    assert "City · Setda" in tree.text(rows[0])
    assert "DLH" in tree.text(rows[1])


@pytest.mark.parametrize(
    ("text", "most", "said"),
    [
        ("DLH", 15, "DLH"),
        ("Disnaker-PMPTSP", 15, "Disnaker-PMPTSP"),
        ("Dinas Pekerjaan Umum, Penataan Ruang", 24, "Dinas Pekerjaan Umum…"),
        ("Dinas Lingkungan Hidup", 15, "Dinas Lingkung…"),
        ("x" * 30, 15, "x" * 14 + "…"),
    ],
)
def test_what_is_left_out_of_a_text_is_marked(text: str, most: int, said: str) -> None:
    assert brief(text, most) == said
    assert len(brief(text, most)) <= most


def test_the_matrix_has_the_worst_first_and_says_how_many_more() -> None:
    rows = tree.of(wall_matrix(views.wall(), EN, columns=2, rows=5), "Tr")
    assert len(rows) == 2 + 10
    assert "+20 more" in tree.text(wall_matrix(views.wall(), EN, columns=2, rows=5))
    assert "ACT" in tree.text(rows[1])


def test_an_opd_whose_act_went_stale_stands_with_those_at_act() -> None:
    stale = replace(sample.reading(sample.ROWS[1], "dlh"), freshness=Freshness.STALE)
    fine = replace(stale, opd="bkad", severity=Severity.WATCH, freshness=Freshness.FRESH)
    snapshot = views.wall(by_opd={"requests_overdue_share": {"dlh": stale, "bkad": fine}})
    rows = tree.of(wall_matrix(snapshot, EN, columns=1, rows=2), "Tr")
    assert tree.text(rows[1]).startswith("DLH")


def test_every_application_is_a_cell() -> None:
    (picture, *_) = tree.markups(app_cells(views_domains.apps(60), EN))
    assert picture.count("<rect") == 60
    assert 'aria-label="4 Down, 3 Unknown, 2 Maintenance, 4 Never checked, 47 Up"' in picture


def test_the_strip_of_opd_counts_them_all() -> None:
    assert tree.text(opd_strip(views.wall(), views.standings(), EN)).startswith("30 OPD")
