"""The shape of the pretend city: kelurahan cells cut out of one outline, without gaps or overlaps.

A Voronoi diagram relaxed a few times gives cells of like size; each straight border is then bent
by midpoint displacement keyed on its end points, so both neighbours bend it the same way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ingest.demo.seeds import chance, number

Point = tuple[float, float]
Ring = list[Point]

_BENDS = 3
_SWAY = 0.07


def outline(seed: int, corners: int = 72) -> Ring:
    """A rounded shape around (0, 0) with a radius near 1, counter-clockwise."""
    draw = chance(seed, "outline")
    waves = [(k, draw.uniform(0.01, 0.16) / k, draw.uniform(0, 2 * math.pi)) for k in range(1, 6)]
    ring = []
    for place in range(corners):
        angle = 2 * math.pi * place / corners
        radius = 1 + sum(size * math.cos(k * angle + turn) for k, size, turn in waves)
        ring.append((radius * math.cos(angle), 0.86 * radius * math.sin(angle)))
    return ring


def cells(seed: int, count: int) -> list[Ring]:
    """`count` simple rings that tile the outline, counter-clockwise, not closed."""
    edge = outline(seed)
    draw = chance(seed, "sites")
    sites: list[Point] = []
    while len(sites) < count:
        site = (float(draw.uniform(-1.1, 1.1)), float(draw.uniform(-1.1, 1.1)))
        if inside(site, edge) and all(math.dist(site, other) > 0.9 / math.sqrt(count) for other in sites):
            sites.append(site)
    for _ in range(3):
        sites = [centre(_cell(site, sites, edge)) for site in sites]
    straight = [[(round(x, 7), round(y, 7)) for x, y in _cell(site, sites, edge)] for site in sites]
    return [_bent(seed, _joined(ring, straight)) for ring in straight]


def _cell(site: Point, sites: Sequence[Point], edge: Ring) -> Ring:
    """What of the outline lies nearer to `site` than to any other."""
    ring = edge
    for other in sites:
        if other != site:
            ring = _nearer(ring, site, other)
    return ring


def _nearer(ring: Ring, site: Point, other: Point) -> Ring:
    """The part of a ring on the site's side of the line half-way to another site."""
    ax, ay = other[0] - site[0], other[1] - site[1]
    limit = (other[0] ** 2 + other[1] ** 2 - site[0] ** 2 - site[1] ** 2) / 2
    kept: Ring = []
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        d1, d2 = ax * x1 + ay * y1 - limit, ax * x2 + ay * y2 - limit
        if d1 <= 0:
            kept.append((x1, y1))
        if (d1 < 0 < d2) or (d2 < 0 < d1):
            share = d1 / (d1 - d2)
            kept.append((x1 + share * (x2 - x1), y1 + share * (y2 - y1)))
    return kept


def _joined(ring: Ring, rings: Sequence[Ring]) -> Ring:
    """The ring with every corner that a neighbour has on one of its sides, and no corner twice."""
    corners = sorted({corner for other in rings for corner in other})
    whole: Ring = []
    for start, end in zip(ring, ring[1:] + ring[:1], strict=True):
        if math.dist(start, end) < 1e-5:
            continue
        whole.append(start)
        between = [c for c in corners if _lies_on(c, start, end)]
        whole.extend(sorted(between, key=lambda c: math.dist(start, c)))
    return whole


def _lies_on(corner: Point, start: Point, end: Point) -> bool:
    length = math.dist(start, end)
    along = (
        (corner[0] - start[0]) * (end[0] - start[0]) + (corner[1] - start[1]) * (end[1] - start[1])
    ) / length
    if not 1e-5 < along < length - 1e-5:
        return False
    aside = (corner[0] - start[0]) * (end[1] - start[1]) - (corner[1] - start[1]) * (end[0] - start[0])
    return abs(aside) / length < 1e-6


def _bent(seed: int, ring: Ring) -> Ring:
    bent: Ring = []
    for start, end in zip(ring, ring[1:] + ring[:1], strict=True):
        low, high = min(start, end), max(start, end)
        line = _bend(seed, low, high, _BENDS)
        bent.extend((line if start == low else line[::-1])[:-1])
    return bent


def _bend(seed: int, start: Point, end: Point, depth: int) -> Ring:
    length = math.dist(start, end)
    if depth == 0 or length < 0.03:
        return [start, end]
    push = (number(seed, *start, *end) / 2**64 - 0.5) * 2 * _SWAY
    middle = (
        round((start[0] + end[0]) / 2 - push * (end[1] - start[1]), 7),
        round((start[1] + end[1]) / 2 + push * (end[0] - start[0]), 7),
    )
    return _bend(seed, start, middle, depth - 1)[:-1] + _bend(seed, middle, end, depth - 1)


def area(ring: Ring) -> float:
    """Signed area; positive when the ring runs counter-clockwise."""
    pairs = zip(ring, ring[1:] + ring[:1], strict=True)
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs) / 2


def centre(ring: Ring) -> Point:
    """The centre of area."""
    x = y = 0.0
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        cross = x1 * y2 - x2 * y1
        x += (x1 + x2) * cross
        y += (y1 + y2) * cross
    whole = 6 * area(ring)
    return x / whole, y / whole


def inside(point: Point, ring: Ring) -> bool:
    """Whether a point lies within a ring (ray casting)."""
    x, y = point
    found = False
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            found = not found
    return found


def points_within(seed: int, name: str, ring: Ring, count: int) -> list[Point]:
    """`count` points drawn evenly from within a ring."""
    draw = chance(seed, "points", name)
    xs, ys = np.array([p[0] for p in ring]), np.array([p[1] for p in ring])
    found: list[Point] = []
    while len(found) < count:
        point = (float(draw.uniform(xs.min(), xs.max())), float(draw.uniform(ys.min(), ys.max())))
        if inside(point, ring):
            found.append(point)
    return found
