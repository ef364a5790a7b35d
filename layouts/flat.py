"""A component tree as one component: its HTML made here, drawn by `assets/flat.js`.

The browser spends some milliseconds on every single component, and a table has a thousand cells.
Flattened it is one component, and a change of it one assignment. Texts and attributes are escaped.
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

from dash.development.base_component import Component

from layouts.svg import Svg

_NAMES = {"className": "class", "tabIndex": "tabindex", "colSpan": "colspan"}


class Flat(Component):
    """`markup` inside a div. With a `label` it is a region that takes the keyboard's focus, to scroll."""

    _children_props: list[str] = []  # noqa: RUF012  Dash reads it off the class
    _base_nodes: list[str] = ["children"]  # noqa: RUF012  Dash reads it off the class
    _namespace = "pendopo"
    _type = "Flat"
    _prop_names: list[str] = ["id", "markup", "className", "label"]  # noqa: RUF012  Dash reads it off the class
    _valid_wildcard_attributes: list[str] = []  # noqa: RUF012  Dash reads it off the class
    available_wildcard_properties: list[str] = []  # noqa: RUF012  Dash reads it off the class

    def __init__(self, markup: str, className: str = "", label: str | None = None) -> None:
        self.available_properties = self._prop_names
        named = {} if label is None else {"label": label}
        super().__init__(markup=str(markup), className=className, **named)  # type: ignore[no-untyped-call]


def flat(tree: Any, className: str = "", label: str | None = None) -> Flat:
    """One component that shows the tree. It may hold texts, figures, `dash.html` and `Svg`."""
    return Flat(to_html(tree), className, label)


def to_html(node: Any) -> str:
    """The HTML of a tree. Raises TypeError for what only the browser could draw: another library's
    component, a style or a list as a property."""
    if node is None:
        return ""
    if isinstance(node, list | tuple):
        return "".join(to_html(inner) for inner in node)
    if not isinstance(node, Component):
        return escape(str(node))
    found: dict[str, Any] = node.to_plotly_json()  # type: ignore[no-untyped-call]
    props = dict(found["props"])
    if isinstance(node, Svg):
        return f"<span class={quoteattr('svg ' + props['className'])}>{props['markup']}</span>"
    if found["namespace"] != "dash_html_components":
        raise TypeError(f"{found['namespace']}.{found['type']} cannot be flattened")
    inside = to_html(props.pop("children", None))
    tag = found["type"].lower()
    for name, value in props.items():
        if isinstance(value, dict | list | bool):
            raise TypeError(f"the {name} of {found['type']} cannot be flattened")
    attributes = "".join(
        f" {_NAMES.get(name, name)}={quoteattr(str(value))}"
        for name, value in props.items()
        if value is not None
    )
    return f"<{tag}{attributes}>{inside}</{tag}>"
