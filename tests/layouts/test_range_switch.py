"""The switch of the days looked at: every choice is an address that keeps the rest of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboard.render import to_json
from kpis.spans import PROBLEMS, span_of
from layouts.pages import PAGES
from layouts.shell import shell
from layouts.words import words_for
from tests.layouts import views
from tests.layouts.tree import of, text

TODAY = date(2026, 11, 16)
OWN = "2026-08-01..2026-08-17"


def drawn(name: str, asked: str) -> object:
    page = next(page for page in PAGES if page.name == name)
    snapshot = replace(views.SNAPSHOTS[name](), span=span_of(asked, TODAY))
    w = words_for("en", snapshot.city.timezone, tuple(snapshot.span.query.items()))
    return shell(page, snapshot, w, page.frame(snapshot, w), language="en", theme="dark")


def links(tree: object) -> list[dict[str, list[str]]]:
    """The queries of every link to a page of ours but the wall's, which looks at now."""
    found = [urlsplit(a.href) for kind in ("A", "NavLink") for a in of(tree, kind)]
    return [parse_qs(one.query) for one in found if one.path and one.path != "/wall" and not one.netloc]


@pytest.mark.parametrize("name", [one.name for one in PAGES if one.ranged and one.name in views.SNAPSHOTS])
@pytest.mark.parametrize(("asked", "kept"), [("30d", "range"), (OWN, "from")])
def test_every_link_of_a_page_keeps_the_days(name: str, asked: str, kept: str) -> None:
    tree = drawn(name, asked)
    (switch,) = of(tree, "Div", "range")
    others = [query for query in links(tree) if query not in links(switch)]
    assert others
    assert all(kept in query and query["lang"] for query in others)


def test_a_wall_and_the_sources_have_no_switch() -> None:
    assert {page.name for page in PAGES if not page.ranged} >= {"wall", "sources"}
    assert not any(page.ranged for page in PAGES if page.wall)


def test_the_switch_says_what_is_shown_and_keeps_language_and_theme() -> None:
    (switch,) = of(drawn("service_requests", "30d"), "Div", "range")
    queries = links(switch)
    assert [query.get("range") for query in queries] == [None, ["7d"], ["30d"], ["90d"], ["year"]]
    assert all((query["lang"], query["theme"]) == (["en"], ["dark"]) for query in queries)
    current = [a for a in of(switch, "A") if getattr(a, "aria-current", None) == "true"]
    assert [text(a) for a in current] == ["30 days"]


def test_days_of_ones_own_are_named_and_stand_in_the_form() -> None:
    (switch,) = of(drawn("service_requests", OWN), "Div", "range")
    assert text(of(switch, "Summary")[0]) == "1 Aug – 17 Aug"
    markup = of(switch, "Flat")[0].markup
    assert 'name="from" value="2026-08-01"' in markup
    assert 'name="to" value="2026-08-17"' in markup
    assert 'type="hidden" name="lang" value="en"' in markup
    assert 'name="range"' not in markup
    assert b"2026-08-17" in to_json(switch)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_range_that_cannot_be_shown_says_why(problem: str) -> None:
    (notice,) = of(drawn("service_requests", problem), "P", "range-problem")
    assert "Today is shown" in text(notice)
