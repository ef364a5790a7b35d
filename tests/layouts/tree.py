"""Reading a component tree without a browser: its text, its pictures, its components of a kind."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from dash import html
from dash.development.base_component import Component

from layouts.flat import Flat
from layouts.svg import Markup, Svg


class _Unflat(HTMLParser):
    """Builds the components back that a `Flat` was made of."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, dict[str, Any], list[Any]]] = [("", {}, [])]
        self.drawing = ""
        self.feed(markup)
        self.close()
        assert len(self.open) == 1, "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "svg" or self.drawing:
            self.drawing += self.get_starttag_text() or ""
            return
        props = {"className" if name == "class" else name: value for name, value in attrs}
        self.open.append((tag, props, []))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert self.drawing or tag in ("svg", "input"), f"<{tag}/> closes itself nowhere but in a drawing"
        text = self.get_starttag_text() or ""
        if self.drawing:
            self.drawing += text
        elif tag == "svg":
            self.open[-1][2].append(Svg(Markup(text)))

    def handle_endtag(self, tag: str) -> None:
        if self.drawing:
            self.drawing += f"</{tag}>"
            if tag == "svg":
                self.open[-1][2].append(Svg(Markup(self.drawing)))
                self.drawing = ""
            return
        name, props, children = self.open.pop()
        assert name == tag
        kept = {key: value for key, value in props.items() if key in ("className", "href")}
        self.open[-1][2].append(getattr(html, tag.title())(children, **kept))

    def handle_data(self, data: str) -> None:
        if not self.drawing:
            self.open[-1][2].append(data)


def walk(node: Any) -> Iterator[Any]:
    """Every component and text of a tree, in reading order; a flattened part as what it was made of."""
    if isinstance(node, list | tuple):
        for inner in node:
            yield from walk(inner)
        return
    if node is None:
        return
    yield node
    if isinstance(node, Flat):
        yield from walk(_Unflat(node.markup).open[0][2])
    elif isinstance(node, Component):
        yield from walk(getattr(node, "children", None))


def text(node: Any) -> str:
    """All text of a tree, a space between pieces."""
    pieces = [str(part) for part in walk(node) if not isinstance(part, Component)]
    return " ".join(" ".join(pieces).split())


def of(node: Any, kind: str, className: str = "") -> list[Any]:
    """The components of a type ("Tr", "Svg") whose className holds a word."""
    return [
        part
        for part in walk(node)
        if isinstance(part, Component)
        and part._type == kind
        and (not className or className in (getattr(part, "className", None) or "").split())
    ]


def markups(node: Any) -> list[str]:
    """The markup of every drawing in a tree."""
    return [part.markup for part in of(node, "Svg")]
