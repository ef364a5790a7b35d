"""The map draws the city's own file, shades by count, and says what it cannot show."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from kpis.errors import ConfigError
from kpis.views import Count
from layouts.geo import WIDTH, atlas
from layouts.panels.kelurahan_map import kelurahan_map
from layouts.words import words_for
from tests.layouts import sample, tree

EN = words_for("en", "Asia/Jakarta")


def _square(name: str, west: float) -> dict[str, object]:
    ring = [[west, 0.0], [west + 1, 0.0], [west + 1, 1.0], [west + 0.5, 1.0], [west, 1.0], [west, 0.0]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {"name": name}, "geometry": geometry}


@pytest.fixture
def squares(tmp_path: Path) -> Path:
    """Two squares of a degree side by side on the equator."""
    path = tmp_path / "map.geojson"
    features = [_square("Karang Asri", 110.0), _square("Suka Jaya", 111.0)]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def test_a_map_keeps_its_proportions_and_leaves_out_straight_points(squares: Path) -> None:
    found = atlas(squares)
    assert found.height == pytest.approx(WIDTH / 2, rel=1e-3)
    assert [shape.name for shape in found.shapes] == ["Karang Asri", "Suka Jaya"]
    numbers = [float(n) for n in re.findall(r"-?\d+\.\d", found.shapes[0].path)]
    assert set(numbers) == {0.0, 300.0}, "four corners; the point on the straight side is gone"
    assert len(numbers) == 8


def test_shades_follow_the_counts_whatever_the_spelling(squares: Path) -> None:
    city = replace(sample.CITY, map_file=squares)
    counts = (Count(label="karang  asri", count=40), Count(label="Nowhere", count=7))
    panel = kelurahan_map(city, counts, EN)
    picture = tree.markups(panel)[-1]
    assert 'class="m-4"><title>Karang Asri: 40</title>' in picture
    assert 'class="m-0"><title>Suka Jaya: 0</title>' in picture
    assert 'role="img" aria-label="Map of open requests by kelurahan; most in karang  asri 40' in picture
    assert "7 open requests name a kelurahan that is not on the map." in tree.text(panel)
    assert "0 1–10 11–20 21–30 31–40" in tree.text(panel)


def test_a_city_without_a_map_has_no_panel_and_a_broken_one_is_said(tmp_path: Path) -> None:
    assert kelurahan_map(replace(sample.CITY, map_file=None), (), EN) is None
    broken = tmp_path / "broken.geojson"
    broken.write_text('{"features": []}', encoding="utf-8")
    said = tree.text(kelurahan_map(replace(sample.CITY, map_file=broken), (), EN))
    assert said == "The map cannot be drawn: broken.geojson is missing or no GeoJSON of areas."
    with pytest.raises(ConfigError, match=r"city\.map: gone\.geojson cannot be read"):
        atlas(tmp_path / "gone.geojson")


def test_a_changed_file_is_read_again(squares: Path) -> None:
    before = atlas(squares)
    text = squares.read_text(encoding="utf-8").replace("Suka Jaya", "Suka Mulya")
    squares.write_text(text, encoding="utf-8")
    assert atlas(squares) != before


def test_the_kelurahan_of_a_real_city_are_drawn(shared: Path) -> None:
    found = atlas(shared / "geo" / "malang_35.73_kelurahan.geojson")
    assert len(found.shapes) == 57
    assert all(shape.path.startswith("M") and shape.path.endswith("z") for shape in found.shapes)
    assert sum(len(shape.path) for shape in found.shapes) < 60_000
