"""What a request asked to see: page, scope, days, language, theme; or nothing, when there is no such page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode
from zoneinfo import ZoneInfo

from dashboard.live import Topic
from dashboard.scope import Grain, scope_of
from dashboard.snapshot import Key
from kpis.catalogue import catalogue
from kpis.clock import Now
from kpis.config import LANGUAGES, WALL
from kpis.looks import AWAY, asked_since, last_look
from kpis.spans import TODAY, asked
from kpis.types import City, Domain
from layouts.pages import Page

THEMES = ("dark", "light")
PREFIX = "/_view/"
LIVE = "/live"
# The cookie in which a device keeps when it last looked; `assets/mayor.js` writes it.
LOOK = "look"
_LARGEST_ID = 2**63 - 1
_LONGEST_PICK = 600
_PLACES = {"<code>": "opd", "<key>": "kpi"}
_NOTHING = {"opd": "", "kpi": "", "screen": ""}


@dataclass(frozen=True, slots=True)
class View:
    """One page as one viewer sees it. `theme` changes the page around the panels, never the panels."""

    page: Page
    opd: str | None
    reject: int | None
    screen: str | None
    language: str
    theme: str
    range: str = TODAY
    kpi: str | None = None
    pick: str | None = None
    since: datetime | None = None
    grain: Grain = Grain.ROWS

    @property
    def topic(self) -> Topic:
        about = (self.page.name, self.opd, self.reject, self.screen, self.range, self.kpi)
        key = Key(*about, pick=self.pick, since=self.since, grain=self.grain)
        return Topic(key, self.language)

    @property
    def rare(self) -> bool:
        return self.topic.rare

    @property
    def prefix(self) -> str:
        """Where this view's own Dash paths stand, so that the browser asks for the right layout."""
        name = self.page.name + (f":{self.screen}" if self.screen else "")
        about = (quote(self.opd or "-", safe=""), self.kpi or "-", str(self.reject or "-"))
        # Quoted twice: what is picked may hold a slash, and a server undoes one quoting.
        pick = quote(quote(self.pick or "-", safe=""), safe="")
        days = (quote(self.range, safe="!"), pick, _moment(self.since) or "-")
        parts = (self.language, self.theme, name, *about, *days)
        return PREFIX + "/".join(parts) + "/"

    @property
    def live(self) -> str:
        """The address of this view's stream."""
        asked = {
            "page": self.page.name,
            "opd": self.opd,
            "kpi": self.kpi,
            "reject": self.reject,
            "pick": self.pick,
            "screen": self.screen,
            "range": None if self.range == TODAY else self.range,
            "since": _moment(self.since),
            "lang": self.language,
        }
        return f"{LIVE}?{urlencode({name: value for name, value in asked.items() if value is not None})}"


class Views:
    """Finds the view a request means; None where the page, or the OPD within its scope, is unknown."""

    def __init__(
        self,
        pages: Sequence[Page],
        city: City,
        language: str,
        screens: Iterable[str] = (),
        now: Now = lambda: datetime.now(UTC),
    ) -> None:
        self._pages = {page.name: page for page in pages}
        self._city = city
        self._language = language
        self._screens = frozenset(screens)
        self._now = now
        self._zone = ZoneInfo(city.timezone)

    def by_path(self, request: Mapping[str, Any]) -> View | None:
        """The view of a page's own address, `?lang=`, `?theme=` and cookies considered."""
        path = str(request["path"]).rstrip("/") or "/"
        query = query_of(request)
        for page in self._pages.values():
            found = _matches(page, path)
            if found is not None:
                # What an address is about stands in its path alone.
                query = {**query, "since": self._since(request, query), "pick": _asked(page, query)}
                return self._view(request, page.name, {**query, **_NOTHING, **found})
            if page.wall and path.startswith(page.path + "/"):
                asked = {**query, **_NOTHING, "screen": path.removeprefix(page.path + "/")}
                return self._view(request, page.name, asked)
        return None

    def look(self, request: Mapping[str, Any]) -> datetime | None:
        """From when on this device's own look shows changes, whatever its address asks for."""
        return last_look(cookies_of(request).get(LOOK), self._now())

    def look_of(self, request: Mapping[str, Any]) -> dict[str, str]:
        """What `assets/mayor.js` keeps a look by, in seconds: since when it is (0: it is the device's
        first), the city's time, and after how long away it ends."""
        since, now = self.look(request), self._now()
        return {
            "data-look": str(int(since.timestamp()) if since else 0),
            "data-look-now": str(int(now.timestamp())),
            "data-look-away": str(AWAY // timedelta(seconds=1)),
        }

    def _since(self, request: Mapping[str, Any], query: Mapping[str, str]) -> str:
        """The moment an address names, else the device's own."""
        return query.get("since") or _moment(self.look(request)) or ""

    def by_prefix(self, request: Mapping[str, Any]) -> tuple[View, str] | None:
        """The view of one of its Dash paths, and that path without the view's prefix."""
        parts = str(request["path"]).removeprefix(PREFIX).split("/", 9)
        if len(parts) != 10:
            return None
        language, theme, name, opd, kpi, reject, days, pick, since, rest = parts
        name, _, screen = name.partition(":")
        about = {"screen": screen, "opd": opd, "kpi": kpi, "reject": reject, "since": since}
        about["pick"] = unquote(pick)
        query = {key: "" if text == "-" else text for key, text in about.items()}
        view = self._view(request, name, {**query, "lang": language, "theme": theme, "range": days})
        return (view, "/" + rest) if view else None

    def by_query(self, request: Mapping[str, Any]) -> View | None:
        """The view a stream is asked for: `?page=wall&opd=&lang=id`."""
        query = query_of(request)
        return self._view(request, query.get("page", ""), query)

    def _view(self, request: Mapping[str, Any], name: str, query: Mapping[str, str]) -> View | None:
        page = self._pages.get(name)
        opd, kpi = query.get("opd", ""), query.get("kpi", "")
        if page is None or (page.scope == "opd") != bool(opd) or page.of_kpi != bool(kpi):
            return None
        scope = scope_of(request, self._city)
        if kpi and kpi not in catalogue():
            return None
        if not scope.allows(opd or None) or not scope.shows(name, query.get("screen")):
            return None
        pick = query.get("pick") or None
        if pick and not self._may_pick(request, page, pick):
            return None
        screen = query.get("screen") if page.wall else None
        if screen and screen not in self._screens:
            return None
        screen = None if screen == WALL else screen
        cookies = cookies_of(request)
        language = _one_of(LANGUAGES, query.get("lang"), cookies.get("lang"), self._language)
        standard = "dark" if page.wall else "light"
        theme = _one_of(THEMES, query.get("theme"), cookies.get(theme_cookie(page)), standard)
        days = asked(query) if page.ranged else TODAY
        reject, screen = _number(query.get("reject")), screen or None
        since = asked_since(query.get("since"), self._zone, self._now()) if page.looks else None
        about = (language, theme, days, kpi or None, pick, since, scope.grain(opd or None))
        return View(page, opd or None, reject, screen, *about)

    def _may_pick(self, request: Mapping[str, Any], page: Page, pick: str) -> bool:
        """Whether the page knows such a choice, and whether an OPD so chosen may be seen."""
        name, _, value = pick.partition(":")
        if name not in page.picks or len(value) > _LONGEST_PICK:
            return False
        if name in ("opd", "of"):
            code = value if name == "opd" else unquote(value.split("/")[0])
            return scope_of(request, self._city).allows(code)
        return name != "domain" or value in set(Domain)


def theme_cookie(page: Page) -> str:
    """A wall and a laptop page remember their themes apart: a browser may show both."""
    return "theme_wall" if page.wall else "theme"


def _moment(at: datetime | None) -> str | None:
    """A moment as our own addresses spell it: UTC, on the minute."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%MZ") if at else None


def query_of(request: Mapping[str, Any]) -> dict[str, str]:
    """The query's last value by name."""
    raw = bytes(request.get("query_string", b"")).decode("latin-1")
    return {name: values[-1] for name, values in parse_qs(raw, max_num_fields=50).items()}


def cookies_of(request: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.get("headers", ()):
        if name == b"cookie":
            with suppress(CookieError):  # somebody else's cookie; ours are then as if never set
                found |= {key: morsel.value for key, morsel in SimpleCookie(value.decode("latin-1")).items()}
    return found


def _matches(page: Page, path: str) -> dict[str, str] | None:
    """The OPD code and the KPI key in the path, by name; None when the path is not this page's."""
    pattern, given = page.path.split("/"), path.split("/")
    if len(pattern) != len(given):
        return None
    found = {}
    for form, part in zip(pattern, given, strict=True):
        if form in _PLACES and part:
            found[_PLACES[form]] = unquote(part)
        elif form != part:
            return None
    return None if any("/" in value for value in found.values()) else found


def _asked(page: Page, query: Mapping[str, str]) -> str:
    """What the address picks on its page, as `Key.pick`: the first of the choices the page knows."""
    return next((f"{name}:{query[name]}" for name in page.picks if query.get(name)), "")


def _one_of(allowed: Sequence[str], *wanted: str | None) -> str:
    return next(value for value in wanted if value is not None and value in allowed)


def _number(text: str | None) -> int | None:
    """A reject's number; anything that cannot be one chooses nothing."""
    if text and text.isascii() and text.isdigit() and int(text) <= _LARGEST_ID:
        return int(text)
    return None
