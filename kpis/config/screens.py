"""The wall's screens, as `[[screen]]` spells them: what each shows, in which order and how long."""

from __future__ import annotations

import re
from datetime import timedelta

from kpis.errors import ConfigError
from kpis.reader import Table
from kpis.settings import Screen
from kpis.types import City

WALL = "wall"
"""The screen at `/wall`; it is there even when no configuration names it."""
WALL_PAGES = ("overview", "service_requests", "app_uptime", "opd_integration", "e_attendance", "opd")
LAYOUTS = ("one", "two_by_two", "portrait")
QUARTERS = 4
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_EVERY = timedelta(seconds=30)
_SHORTEST, _LONGEST = timedelta(seconds=1), timedelta(hours=24)


def read_screens(root: Table, city: City) -> tuple[Screen, ...]:
    """Every screen by configuration, after the one at `/wall`, which they may replace."""
    found: dict[str, Screen] = {WALL: _screen(Table({"name": WALL}), city)}
    named: set[str] = set()
    for table in root.tables("screen"):
        screen = _screen(table, city)
        if screen.name in named:
            raise ConfigError(
                table.key("name"), f"is {screen.name!r}, which stands twice", "give each screen its own name"
            )
        named.add(screen.name)
        found[screen.name] = screen
    return tuple(found.values())


def _screen(table: Table, city: City) -> Screen:
    name = table.text("name")
    if not _SLUG.fullmatch(name):
        raise ConfigError(
            table.key("name"), f"is {name!r}", "use up to 40 lower-case letters, digits and dashes: lobby-1"
        )
    screen = Screen(
        name=name,
        title=table.text("title", None) or name,
        pages=_pages(table),
        every=table.span("every", _EVERY, low=_SHORTEST),
        layout=table.text("layout", LAYOUTS[0], one_of=LAYOUTS),
        quarter=table.integer("quarter", None, low=1, high=QUARTERS),
        blank_from=table.clock_time("blank_from", None),
        blank_to=table.clock_time("blank_to", None),
        place=table.text("place", None),
        owner=_owner(table, city),
    )
    _check(table, screen)
    table.close()
    return screen


def _owner(table: Table, city: City) -> str | None:
    code: str | None = table.text("owner", None)
    if code is not None and code not in {opd.code for opd in city.opds}:
        raise ConfigError(table.key("owner"), f"is {code!r}", "use a code that city.opd names")
    return code


def _pages(table: Table) -> tuple[str, ...]:
    pages: tuple[str, ...] = table.strings("pages", list(WALL_PAGES))
    key = table.key("pages")
    if not pages:
        raise ConfigError(key, "is empty", "list pages of " + ", ".join(WALL_PAGES))
    for page in pages:
        if page not in WALL_PAGES:
            raise ConfigError(key, f"holds {page!r}", "use pages of " + ", ".join(WALL_PAGES))
        if pages.count(page) > 1:
            raise ConfigError(key, f"holds {page!r} twice", "name each page once")
    return pages


def _check(table: Table, screen: Screen) -> None:
    """What only several keys together can get wrong."""
    if screen.every > _LONGEST:
        raise ConfigError(table.key("every"), f"is {screen.every}", "use 24h or less")
    if screen.quarter is not None and screen.layout != "two_by_two":
        raise ConfigError(
            table.key("quarter"),
            f"is {screen.quarter} on a screen of layout {screen.layout!r}",
            'write layout = "two_by_two", or leave quarter out',
        )
    if screen.layout == "two_by_two" and len(screen.pages) < QUARTERS:
        raise ConfigError(
            table.key("pages"),
            f"names {len(screen.pages)} for four quarters",
            f"name at least {QUARTERS} pages",
        )
    if (screen.blank_from is None) != (screen.blank_to is None):
        missing = "blank_from" if screen.blank_from is None else "blank_to"
        raise ConfigError(table.key(missing), "is missing", "give blank_from and blank_to together")
    if screen.blank_from is not None and screen.blank_from == screen.blank_to:
        raise ConfigError(
            table.key("blank_to"), f"is {screen.blank_to:%H:%M}, as blank_from", "use another time"
        )
