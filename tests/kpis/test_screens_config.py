"""`[[screen]]`: what is taken, and what is refused with the key, the value and what would do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest

from kpis.config import WALL_PAGES, Screen
from kpis.errors import ConfigError
from tests.kpis.test_config import read


def last(toml: str) -> Screen:
    return read(f"[[screen]]\nname = 'lobi'\n{toml}").screens[-1]


FOUR = "pages = ['overview', 'opd', 'app_uptime', 'service_requests']"
VALID: list[tuple[str, Callable[[Screen], Any], Any]] = [
    ("", lambda s: (s.name, s.title, s.pages), ("lobi", "lobi", WALL_PAGES)),
    ("", lambda s: (s.every, s.layout, s.quarter), (timedelta(seconds=30), "one", None)),
    ("", lambda s: (s.blank_from, s.blank_to), (None, None)),
    ("title = 'Lobi utama'", lambda s: s.title, "Lobi utama"),
    ("pages = ['opd', 'overview']", lambda s: s.fields, (("opd", "overview"),)),
    ("every = '1s'", lambda s: s.every, timedelta(seconds=1)),
    ("every = '24h'", lambda s: s.every, timedelta(hours=24)),
    ("layout = 'portrait'", lambda s: s.layout, "portrait"),
    (
        f"layout = 'two_by_two'\n{FOUR}",
        lambda s: s.fields,
        (("overview",), ("opd",), ("app_uptime",), ("service_requests",)),
    ),
    (
        "layout = 'two_by_two'",
        lambda s: s.fields,
        (("overview", "e_attendance"), ("service_requests", "opd"), ("app_uptime",), ("opd_integration",)),
    ),
    ("layout = 'two_by_two'\nquarter = 2", lambda s: s.fields, (("service_requests", "opd"),)),
    (
        "blank_from = '22:00'\nblank_to = 05:30:00",
        lambda s: (s.blank_from, s.blank_to),
        (time(22), time(5, 30)),
    ),
]


@pytest.mark.parametrize(("toml", "field", "value"), VALID)
def test_a_valid_screen(toml: str, field: Callable[[Screen], Any], value: Any) -> None:
    assert field(last(toml)) == value


def test_there_is_always_a_screen_at_wall() -> None:
    assert [(screen.name, screen.pages) for screen in read("").screens] == [("wall", WALL_PAGES)]
    assert [screen.name for screen in read("[[screen]]\nname = 'lobi'").screens] == ["wall", "lobi"]


def test_a_screen_named_wall_takes_the_place_of_the_one_that_is_always_there() -> None:
    found = read("[[screen]]\nname = 'lobi'\n[[screen]]\nname = 'wall'\npages = ['opd']")
    assert [(screen.name, len(screen.pages)) for screen in found.screens] == [("wall", 1), ("lobi", 6)]


def test_a_screen_is_found_by_its_name() -> None:
    found = read("[[screen]]\nname = 'lobi'")
    assert found.screen("lobi") is found.screens[1]
    assert found.screen("gudang") is None


INVALID: list[tuple[str, str, tuple[str, ...]]] = [
    ("[[screen]]", "screen[1].name", ("missing",)),
    ("screen = 1", "screen", ("1", "[[screen]]")),
    ("[[screen]]\nname = 'Lobi 1'", "screen[1].name", ("Lobi 1", "lower-case")),
    ("[[screen]]\nname = ''", "screen[1].name", ("lower-case",)),
    ("[[screen]]\nname = 'a/b'", "screen[1].name", ("a/b", "dashes")),
    ("[[screen]]\nname = 'a\\n'", "screen[1].name", ("lower-case",)),
    ("[[screen]]\nname = 'a'\n[[screen]]\nname = 'a'", "screen[2].name", ("'a'", "twice", "its own")),
    ("[[screen]]\nname = 'a'\ntitle = 5", "screen[1].title", ("5", "text")),
    ("[[screen]]\nname = 'a'\npages = 'opd'", "screen[1].pages", ("'opd'", "list")),
    ("[[screen]]\nname = 'a'\npages = []", "screen[1].pages", ("empty", "overview")),
    ("[[screen]]\nname = 'a'\npages = [1]", "screen[1].pages", ("1", "text")),
    (
        "[[screen]]\nname = 'a'\npages = ['mayor']",
        "screen[1].pages",
        ("'mayor'", "overview, service_requests"),
    ),
    ("[[screen]]\nname = 'a'\npages = ['opd', 'opd']", "screen[1].pages", ("'opd'", "twice", "once")),
    ("[[screen]]\nname = 'a'\nevery = 30", "screen[1].every", ("30", "duration")),
    ("[[screen]]\nname = 'a'\nevery = '30 s'", "screen[1].every", ("30 s", "90s")),
    ("[[screen]]\nname = 'a'\nevery = '0s'", "screen[1].every", ("0s", "1s or more")),
    ("[[screen]]\nname = 'a'\nevery = '25h'", "screen[1].every", ("1 day, 1:00:00", "24h or less")),
    ("[[screen]]\nname = 'a'\nlayout = 'potrait'", "screen[1].layout", ("potrait", "'portrait'")),
    ("[[screen]]\nname = 'a'\nlayout = 'x'", "screen[1].layout", ("'x'", "one, two_by_two, portrait")),
    ("[[screen]]\nname = 'a'\nlayout = 'two_by_two'\nquarter = 5", "screen[1].quarter", ("5", "1 to 4")),
    ("[[screen]]\nname = 'a'\nquarter = 1", "screen[1].quarter", ("'one'", "two_by_two")),
    (
        "[[screen]]\nname = 'a'\nlayout = 'two_by_two'\npages = ['opd']",
        "screen[1].pages",
        ("1", "at least 4"),
    ),
    ("[[screen]]\nname = 'a'\nblank_from = '22:00'", "screen[1].blank_to", ("missing", "together")),
    ("[[screen]]\nname = 'a'\nblank_to = '05:00'", "screen[1].blank_from", ("missing", "together")),
    (
        "[[screen]]\nname = 'a'\nblank_from = '22:00'\nblank_to = '22:00'",
        "screen[1].blank_to",
        ("22:00", "another"),
    ),
    (
        "[[screen]]\nname = 'a'\nblank_from = '25:00'\nblank_to = '5:00'",
        "screen[1].blank_from",
        ("25:00", "07:30"),
    ),
    ("[[screen]]\nname = 'a'\nsetiap = '5s'", "screen[1].setiap", ("setiap", "every")),
]


@pytest.mark.parametrize(("toml", "key", "words"), INVALID)
def test_an_invalid_screen_is_refused_with_what_would_do(toml: str, key: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        read(toml)
    assert caught.value.key == key
    for word in words:
        assert word in str(caught.value)
