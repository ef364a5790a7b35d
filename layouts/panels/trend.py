"""The last 24 hours of one figure as a small line, its target dashed, its gaps left open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from kpis.types import TrendPoint
from layouts.svg import Markup, Svg, drawing, element, line

WIDTH, HEIGHT, EDGE = 100.0, 40.0, 3.0
WINDOW = timedelta(hours=24)
POINTS = 48


def thin(points: Sequence[TrendPoint]) -> list[TrendPoint]:
    """At most `POINTS` points, the last of each equal share; a share with a gap in it stays a gap."""
    if len(points) <= POINTS:
        return list(points)
    kept = []
    for slot in range(POINTS):
        part = points[slot * len(points) // POINTS : (slot + 1) * len(points) // POINTS]
        kept.append(next((point for point in part if point.value is None), part[-1]))
    return kept


def runs(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """Unbroken stretches of a line: a None ends one."""
    found: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is None:
            found.append([])
        else:
            found[-1].append((x, y))
    return [run for run in found if run]


def trend(points: Sequence[TrendPoint], target: float | None, label: str = "") -> Svg:
    """The line of the 24 hours up to the last point; without any value only the target is drawn.

    The picture depends on the points alone, so that it is sent again only when a point is new.
    """
    return Svg(_picture(thin(points), target, label), className="trend")


def _picture(points: Sequence[TrendPoint], target: float | None, label: str) -> Markup:
    values = [point.value for point in points if point.value is not None]
    scale = values + ([target] if target is not None else [])
    low, high = (min(scale), max(scale)) if scale else (0.0, 1.0)
    span = (high - low) or 1.0
    if high == low:
        low -= 0.5

    def y(value: float) -> float:
        return round(HEIGHT - EDGE - (value - low) / span * (HEIGHT - 2 * EDGE), 1)

    shapes: list[Markup] = []
    if target is not None:
        at = y(target)
        shapes.append(element("path", d=f"M0 {at:g}H{WIDTH:g}", class_="t-target"))
    if points:
        end = points[-1].at
        placed = [
            (
                round(WIDTH - (end - point.at) / WINDOW * WIDTH, 1),
                None if point.value is None else y(point.value),
            )
            for point in points
            if end - point.at <= WINDOW
        ]
        shapes += [line(run, class_="t-line") for run in runs(placed)]
        if placed[-1][1] is not None:
            shapes.append(line([(placed[-1][0], placed[-1][1])], class_="t-end"))
    return drawing(WIDTH, HEIGHT, shapes, label, stretch=True)
