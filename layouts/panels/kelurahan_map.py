"""Where the open requests lie: kelurahan, the darker the more. Never a request's own place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

from dash import html
from dash.development.base_component import Component

from kpis.errors import ConfigError
from kpis.types import City
from kpis.views import Count
from layouts.geo import WIDTH, Atlas, atlas, key
from layouts.panels.tables import nothing
from layouts.svg import Markup, Svg, drawing, element
from layouts.words import Words

SHADES = 4
NAMED = 3


def kelurahan_map(city: City, counts: Sequence[Count], w: Words) -> Component | None:
    """The map with its legend; None for a city without one. A file that cannot be drawn is said."""
    if city.map_file is None:
        return None
    try:
        found = atlas(city.map_file)
    except ConfigError:  # its own words are for operators, and English
        name = city.map_file.name
        return nothing(w.t("The map cannot be drawn: {name} is missing or no GeoJSON of areas.", name=name))
    by_name = {key(one.label): one.count for one in counts}
    step = max(1, ceil(max(by_name.values(), default=0) / SHADES))
    picture = Svg(drawing(WIDTH, found.height, _shapes(found, by_name, step, w), _label(counts, w)), "map")
    known = {key(shape.name) for shape in found.shapes}
    elsewhere = sum(one.count for one in counts if key(one.label) not in known)
    inside = [html.Div(_legend(step, w), className="legend"), picture]
    if elsewhere:
        text = w.n(
            "{n} open request names a kelurahan that is not on the map.",
            "{n} open requests name a kelurahan that is not on the map.",
            elsewhere,
        )
        inside.append(html.P(text, className="note"))
    return html.Div(inside, className="map-panel")


def _shapes(found: Atlas, by_name: Mapping[str, int], step: int, w: Words) -> list[Markup]:
    shapes = []
    for shape in found.shapes:
        count = by_name.get(key(shape.name), 0)
        said = element("title", f"{shape.name}: {w.number(count)}")
        shapes.append(element("path", said, d=shape.path, class_=f"m-{ceil(count / step)}"))
    return shapes


def _legend(step: int, w: Words) -> list[html.Span]:
    """The shades from none to most."""
    texts = ["0"]
    for shade in range(1, SHADES + 1):
        low, high = (shade - 1) * step + 1, shade * step
        texts.append(w.number(low) if low == high else f"{w.number(low)}–{w.number(high)}")
    return [
        html.Span(
            [
                Svg(
                    drawing(
                        16, 16, [element("rect", x=1, y=1, width=14, height=14, class_=f"m-{shade}")], ""
                    ),
                    "swatch",
                ),
                text,
            ],
            className="key",
        )
        for shade, text in enumerate(texts)
    ]


def _label(counts: Sequence[Count], w: Words) -> str:
    most = sorted(counts, key=lambda one: -one.count)[:NAMED]
    text = w.list([f"{one.label} {w.number(one.count)}" for one in most])
    return w.t("Map of open requests by kelurahan; most in {names}.", names=text) if most else w.t("Map")
