"""The budget chain as a funnel: codes and money that reached each stage, and what broke there."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from kpis.views import ChainStage
from layouts.flat import flat
from layouts.panels.tables import nothing
from layouts.svg import Svg, drawing, element
from layouts.terms import STAGES, term
from layouts.words import Words


def chain_funnel(stages: Sequence[ChainStage], w: Words) -> Component:
    """A row per stage: its codes as a bar of those planned, its rupiah as a thinner one, its first breaks."""
    if not any(one.codes for one in stages):
        return nothing(w.t("No activity code is known yet."))
    most = max(one.codes for one in stages)
    richest = max(one.amount for one in stages) or 1.0
    head = html.Thead(
        html.Tr(
            [
                html.Th(w.t("Stage"), scope="col"),
                html.Td(""),
                html.Th(w.t("Codes"), scope="col", className="num"),
                html.Th(w.t("Amount"), scope="col", className="num"),
                html.Th(w.t("First breaks"), scope="col", className="num"),
            ]
        )
    )
    rows = [
        html.Tr(
            [
                html.Th(term(STAGES, one.stage, w), scope="row"),
                html.Td(_bars(one.codes / most, one.amount / richest), className="bar"),
                html.Td(w.number(one.codes), className="num"),
                html.Td(w.rupiah(one.amount), className="num"),
                html.Td(_breaks(one.breaks, w), className="num"),
            ]
        )
        for one in stages
    ]
    return flat(html.Table([head, html.Tbody(rows)], className="bars funnel"))


def _breaks(count: int, w: Words) -> str | html.Strong:
    return html.Strong(w.number(count)) if count else w.number(count)


def _bars(codes: float, amount: float) -> Svg:
    """The codes solid, the rupiah hollow under them; the picture repeats the figures beside it."""
    shapes = [
        element("rect", x=0, y=0, width=100.0 * codes, height=8, class_="c-solid"),
        element("rect", x=0, y=11, width=100.0 * amount, height=5, class_="c-hollow"),
    ]
    return Svg(drawing(100, 17, shapes, "", stretch=True), className="bar-plot")
