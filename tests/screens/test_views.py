"""What the pages say of screens: listed with the sources, watched among the applications, in no figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dashboard.snapshot import Key
from dashboard.tables import Tables
from kpis import readings
from kpis.types import Snapshot
from layouts.pages import PAGES
from layouts.panels.attention_list import attention_list
from layouts.panels.urgent import act_strip
from layouts.words import words_for
from tests.layouts.tree import of, text
from tests.screens.conftest import Hall
from tests.screens.test_door import _Frozen

UPTIME = ("apps_down_now", "app_uptime_24h", "app_uptime_30d", "error_budget_left_30d")


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'pendopo.db'}"


@pytest.fixture
def tables(hall: Hall) -> Tables:
    object.__setattr__(hall.settings, "clock", _Frozen(hall.clock))
    return Tables(hall.settings, hall.store)


def panel(tables: Tables, page: str, name: str, language: str = "id") -> Any:
    snapshot = tables.read(Key(page))
    words = words_for(language, snapshot.city.timezone)
    return next(one for one in PAGES if one.name == page).panels(snapshot, words)[name]


def attention(tables: Tables, opd: str | None = None) -> list[str]:
    """The lines about screens in the list of what needs attention, in English."""
    snapshot: Snapshot = tables.read(Key("opd", opd) if opd else Key("mayor"))
    shown = attention_list(snapshot, words_for("en", "Asia/Jakarta"), rows=9)
    return [text(line) for line in of(shown, "Li", "screen")]


def test_the_sources_page_lists_every_screen_with_what_it_told(hall: Hall, tables: Tables) -> None:
    hall.report(hall.enrol("lobi"))
    said = text(panel(tables, "sources", "screen-list"))
    for word in (
        "Lobi utama",
        "lobi · Lantai 1",
        "Tampil",
        "overview",
        "24 MB",
        "812",
        "1920 × 1080",
        "0123456789ab",
    ):
        assert word in said.replace("\u00a0", " "), word
    assert said.count("Belum terdaftar") == 2
    assert "Not enrolled" in text(panel(tables, "sources", "screen-list", "en"))


def test_the_page_says_how_to_enrol_and_shows_no_code(hall: Hall, tables: Tables) -> None:
    waiting = hall.ask("secret")
    assert waiting is not None
    snapshot = tables.read(Key("sources"))
    page = next(one for one in PAGES if one.name == "sources")
    said = text(page.frame(snapshot, words_for("en", snapshot.city.timezone)))
    assert "./run screen enrol CODE NAME" in said
    assert waiting.code not in said.replace(" ", "")


def test_a_screen_that_falls_silent_is_an_alarm_until_it_is_heard_again(hall: Hall, tables: Tables) -> None:
    token = hall.enrol("lobi")
    hall.report(token)
    assert attention(tables) == []
    hall.clock.tick(seconds=119)
    assert attention(tables) == []
    hall.clock.tick(minutes=12)
    grid = panel(tables, "app_uptime", "apps-screens")
    assert "layar: lobi" in text(grid)
    assert "Diam" in text(grid)
    assert len(of(grid, "Tr", "act")) == 1
    (line,) = attention(tables)
    assert "ACT 11 min" in line.replace("\u00a0", " ")
    assert "screen: lobi" in line
    assert "heard 13 min ago" in line.replace("\u00a0", " ")
    hall.report(token)
    assert attention(tables) == []
    assert of(panel(tables, "app_uptime", "apps-screens"), "Tr", "act") == []
    assert "Tampil" in text(panel(tables, "app_uptime", "apps-screens"))


def test_a_silent_screen_is_at_act_on_every_page_of_a_wall(hall: Hall, tables: Tables) -> None:
    words = words_for("en", "Asia/Jakarta")
    hall.report(hall.enrol("lobi"))
    assert "Nobody has to act now." in text(act_strip(tables.read(Key("wall")), words))
    hall.clock.tick(minutes=12)
    strip = act_strip(tables.read(Key("wall")), words)
    assert "1 ACT screen: lobi" in text(strip)
    (mark,) = getattr(strip, "data-acts").split()
    assert mark.endswith("@overview"), "a new one brings the overview forward"


def test_a_silent_screen_is_the_matter_of_the_opd_that_answers_for_it(hall: Hall, tables: Tables) -> None:
    hall.report(hall.enrol("lobi"))
    hall.clock.tick(minutes=12)
    assert len(attention(tables, "dishub")) == 1
    assert attention(tables, "dinkes") == []


def test_a_silent_screen_is_in_no_figure_of_the_applications(hall: Hall, tables: Tables) -> None:
    hall.report(hall.enrol("lobi"))
    hall.report(hall.enrol("balai"))
    hall.clock.tick(hours=1)
    with hall.store.read() as conn:
        found = readings.as_of(conn, hall.settings, hall.clock.now())
    assert {(found[key, None].value, found[key, None].expected) for key in UPTIME} == {(None, 0)}
    snapshot = tables.read(Key("app_uptime"))
    assert sum(row.alarm for row in snapshot.screens) == 2
    assert snapshot.detail.apps == ()
    assert "0 Tidak aktif" in text(panel(tables, "app_uptime", "apps-counts"))


def test_without_a_device_the_page_of_applications_says_nothing_of_screens(
    hall: Hall, tables: Tables
) -> None:
    assert panel(tables, "app_uptime", "apps-screens") == ""
    hall.enrol("lobi")
    hall.revoke("lobi")
    assert panel(tables, "app_uptime", "apps-screens") == ""
