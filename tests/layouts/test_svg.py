"""A drawing is a Dash component like any other, and cheap enough to be made a hundred times a second."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from layouts.svg import Svg, drawing, line


class Watching:
    """An importer that finds nothing and notes what was looked for."""

    def __init__(self) -> None:
        self.sought: list[str] = []

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        self.sought.append(name)
        return None


def test_a_drawing_tells_the_browser_its_markup_and_class() -> None:
    markup = drawing(10, 5, [line([(0, 1), (10, 4)])], "up")
    assert Svg(markup, className="trend").to_plotly_json() == {
        "props": {"markup": str(markup), "className": "trend"},
        "type": "Svg",
        "namespace": "pendopo",
    }


def test_a_drawing_looks_for_no_python_package(monkeypatch: pytest.MonkeyPatch) -> None:
    watching = Watching()
    monkeypatch.setattr(sys, "meta_path", [watching, *sys.meta_path])
    Svg(drawing(1, 1, [], "dot"))
    assert watching.sought == []
