"""The pretend city's fixed things: its OPD, its kelurahan, and the chance everything else hangs on."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ingest.demo import shapes, words
from ingest.demo.days import Days
from ingest.demo.seeds import chance
from kpis.config import Settings
from kpis.types import Opd

KECAMATAN = ("Tengah", "Utara", "Timur", "Selatan", "Barat")
KELURAHAN = 30
PEOPLE = 840_000
_LATITUDE, _LONGITUDE, _RADIUS = -7.05, 110.95, 0.056


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One kelurahan; `ring` and `points` (where requests lie) are (longitude, latitude)."""

    name: str
    kecamatan: str
    population: int
    ring: tuple[shapes.Point, ...]
    points: tuple[shapes.Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class City:
    """What every generator is given. Equal settings and seed make an equal city; compared by identity."""

    seed: int
    settings: Settings
    opds: tuple[Opd, ...]
    places: tuple[Place, ...]
    days: Days

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(opd.code for opd in self.opds)


def found(settings: Settings, around: date) -> City:
    """The city of `settings.demo.seed`; `around` only bounds the years its calendar knows."""
    seed = settings.demo.seed
    return City(
        seed=seed,
        settings=settings,
        opds=settings.city.opds,
        places=_places(seed),
        days=Days(settings, around),
    )


def _places(seed: int) -> tuple[Place, ...]:
    rings = shapes.cells(seed, KELURAHAN)
    draw = chance(seed, "places")
    districts = _districts(rings)
    weights = [abs(shapes.area(ring)) * float(draw.uniform(0.5, 1.6)) for ring in rings]
    places = []
    for number, (name, ring) in enumerate(zip(_names(seed), rings, strict=True)):
        earth = [_on_earth(point) for point in ring]
        points = shapes.points_within(seed, name, ring, 40)
        places.append(
            Place(
                name=name,
                kecamatan=districts[number],
                population=round(PEOPLE * weights[number] / sum(weights)),
                ring=tuple(earth),
                points=tuple(_on_earth(point) for point in points),
            )
        )
    return tuple(places)


def _districts(rings: list[shapes.Ring]) -> list[str]:
    """The middle cells are Tengah; the others go by the quarter of the sky they lie in."""
    centres = [shapes.centre(ring) for ring in rings]
    nearest = sorted(range(len(rings)), key=lambda n: math.hypot(*centres[n]))[: len(rings) // 5]
    quarters = ("Timur", "Utara", "Barat", "Selatan")
    named = []
    for number, (x, y) in enumerate(centres):
        quarter = int(((math.degrees(math.atan2(y, x)) + 45) % 360) // 90)
        named.append("Tengah" if number in nearest else quarters[quarter])
    return named


def _names(seed: int) -> list[str]:
    pairs = [first + last for first in words.FIRST_PARTS for last in words.LAST_PARTS]
    order = chance(seed, "names").permutation(len(pairs))
    return [pairs[n] for n in order[:KELURAHAN]]


def _on_earth(point: shapes.Point) -> shapes.Point:
    return round(_LONGITUDE + _RADIUS * point[0], 6), round(_LATITUDE + _RADIUS * point[1], 6)


def geojson(city: City) -> dict[str, Any]:
    """The kelurahan as a GeoJSON FeatureCollection (RFC 7946), rings closed and counter-clockwise."""
    features = [
        {
            "type": "Feature",
            "properties": {"name": place.name, "kecamatan": place.kecamatan, "population": place.population},
            "geometry": {"type": "Polygon", "coordinates": [[list(p) for p in (*place.ring, place.ring[0])]]},
        }
        for place in city.places
    ]
    return {"type": "FeatureCollection", "features": features}


def write_map(city: City, path: Path) -> None:
    """Writes the kelurahan where `city.map` names them."""
    path.write_text(json.dumps(geojson(city), ensure_ascii=False), encoding="utf-8")
