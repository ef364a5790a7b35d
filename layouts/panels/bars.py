"""Counts as bars, each with the part that is overdue: solid, while the rest is hollow.

A bar stands in the row of a table beside its figures, so that the picture needs no other table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dash import html
from dash.development.base_component import Component

from kpis.views import AgeBand, Count
from layouts.flat import flat
from layouts.panels.tables import nothing
from layouts.svg import Svg, drawing, element
from layouts.words import Words

WIDTH, HEIGHT = 100.0, 12.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: `overdue` of `count`."""

    name: str
    count: int
    overdue: int


def count_bars(label: str, counts: Sequence[Count], name: Callable[[str], str], w: Words) -> Component:
    """Bars in the order given; `name` turns a stored code into words."""
    return bars(label, [Bar(name(one.label), one.count, one.overdue) for one in counts], w)


def age_bars(label: str, ages: Sequence[AgeBand], w: Words) -> Component:
    """Open requests by how many whole days they are old."""
    return bars(label, [Bar(_band(one, w), one.count, one.overdue) for one in ages], w)


def bars(label: str, found: Sequence[Bar], w: Words) -> Component:
    """A row per bar, all to one scale."""
    most = max((bar.count for bar in found), default=0)
    if not most:
        return nothing(w.t("No open requests here."))
    rows = [
        html.Tr(
            [
                html.Th(bar.name, scope="row"),
                html.Td(_picture(bar, most), className="bar"),
                html.Td(w.number(bar.count), className="num"),
                html.Td(w.number(bar.overdue), className="num late"),
            ]
        )
        for bar in found
    ]
    head = html.Thead(
        html.Tr(
            [
                html.Th(html.Span(label, className="visually-hidden"), scope="col"),
                html.Td(""),
                html.Th(w.t("open"), scope="col", className="num"),
                html.Th(_key(w.t("overdue")), scope="col", className="num"),
            ]
        )
    )
    return flat(html.Table([head, html.Tbody(rows)], className="bars"))


def _key(word: str) -> html.Span:
    swatch = Svg(
        drawing(12, 12, [element("rect", x=1, y=1, width=10, height=10, class_="c-solid")], ""),
        className="swatch",
    )
    return html.Span([swatch, word], className="key")


def _picture(bar: Bar, most: int) -> Svg:
    whole = WIDTH * bar.count / most
    late = WIDTH * bar.overdue / most
    shapes = [element("rect", x=0, y=0, width=whole, height=HEIGHT, class_="c-hollow")]
    if late:
        shapes.append(element("rect", x=0, y=0, width=late, height=HEIGHT, class_="c-solid"))
    return Svg(drawing(WIDTH, HEIGHT, shapes, "", stretch=True), className="bar-plot")


def _band(band: AgeBand, w: Words) -> str:
    if band.to_days is None:
        return w.t("{n} days and more", n=w.number(band.from_days))
    return w.t("{a} to {b} days", a=w.number(band.from_days), b=w.number(band.to_days - 1))
