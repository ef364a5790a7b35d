"""A small city on both stores, and on the embedded one alone where the store makes no difference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import FrozenClock
from tests.pipeline.world import World, city


@pytest.fixture
def world(store_url: str, clock: FrozenClock) -> Iterator[World]:
    """Kota Uji with an empty store, once on SQLite and once on PostgreSQL; its clock is `clock`."""
    with city(store_url, clock) as found:
        yield found


@pytest.fixture
def embedded(tmp_path: Path, clock: FrozenClock) -> Iterator[World]:
    """Kota Uji on SQLite."""
    with city(f"sqlite:///{tmp_path / 'pendopo.db'}", clock) as found:
        yield found
