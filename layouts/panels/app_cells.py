"""Every application as one small cell: grey where all is well, loud where it is down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil

from dash import html

from kpis.views import AppGlance, AppRow, AppState
from layouts.panels.app_table import LOOKS
from layouts.svg import Markup, Svg, drawing, element
from layouts.terms import APP_STATES
from layouts.words import Words

STEP, SIDE = 10, 8
WIDE = 2.2
"""How much wider than high the picture is."""
ORDER = (AppState.DOWN, AppState.UNKNOWN, AppState.MAINTENANCE, AppState.NEVER, AppState.UP)
SHAPES = {
    AppState.DOWN: "a-down",
    AppState.UNKNOWN: "a-unknown",
    AppState.MAINTENANCE: "a-maintenance",
    AppState.NEVER: "a-never",
    AppState.UP: "a-up",
}


def app_cells(apps: Sequence[AppRow | AppGlance], w: Words) -> html.Div:
    """The counts by state, and a cell an application in the same order."""
    count = Counter(app.state for app in apps)
    counts = [
        html.Li(
            [_key(state), html.B(w.number(count[state])), html.Span(w.t(APP_STATES[state]))],
            className=f"cell-count {LOOKS[state]}",
        )
        for state in ORDER
        if count[state]
    ]
    return html.Div([_picture(count, w), html.Ul(counts, className="cell-counts")], className="app-cells")


def _picture(count: Counter[AppState], w: Words) -> Svg:
    total = count.total()
    across = max(1, ceil((total * WIDE) ** 0.5))
    states = [state for state in ORDER for _ in range(count[state])]
    shapes = [
        _cell(state, place % across * STEP + 1, place // across * STEP + 1)
        for place, state in enumerate(states)
    ]
    said = ", ".join(f"{w.number(count[one])} {w.t(APP_STATES[one])}" for one in ORDER if count[one])
    return Svg(drawing(across * STEP, max(1, ceil(total / across)) * STEP, shapes, said), className="cells")


def _cell(state: AppState, x: int, y: int) -> Markup:
    return element("rect", x=x, y=y, width=SIDE, height=SIDE, class_=SHAPES[state])


def _key(state: AppState) -> Svg:
    return Svg(drawing(STEP, STEP, [_cell(state, 1, 1)], ""), className="swatch")
