"""A department's database on each engine Pendopo is tested against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import MariaDb, Postgres


@pytest.fixture(params=["sqlite", "mariadb", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty department database, on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'opd.db'}"
    elif request.param == "mariadb":
        server: MariaDb = request.getfixturevalue("mariadb")
        url = server.fresh()
        yield url
        server.drop(url)
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.fresh()
        yield url
        postgres.drop(url)
