"""A component tree as HTML: for the first paint, and as one component drawn by `assets/flat.js`.

The browser spends some milliseconds on every single component, and a page has thousands. Flattened,
a panel is one component, and a change of it one assignment. Texts and attributes are escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from dash import html
from dash.development.base_component import Component

from layouts.svg import Svg

_NAMES = {"className": "class", "htmlFor": "for"}
_TAGS = {"MapEl": "map", "ObjectEl": "object"}
_VOID = frozenset(
    {"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
# What Dash's own constructors leave in an instance beside its properties.
_NOT_PROPS = frozenset({"available_properties", "available_wildcard_properties", "children"})


class Flat(Component):
    """One element: `tag` with `attributes` (named as Dash names them) around `markup`."""

    _children_props: list[str] = []  # noqa: RUF012  Dash reads it off the class
    _base_nodes: list[str] = ["children"]  # noqa: RUF012  Dash reads it off the class
    _namespace = "pendopo"
    _type = "Flat"
    _prop_names: list[str] = ["id", "markup", "tag", "attributes"]  # noqa: RUF012  Dash reads it off the class
    _valid_wildcard_attributes: list[str] = []  # noqa: RUF012  Dash reads it off the class
    available_wildcard_properties: list[str] = []  # noqa: RUF012  Dash reads it off the class

    def __init__(
        self,
        markup: str,
        className: str = "",
        label: str | None = None,
        *,
        tag: str = "div",
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        # Not Dash's own __init__, for the reason that layouts/svg.py gives.
        self.available_properties = self._prop_names
        self.markup = str(markup)
        self.tag = tag
        self.attributes = dict(attributes or {})
        if className:
            self.attributes["className"] = className
        if label is not None:
            self.attributes |= {"role": "region", "aria-label": label, "tabIndex": "0"}


def flat(tree: Any, className: str = "", label: str | None = None) -> Flat:
    """One component that shows the tree in a div. With a `label` it is a region that takes the keyboard's
    focus, to scroll. Raises TypeError as `to_html` does."""
    return Flat(to_html(tree), className, label)


def flatten(node: Any) -> Any:
    """The tree with as few components as it can have: whatever has an `id` stays one of its own, because
    the live stream sets its children by it, and so do those around it. Raises TypeError as `to_html` does."""
    if isinstance(node, list | tuple):
        return [flatten(inner) for inner in node]
    if not isinstance(node, Component) or isinstance(node, Svg | Flat):
        return node
    node = _as_element(node)
    children = getattr(node, "children", None)
    if not _has_id(node):
        return Flat(to_html(children), tag=_tag(node), attributes=dict(_props(node)))
    return type(node)(flatten(children), **dict(_props(node)))


def to_html(node: Any) -> str:
    """The HTML of a tree of texts, figures, `dash.html`, `Svg`, `Flat` and Bootstrap's tables and
    navigation. Raises TypeError for what only a library's script could draw."""
    parts: list[str] = []
    _write(node, parts.append)
    return "".join(parts)


def _write(node: Any, put: Callable[[str], None]) -> None:
    if node is None:
        return
    if isinstance(node, list | tuple):
        for inner in node:
            _write(inner, put)
    elif isinstance(node, Svg):
        put(f"<span class={quoteattr('svg ' + node.className)}>{node.markup}</span>")
    elif isinstance(node, Flat):
        put(_opening(node.tag, node.attributes.items()))
        put(node.markup + _closing(node.tag))
    elif isinstance(node, Component):
        element = _as_element(node)
        tag = _tag(element)
        put(_opening(tag, _props(element)))
        _write(getattr(element, "children", None), put)
        put(_closing(tag))
    else:
        put(escape(str(node)))


def _opening(tag: str, props: Any) -> str:
    return f"<{tag}{''.join(_attribute(tag, name, value) for name, value in props)}>"


def _closing(tag: str) -> str:
    return "" if tag in _VOID else f"</{tag}>"


def _attribute(tag: str, name: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    if name == "style" and isinstance(value, dict):
        value = ";".join(f"{_hyphens(key)}:{part}" for key, part in value.items())
    elif value is True:
        value = "true" if name.startswith("aria-") else ""
    elif isinstance(value, dict | list):
        raise TypeError(f"the {name} of a {tag} cannot be flattened")
    return f" {_NAMES.get(name) or name.lower()}={quoteattr(str(value))}"


def _hyphens(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)


def _props(node: Component) -> Iterator[tuple[str, Any]]:
    """What the component was given, but for its children; by name, because Dash's order is one of a set."""
    for name, value in sorted(vars(node).items()):
        if name not in _NOT_PROPS and not name.startswith("_"):
            if name.startswith("n_clicks"):
                raise TypeError(f"a {_tag(node)} that counts its clicks cannot be flattened")
            yield name, value


def _tag(node: Component) -> str:
    name: str = node._type
    return _TAGS.get(name) or name.lower()


def _has_id(node: Any) -> bool:
    if isinstance(node, list | tuple):
        return any(_has_id(inner) for inner in node)
    if not isinstance(node, Component):
        return False
    return hasattr(node, "id") or _has_id(getattr(node, "children", None))


def _as_element(node: Component) -> Component:
    """A component of Bootstrap's as the element its script would draw; `dash.html` as it is."""
    if node._namespace == "dash_html_components":
        return node
    make = _BOOTSTRAP.get(node._type) if node._namespace == "dash_bootstrap_components" else None
    if make is None:
        raise TypeError(f"{node._namespace}.{node._type} cannot be flattened")
    props = dict(_props(node))
    own = props.pop("className", None) or ""
    return make(getattr(node, "children", None), own, props)


def _table(children: Any, own: str, props: dict[str, Any]) -> Component:
    hover = "table-hover" if props.pop("hover", False) else ""
    return html.Table(children, className=_classes("table", hover, own), **props)


def _nav(children: Any, own: str, props: dict[str, Any]) -> Component:
    props.pop("navbar", None)
    return html.Div(children, className=_classes(own, "nav"), **props)


def _nav_item(children: Any, own: str, props: dict[str, Any]) -> Component:
    return html.Div(children, className=_classes(own, "nav-item"), **props)


def _nav_link(children: Any, own: str, props: dict[str, Any]) -> Component:
    props.pop("external_link", None)
    here = "active" if props.pop("active", False) else ""
    return html.A(children, className=_classes(own, "nav-link", here), **props)


def _classes(*names: str) -> str:
    return " ".join(name for name in names if name)


# Their styles, and no others of Bootstrap's, stand in assets/bootstrap.min.css.
_BOOTSTRAP: dict[str, Callable[[Any, str, dict[str, Any]], Component]] = {
    "Table": _table,
    "Nav": _nav,
    "NavItem": _nav_item,
    "NavLink": _nav_link,
}
