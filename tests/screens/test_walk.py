"""What a screen's token opens, walked over every address the application has, known or new tomorrow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from dashboard import gate
from dashboard.app import Dashboard
from dashboard.scope import NOTHING, TOKEN_COOKIE, Bearer, scope_of, token_of
from dashboard.screens.door import ADDRESSES
from dashboard.stream import WIRE
from kpis.catalogue import catalogue
from kpis.config import WALL
from layouts.pages import PAGES, Page
from tests.dashboard.fakes import FakeListener, FakeTables, settings

OWN, OTHER = "lobi", "balai"
# What says nothing of the city, and is anybody's: scripts, styles, the worker, a manifest, enrolment.
FREE = ("/assets/", "/_dash-component-suites/", "/screen", "/worker.js", "/manifest.webmanifest")


class Tables(FakeTables):
    """A city with two screens, of which one token opens the first."""

    def tokens(self) -> dict[str, str]:
        from kpis.screens.codes import digest

        return {digest("good"): OWN}


@pytest.fixture(scope="module")
def dashboard() -> Iterator[Dashboard]:
    found = settings()
    wall = found.screens[0]
    screens = (wall, *(type(wall)(**{**_fields(wall), "name": name, "title": name}) for name in (OWN, OTHER)))
    object.__setattr__(found, "screens", screens)
    made = Dashboard(found, Tables(found), FakeListener(), PAGES)
    yield made
    made.snapshots.close()


def _fields(screen: Any) -> dict[str, Any]:
    return {name: getattr(screen, name) for name in screen.__slots__}


def address(page: Page) -> str:
    return page.path.replace("<code>", "dlh").replace("<key>", next(iter(catalogue())))


def everything(dashboard: Dashboard) -> set[str]:
    """Every address: the pages, their own Dash paths and streams, Dash's and FastAPI's routes, the gate's."""
    found = {"/", "/wall/lobi", "/wall/balai", *ADDRESSES, *(address(page) for page in PAGES)}
    found |= {f"/wall/{one}" for one in ("balai", "gudang", "lobi/x")}
    views = dashboard.gate._views
    for path in list(found):
        view = views.by_path({"path": path, "query_string": b"", "headers": []})
        if view is not None:
            found |= {view.live, *(view.prefix + name for name in ("_dash-layout", "_dash-dependencies"))}
    for path in _routes(dashboard.dash.server.routes):
        found.add("/" + re.sub(r"\{[^}]*\}", "x", path).lstrip("/"))
    return found | _named_in_the_gate()


def _routes(routes: Iterable[Any]) -> Iterator[str]:
    """The paths of routes; those of a router that was included stand below it."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route.path
        else:
            yield from _routes(inner.routes)


def _named_in_the_gate() -> set[str]:
    """Whatever stands as an address among the gate's constants, and something below each folder."""
    said = [value for name, value in vars(gate).items() if name.isupper() or name.startswith("_")]
    texts = [one for value in said for one in (value if isinstance(value, tuple) else (value,))]
    paths = {one for one in texts if isinstance(one, str) and one.startswith("/")}
    return paths | {f"{path}x" for path in paths if path.endswith("/")}


async def ask(dashboard: Dashboard, address: str, cookie: str, method: str = "GET") -> int:
    """The status of a reply, the body and the rest of a stream left where they are."""
    path, _, query = address.partition("?")
    request = {
        "type": "http", "http_version": "1.1", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": query.encode(), "root_path": "", "scheme": "http", "client": ("127.0.0.1", 1),
        "server": ("pendopo", 80), "asgi": {"version": "3.0"}, "extensions": {WIRE: None},
        "headers": [(b"host", b"pendopo"), (b"cookie", cookie.encode())],
    }  # fmt: skip
    said: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            said.append(message["status"])
            if path == "/live" and message["status"] == 200:
                raise _OpenError

    with suppress(_OpenError):
        await dashboard.gate(request, receive, send)
    return said[0]


class _OpenError(Exception):
    """The stream was granted; nothing of it is wanted."""


def is_own(address: str) -> bool:
    """What the token of the screen `lobi` is for."""
    if address == "/" or address.startswith(FREE) or address == "/wall/lobi":
        return True
    if address.startswith("/live"):
        return f"screen={OWN}" in address
    return address.startswith("/_view/") and f"/wall:{OWN}/" in address


async def test_the_walk_meets_every_kind_of_address(dashboard: Dashboard) -> None:
    found = everything(dashboard)
    assert {address(page) for page in PAGES} <= found
    assert {"/api/v1/readings", "/healthz", "/screen/health"} <= found
    assert sum(one.startswith("/live?") for one in found) >= len(PAGES)
    assert sum(one.startswith("/_view/") for one in found) >= 2 * len(PAGES)
    assert sum(map(is_own, found)) >= 8
    assert sum(not is_own(one) for one in found) >= 3 * len(PAGES)


async def test_a_screens_token_opens_its_own_page_and_nothing_else(dashboard: Dashboard) -> None:
    await dashboard.devices.refresh()
    wrong = {}
    for one in sorted(everything(dashboard)):
        status = await ask(dashboard, one, f"{TOKEN_COOKIE}=good")
        if (status == 403) is is_own(one):
            wrong[one] = status
    assert wrong == {}


@pytest.mark.parametrize(
    "cookie",
    [
        f"{TOKEN_COOKIE}=bad",
        f"{TOKEN_COOKIE}=",
        f"{TOKEN_COOKIE}=good; {TOKEN_COOKIE}=bad",
        f"a b c; {TOKEN_COOKIE}=bad",
        f"lang=id;{TOKEN_COOKIE}=bad;x=\\",
    ],
)
async def test_a_token_that_is_none_opens_less_than_no_token(dashboard: Dashboard, cookie: str) -> None:
    await dashboard.devices.refresh()
    for one in sorted(everything(dashboard)):
        if one.startswith(FREE) or one == "/":
            continue
        assert await ask(dashboard, one, cookie) == 403, one
        if not one.startswith("/live"):
            assert await ask(dashboard, one, cookie, "HEAD") == 403, one


async def test_what_is_posted_with_a_token_goes_nowhere_else(dashboard: Dashboard) -> None:
    await dashboard.devices.refresh()
    for one in sorted(everything(dashboard) - set(ADDRESSES)):
        assert await ask(dashboard, one, f"{TOKEN_COOKIE}=good", "POST") in (403, 405), one


def test_a_request_that_nobody_looked_at_is_granted_nothing() -> None:
    """Should a way to the scope ever lead past the gate, a token opens nothing there."""
    request = {"headers": [(b"cookie", f"{TOKEN_COOKIE}=good".encode())]}
    assert scope_of(request, settings().city) == NOTHING
    assert not any(NOTHING.shows(page.name, screen) for page in PAGES for screen in (None, "", WALL))


@pytest.mark.parametrize("screen", [WALL, OWN])
def test_a_bound_scope_is_the_citys_figures_of_one_screen(screen: str) -> None:
    request = {
        "headers": [(b"cookie", f"x=1; {TOKEN_COOKIE}=good".encode())],
        "pendopo.screen": Bearer(screen, "digest"),
    }
    scope = scope_of(request, settings().city)
    assert (scope.allows(None), scope.allows("dlh"), scope.bound) == (True, False, True)
    assert scope.shows("wall", screen)
    assert not scope.shows("wall", OTHER)
    assert scope.shows("wall", None) is (screen == WALL)
    assert not any(scope.shows(page.name, screen) for page in PAGES if page.name != "wall")


@pytest.mark.parametrize(
    ("cookie", "token"),
    [
        ("", None),
        ("lang=id", None),
        ("xpendopo_screen=a", None),
        ("pendopo_screen=a", "a"),
        ('pendopo_screen="a"', "a"),
        ("pendopo_screen=a; pendopo_screen=a", "a"),
        ("pendopo_screen=", ""),
    ],
)
def test_a_token_is_found_in_any_cookie_header(cookie: str, token: str | None) -> None:
    assert token_of({"headers": [(b"cookie", cookie.encode())]}) == token


async def test_the_manifest_of_another_page_is_not_for_a_screen(dashboard: Dashboard) -> None:
    await dashboard.devices.refresh()
    cookie = f"{TOKEN_COOKIE}=good"
    assert await ask(dashboard, f"/manifest.webmanifest?start=/wall/{OWN}", cookie) == 200
    for start in ("/mayor", "/wall", f"/wall/{OTHER}"):
        assert await ask(dashboard, f"/manifest.webmanifest?start={start}", cookie) == 404
