"""What a page's components become as HTML, and how few of them the browser gets."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
import pytest
from dash import dcc, html
from hypothesis import given
from hypothesis import strategies as st

from layouts.flat import Flat, flatten, to_html
from layouts.pages import PAGES
from layouts.shell import shell
from layouts.svg import Svg, element
from layouts.words import words_for
from tests.layouts import views
from tests.layouts.tree import walk

ID = words_for("id", "Asia/Jakarta")


def whole(name: str) -> Any:
    page = next(page for page in PAGES if page.name == name)
    snapshot = views.SNAPSHOTS[name]()
    return shell(page, snapshot, ID, page.frame(snapshot, ID), language="id", theme="light")


def components(node: Any) -> int:
    if isinstance(node, list | tuple):
        return sum(components(inner) for inner in node)
    if isinstance(node, Flat | Svg):
        return 1
    return 1 + components(node.children) if hasattr(node, "_namespace") and hasattr(node, "children") else 0


@given(st.text())
def test_no_text_becomes_markup(text: str) -> None:
    markup = to_html(html.P(text, title=text))
    assert markup.count("<") == 2
    assert markup.endswith("</p>")


def test_attributes_are_those_of_html() -> None:
    tree = html.Td(["a", html.Br(), None, 3], colSpan=2, className="n", hidden=True, **{"aria-label": '"x"'})
    assert to_html(tree) == """<td aria-label='"x"' class="n" colspan="2" hidden="">a<br>3</td>"""
    assert to_html(html.Label("b", htmlFor="c")) == '<label for="c">b</label>'
    assert to_html(html.I(style={"fontSize": "2px", "--x": 1})) == '<i style="font-size:2px;--x:1"></i>'
    assert to_html(html.Details(open=False)) == "<details></details>"


def test_a_drawing_and_a_flat_part_stand_as_their_scripts_draw_them() -> None:
    assert to_html(Svg(element("svg"), "trend")) == '<span class="svg trend"><svg/></span>'
    assert to_html(Flat("<b>1</b>", "list", "All")) == (
        '<div class="list" role="region" aria-label="All" tabindex="0"><b>1</b></div>'
    )


def test_bootstraps_tables_and_navigation_need_no_script() -> None:
    assert (
        to_html(dbc.Table([html.Tbody()], className="list"))
        == '<table class="table list"><tbody></tbody></table>'
    )
    link = dbc.NavLink("A", href="/a", active=True, external_link=True)
    assert to_html(dbc.Nav([dbc.NavItem(link)], className="pages", navbar=False)) == (
        '<div class="pages nav"><div class="nav-item"><a class="nav-link active" href="/a">A</a></div></div>'
    )


@pytest.mark.parametrize("tree", [dcc.Graph(), dbc.Accordion(), html.Button("x", n_clicks=0)])
def test_what_needs_a_librarys_script_is_refused(tree: Any) -> None:
    with pytest.raises(TypeError, match="cannot be flattened"):
        flatten(html.Div([html.P("x"), tree]))


def test_what_the_stream_sets_stays_a_component_of_its_own() -> None:
    found = flatten(
        html.Main([html.H1("a"), html.Section([html.H2("b"), html.Div("c", id="slot")])], className="m")
    )
    assert isinstance(found, html.Main)
    assert isinstance(found.children[0], Flat)
    slot = found.children[1].children[1]
    assert (slot.id, slot.children) == ("slot", "c")


@pytest.mark.parametrize("name", sorted(page.name for page in PAGES if page.name in views.SNAPSHOTS))
def test_a_page_says_the_same_in_few_components(name: str) -> None:
    tree = whole(name)
    found = flatten(tree)
    assert components(found) < 130
    assert to_html(found) == to_html(tree)
    ids = {node.id for node in walk(tree) if hasattr(node, "id")}
    kept = {node.id for node in walk(found) if hasattr(node, "id")}
    assert ids == kept
