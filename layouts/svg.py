"""SVG as a Dash component: markup made here, drawn by `assets/svg.js`, coloured by classes in CSS.

Everything that reaches the markup goes through `element`, which escapes texts and attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from dash.development.base_component import Component


class Markup(str):
    """Text that is already SVG; anything else that is put inside an element is escaped."""


class Svg(Component):
    """`markup` inside a span of `className`; the browser side is `window.pendopo.Svg`."""

    _children_props: list[str] = []  # noqa: RUF012  Dash reads it off the class
    _base_nodes: list[str] = ["children"]  # noqa: RUF012  Dash reads it off the class
    _namespace = "pendopo"
    _type = "Svg"
    _prop_names: list[str] = ["id", "markup", "className"]  # noqa: RUF012  Dash reads it off the class
    _valid_wildcard_attributes: list[str] = []  # noqa: RUF012  Dash reads it off the class
    available_wildcard_properties: list[str] = []  # noqa: RUF012  Dash reads it off the class

    def __init__(self, markup: Markup, className: str = "") -> None:
        # Not Dash's own __init__: for each property it looks for a Python package called `pendopo`
        # along the whole path, to name its version in an error; that took a fifth of a wall's rendering.
        self.available_properties = self._prop_names
        self.markup = str(markup)
        self.className = className


def element(tag: str, *inside: str, **attributes: Any) -> Markup:
    """One element. `class_` and `stroke_width` become `class` and `stroke-width`; None is left out."""
    parts = "".join(
        f" {name.rstrip('_').replace('_', '-')}={quoteattr(_text(value))}"
        for name, value in attributes.items()
        if value is not None
    )
    if not inside:
        return Markup(f"<{tag}{parts}/>")
    body = "".join(part if isinstance(part, Markup) else escape(part) for part in inside)
    return Markup(f"<{tag}{parts}>{body}</{tag}>")


def drawing(
    width: float, height: float, shapes: Sequence[Markup], label: str, *, stretch: bool = False
) -> Markup:
    """A whole picture in its own units with its text equivalent; `stretch` fills the box it is put in.

    An empty `label` marks a picture that repeats a text beside it: it is hidden from screen readers.
    """
    how = "none" if stretch else None
    box = f"0 0 {_text(width)} {_text(height)}"
    if not label:
        return element("svg", *shapes, viewBox=box, preserveAspectRatio=how, aria_hidden="true")
    return element("svg", *shapes, viewBox=box, preserveAspectRatio=how, role="img", aria_label=label)


def line(points: Sequence[tuple[float, float]], **attributes: Any) -> Markup:
    """An open path through points; one point is drawn as a dot by its round ends."""
    first, *rest = points
    path = f"M{_text(first[0])} {_text(first[1])}"
    path += "".join(f"L{_text(x)} {_text(y)}" for x, y in rest) if rest else "h0"
    return element("path", d=path, **attributes)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return str(value)
