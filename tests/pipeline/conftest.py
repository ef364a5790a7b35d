"""A small city on both stores, and on the embedded one alone where the store makes no difference.

Its stores live as long as the session and are emptied for each test: that costs a hundredth of
making them anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import FrozenClock
from tests.pipeline.world import World, city
from tests.servers import Postgres

Opened = Callable[[str], World]


@pytest.fixture(scope="session")
def worlds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    made: dict[str, World] = {}
    ends = []

    def opened(kind: str) -> World:
        if kind not in made:
            if kind == "sqlite":
                url = f"sqlite:///{tmp_path_factory.mktemp('world') / 'pendopo.db'}"
            else:
                server: Postgres = request.getfixturevalue("postgres")
                url = server.fresh()
            opening = city(url)
            made[kind] = opening.__enter__()
            ends.append(opening)
        return made[kind]

    yield opened
    for opening in ends:
        opening.__exit__(None, None, None)


@pytest.fixture(params=["sqlite", "postgres"])
def world(request: pytest.FixtureRequest, worlds: Opened, clock: FrozenClock) -> World:
    """Kota Uji with an empty store, once on SQLite and once on PostgreSQL; its clock is `clock`."""
    found = worlds(request.param)
    found.reset(clock)
    return found


@pytest.fixture
def embedded(worlds: Opened, clock: FrozenClock) -> World:
    """Kota Uji with an empty store on SQLite."""
    found = worlds("sqlite")
    found.reset(clock)
    return found


@pytest.fixture
def in_service(worlds: Opened, clock: FrozenClock) -> World:
    """Kota Uji with an empty store on PostgreSQL."""
    found = worlds("postgres")
    found.reset(clock)
    return found


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Kota Uji on a SQLite store that one module has to itself, for properties that wipe it themselves."""
    with city(f"sqlite:///{tmp_path_factory.mktemp('small') / 'pendopo.db'}") as found:
        yield found
