"""The sample city on a port, pages of it, and axe-core."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

import pytest

from tests.accessibility.sample_city import SampleCity, running


@pytest.fixture(scope="module")
def city() -> Iterator[SampleCity]:
    with running() as city:
        yield city


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, as the package brings it."""
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
