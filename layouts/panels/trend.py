"""The course of one figure as a small line, its target dashed, its gaps left open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from kpis.types import TrendPoint
from layouts.svg import Markup, Svg, drawing, element, line

WIDTH, HEIGHT, EDGE = 100.0, 40.0, 3.0
WINDOW = timedelta(hours=24)
POINTS = 48


def thin(points: Sequence[TrendPoint]) -> list[TrendPoint]:
    """About `POINTS` points: of each equal share the lowest and the highest as they follow each other, so
    that no extreme is hidden; a gap stays one, and the last point the last."""
    if len(points) <= POINTS:
        return list(points)
    kept: list[TrendPoint] = []
    shares = POINTS // 2
    for slot in range(shares):
        part = points[slot * len(points) // shares : (slot + 1) * len(points) // shares]
        kept += _extremes(part)
    if kept[-1] is not points[-1]:
        kept.append(points[-1])
    return kept


def _extremes(part: Sequence[TrendPoint]) -> list[TrendPoint]:
    known = [(point.value, place) for place, point in enumerate(part) if point.value is not None]
    gap = next((place for place, point in enumerate(part) if point.value is None), None)
    places = {min(known)[1], max(known)[1]} if known else set()
    return [part[place] for place in sorted(places | ({gap} if gap is not None else set()))]


def runs(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """Unbroken stretches of a line: a None ends one."""
    found: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is None:
            found.append([])
        else:
            found[-1].append((x, y))
    return [run for run in found if run]


def trend(
    points: Sequence[TrendPoint], target: float | None, label: str = "", window: timedelta = WINDOW
) -> Svg:
    """The line of a `window` of time up to the last point; without any value only the target is drawn.

    The picture depends on the points alone, so that it is sent again only when a point is new.
    """
    return Svg(_picture(thin(points), target, label, window), className="trend")


def _picture(points: Sequence[TrendPoint], target: float | None, label: str, window: timedelta) -> Markup:
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
                round(WIDTH - (end - point.at) / window * WIDTH, 1),
                None if point.value is None else y(point.value),
            )
            for point in points
            if end - point.at <= window
        ]
        shapes += [line(run, class_="t-line") for run in runs(placed)]
        if placed[-1][1] is not None:
            shapes.append(line([(placed[-1][0], placed[-1][1])], class_="t-end"))
    return drawing(WIDTH, HEIGHT, shapes, label, stretch=True)
