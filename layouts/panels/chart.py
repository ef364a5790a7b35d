"""What stands around a drawn chart: its scale, its ends, and what its shapes mean.

Letters are HTML, so that a drawing may be stretched to any width without stretching them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

from dash import html

from layouts.svg import Markup, Svg, drawing, element

WIDTH, HEIGHT = 600.0, 160.0


def chart(
    shapes: Sequence[Markup],
    label: str,
    *,
    high: str,
    low: str,
    ends: Sequence[str],
    legend: Sequence[tuple[str, str]],
    between: Sequence[str] = (),
) -> html.Div:
    """Shapes in a field of `WIDTH` × `HEIGHT`. `high` and `low` are the ends of the scale, `between` what
    stands at even distances between them from above, `ends` the words under the axis from left to right,
    `legend` pairs of a shape's class and its meaning."""
    axis = element("path", d=f"M0 {HEIGHT:g}H{WIDTH:g}M0 0H{WIDTH:g}", class_="c-axis")
    plot = Svg(drawing(WIDTH, HEIGHT, [axis, *shapes], label, stretch=True), className="plot")
    scale = html.Div(
        [html.Span(high), *(html.Span(text) for text in between), html.Span(low)], className="scale"
    )
    keys = [
        html.Span([Svg(_sample(kind), className="swatch"), meaning], className="key")
        for kind, meaning in legend
    ]
    return html.Div(
        [
            html.Div(keys, className="legend"),
            html.Div([scale, plot], className="field"),
            html.Div([html.Span(text) for text in ends], className="ends"),
        ],
        className="chart",
    )


def round_up(value: float) -> float:
    """The next round figure at or above: 1, 2, 2.5 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power: float = 10.0 ** floor(log10(value))
    step = next(step for step in (1, 2, 2.5, 5, 10) if value <= step * power)
    return float(ceil(step * power))


def steps(low: float, high: float, most: int = 4) -> list[float]:
    """Round figures from at or below `low` to at or above `high`, evenly apart, at most `most` + 1 apart."""
    room = (high - low) or abs(high) or 1.0
    power = 10.0 ** floor(log10(room / most))
    for step in (power, 2 * power, 2.5 * power, 5 * power, 10 * power, 20 * power):
        first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
        if last == first:
            last += 1
        if last - first <= most:
            break
    return [round(number * step, 10) for number in range(first, last + 1)]


def _sample(kind: str) -> Markup:
    """What a shape looks like: a stroke for the lines, a ring for today, a box for the bars."""
    if kind == "l-now":
        rings = [element("path", d="M12 8h0", class_=name) for name in (kind, f"{kind}-in")]
        return drawing(24, 16, rings, "")
    if kind == "l-band":
        shape = element("rect", x=1, y=3, width=22, height=10, class_=kind)
    elif kind.startswith("l-") and kind != "l-range":
        shape = element("path", d="M1 8H23", class_=kind)
    elif kind == "l-range":
        shape = element("path", d="M8 2V14M16 5V11", class_=kind)
    elif kind == "c-limit":
        shape = element("path", d="M12 1V15", class_=kind)
    else:
        shape = element("rect", x=6, y=2, width=12, height=12, class_=kind)
    return drawing(24, 16, [shape], "")
