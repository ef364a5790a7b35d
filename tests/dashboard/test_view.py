"""Which view an address means, and what the scope lets through."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest

from dashboard.scope import scope_of
from dashboard.snapshot import Key
from dashboard.view import View, Views
from layouts.pages import PAGES
from layouts.pages.page import Page
from tests.dashboard.fakes import settings

CITY = settings().city
OPD_PAGE = Page(
    name="opd", path="/opd/<code>", title="OPD", detail=None, scope="opd", wall=False,
    panels=lambda snapshot, words: {}, frame=lambda snapshot, words: None,
)  # fmt: skip
VIEWS = Views(
    [*(page for page in PAGES if page.name != "opd"), OPD_PAGE], CITY, "id", ("wall", "lobi", "ruang-1")
)


def request(path: str, query: str = "", cookie: str = "") -> dict[str, Any]:
    headers = [(b"cookie", cookie.encode())] if cookie else []
    return {"path": path, "query_string": query.encode(), "headers": headers}


def seen(path: str, query: str = "", cookie: str = "") -> View:
    view = VIEWS.by_path(request(path, query, cookie))
    assert view is not None
    return view


def test_an_opds_page_is_its_own_scope() -> None:
    view = seen("/opd/dlh")
    assert (view.page.name, view.opd, view.topic.key.opd) == ("opd", "dlh", "dlh")
    assert seen("/wall").opd is None


@pytest.mark.parametrize("path", ["/opd/nobody", "/opd/dlh/x", "/opd//dlh", "/Wall", "//wall", ""])
def test_what_is_no_page_has_no_view(path: str) -> None:
    assert VIEWS.by_path(request(path)) is None


def test_a_screen_of_the_wall_has_an_address_of_its_own() -> None:
    assert seen("/wall/lobi").topic.key == Key("wall", screen="lobi")
    assert seen("/wall/").topic.key == seen("/wall/wall").topic.key == Key("wall")
    assert seen("/wall", "screen=lobi").topic.key == Key("wall")


@pytest.mark.parametrize("path", ["/wall/gudang", "/wall/lobi/x", "/mayor/lobi", "/wall/-"])
def test_a_screen_nobody_configured_has_no_view(path: str) -> None:
    assert VIEWS.by_path(request(path)) is None
    assert VIEWS.by_query(request("/live", "page=wall&screen=gudang")) is None


@pytest.mark.parametrize("path", ["/opd/dlh", "/opd/kec-utara", "/wall", "/wall/lobi", "/wall/ruang-1"])
@pytest.mark.parametrize(
    "query",
    ["", "lang=en&theme=dark", "reject=12", "range=7d", "range=x", "from=2026-08-01&to=2026-08-17", "from=x"],
)
def test_a_views_own_addresses_lead_back_to_it(path: str, query: str) -> None:
    view = seen(path, query)
    assert VIEWS.by_prefix(request(view.prefix + "_dash-layout")) == (view, "/_dash-layout")
    live, _, asked = view.live.partition("?")
    assert live == "/live"
    again = VIEWS.by_query(request(live, asked))
    assert again is not None
    assert again.topic == view.topic


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/app-uptime", "opd=dlh&range=7d"), ("/opd", "domain=e_attendance"), ("/opd", ""),
        ("/application", "app=a%2Fb%20c%3F%25%26%23.go.id&lang=en"), ("/application", ""),
    ],
)  # fmt: skip
def test_what_an_address_picks_leads_back_to_it(path: str, query: str) -> None:
    view = seen(path, query)
    found = VIEWS.by_prefix(request(unquote(view.prefix) + "_dash-layout"))
    assert found == (view, "/_dash-layout")
    again = VIEWS.by_query(request("/live", view.live.partition("?")[2]))
    assert again is not None
    assert again.topic == view.topic


def test_a_choice_is_the_pages_own_and_within_the_scope() -> None:
    assert seen("/application", "app=x%3Ay").topic.key == Key("app", pick="app:x:y")
    assert seen("/app-uptime", "app=x").topic.key == Key("app_uptime")
    assert seen("/app-uptime", "pick=opd%3Adlh").topic.key == Key("app_uptime")
    for query in ("opd=nobody", "opd=dlh%2F", f"opd={'x' * 700}"):
        assert VIEWS.by_path(request("/app-uptime", query)) is None, query
    assert VIEWS.by_path(request("/opd", "domain=weather")) is None
    assert VIEWS.by_query(request("/live", "page=app_uptime&pick=opd%3Anobody")) is None
    assert VIEWS.by_query(request("/live", "page=mayor&pick=opd%3Adlh")) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), ("0", 0), ("-1", None), ("x", None), ("1e3", None), ("٣", None), ("9" * 30, None)],
)
def test_only_a_number_chooses_a_reject(text: str, number: int | None) -> None:
    assert seen("/wall", f"reject={text}").reject == number


@pytest.mark.parametrize("cookie", ["", "lang", "lang=;;;", "a b c=1; lang=fr", "\xff=\xfe"])
def test_strange_cookies_change_nothing(cookie: str) -> None:
    assert seen("/wall", cookie=cookie).language == "id"


def test_the_days_are_part_of_what_is_seen_but_not_on_a_wall() -> None:
    assert seen("/service-requests", "range=30d").topic.key.range == "30d"
    assert seen("/service-requests", "from=2026-08-01&to=2026-08-17").range == "2026-08-01..2026-08-17"
    assert seen("/service-requests", "from=2026-08-17&to=2026-08-01").range == "!order"
    assert seen("/wall", "range=30d").range == "today"


def test_the_scope_is_the_city_and_the_opd_it_knows() -> None:
    scope = scope_of(request("/wall"), CITY)
    assert scope.allows(None)
    assert scope.allows("dlh")
    assert not scope.allows("nobody")
    assert not scope.allows("")
