"""Reading a component tree without a browser: its text, its pictures, its components of a kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dash.development.base_component import Component


def walk(node: Any) -> Iterator[Any]:
    """Every component and text of a tree, in reading order."""
    if isinstance(node, list | tuple):
        for inner in node:
            yield from walk(inner)
        return
    if node is None:
        return
    yield node
    if isinstance(node, Component):
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
