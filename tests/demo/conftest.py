"""The pretend city at one fixed moment of its calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ingest.demo.city import City, found
from kpis.config import Settings, load

ROOT = Path(__file__).resolve().parents[2]
# A Thursday, 10:00 in the west of the country.
NOW = datetime(2026, 8, 20, 3, 0, tzinfo=UTC).timestamp()
TODAY = date(2026, 8, 20)


@pytest.fixture(scope="package")
def settings() -> Settings:
    return load(ROOT / "config.toml")


@pytest.fixture(scope="package")
def city(settings: Settings) -> City:
    return found(settings, TODAY)


@pytest.fixture(scope="package")
def other_city(settings: Settings) -> City:
    return found(replace(settings, demo=replace(settings.demo, seed=settings.demo.seed + 1)), TODAY)
