"""The city's map: a GeoJSON file (RFC 7946) of kelurahan as paths of one small drawing.

Longitudes shrink with the cosine of the middle latitude, which is true to shape for a city. Bends
smaller than a pixel of the drawing are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, hypot, radians
from pathlib import Path
from typing import Any

from kpis.errors import ConfigError

WIDTH = 600.0
BEND = 0.7
"""How far a point has to lie off the line between its neighbours to be kept, in the drawing's units."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Shape:
    """One kelurahan: its name as the file spells it and the path of its rings."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Atlas:
    """All shapes in a box of `WIDTH` × `height`."""

    height: float
    shapes: tuple[Shape, ...]


def key(name: str) -> str:
    """A kelurahan's name as it is compared: sources differ in capitals and blanks."""
    return " ".join(name.casefold().split())


def atlas(path: Path) -> Atlas:
    """The map of a file, read again when the file changes.

    Raises ConfigError when there is none or it holds no area with a name.
    """
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise ConfigError("city.map", f"{path.name} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise ConfigError("city.map", f"{path.name} is no GeoJSON of areas") from None


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> Atlas:
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    areas = [(_name(one["properties"]), _rings(one["geometry"])) for one in features]
    points = [point for _, rings in areas for ring in rings for point in ring]
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    narrow = cos(radians((south + north) / 2))
    scale = WIDTH / ((east - west) * narrow or 1)

    def place(ring: Iterable[Point]) -> list[Point]:
        return [((x - west) * narrow * scale, (north - y) * scale) for x, y in ring]

    shapes = (Shape(name, "".join(_path(place(ring)) for ring in rings)) for name, rings in areas)
    return Atlas(round((north - south) * scale, 1), tuple(shapes))


def _name(properties: dict[str, Any]) -> str:
    name = properties.get("name") or properties.get("nama")
    if not isinstance(name, str):
        raise ValueError("an area without a name")
    return name


def _rings(geometry: dict[str, Any]) -> list[list[Point]]:
    """The rings of a Polygon or MultiPolygon, points as (longitude, latitude)."""
    if geometry["type"] not in ("Polygon", "MultiPolygon"):
        raise ValueError(f"{geometry['type']} is no area")
    found = geometry["coordinates"]
    polygons = [found] if geometry["type"] == "Polygon" else found
    return [[(float(p[0]), float(p[1])) for p in ring] for polygon in polygons for ring in polygon]


def _path(ring: Sequence[Point]) -> str:
    x0, y0 = ring[0]
    far = max(range(len(ring)), key=lambda n: hypot(ring[n][0] - x0, ring[n][1] - y0))
    kept = [*_straight(ring[: far + 1])[:-1], *_straight(ring[far:])[:-1]]
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in kept) + "z"


def _straight(points: Sequence[Point]) -> list[Point]:
    """Points without those that lie within `BEND` of the line between what is kept (Douglas, Peucker)."""
    if len(points) < 3:
        return list(points)
    (ax, ay), (bx, by) = points[0], points[-1]
    length = hypot(bx - ax, by - ay)

    def off(x: float, y: float) -> float:
        if not length:
            return hypot(x - ax, y - ay)
        return abs((bx - ax) * (ay - y) - (ax - x) * (by - ay)) / length

    far, place = max((off(*point), n) for n, point in enumerate(points[1:-1], 1))
    if far <= BEND:
        return [points[0], points[-1]]
    return [*_straight(points[: place + 1])[:-1], *_straight(points[place:])]
