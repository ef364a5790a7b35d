"""What the order of a request's times decides: whether it is usable, not whether it is counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.arrivals import Arrival
from kpis import readings
from tests.real.world import World, city, now, open_world

AT = datetime.fromisoformat("2026-08-19T10:00:00+07:00")
RECORD = {"id": "1", "opd": "dlh", "opened_at": "2026-08-18T09:00:00+07:00", "status": "received"}
BEFORE = "2026-08-18T02:00:00+07:00"
AFTER = "2026-08-18T12:00:00+07:00"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = open_world(tmp_path, city(f"sqlite:///{tmp_path / 'pendopo.db'}", "Asia/Jakarta", ["dlh"]))
    yield opened
    opened.store.close()


def _taken(world: World, **changes: Any) -> tuple[str | None, float | None]:
    """Why the record was refused, if it was, and how many requests are open at AT."""
    payload = json.dumps({**RECORD, **changes}).encode()
    arrival = Arrival(
        "sp4n", "sp4n", "service_request", payload, now(), "mqtt", "city/v1/service_request/sp4n"
    )
    outcome = world.pipeline.take([arrival])
    with world.store.read() as conn:
        value = readings.as_of(conn, world.settings, AT)["requests_open", "dlh"].value
    return (outcome.refusals[0].reason if outcome.refusals else None), value


def test_an_open_request_whose_record_is_dated_before_its_opening_still_waits(world: World) -> None:
    assert _taken(world, updated_at=BEFORE) == (None, 1)


def test_the_newest_version_wins_over_one_dated_before_the_opening(world: World) -> None:
    _taken(world, updated_at=BEFORE)
    assert _taken(world, updated_at=AFTER, status="closed", closed_at=AFTER) == (None, 0)
    assert _taken(world, updated_at=BEFORE) == (None, 0)


@pytest.mark.parametrize("status", ["closed", "rejected", "archived", "withdrawn"])
def test_a_request_cannot_end_before_it_was_opened(world: World, status: str) -> None:
    assert _taken(world, updated_at=BEFORE, status=status) == ("times_out_of_order", None)


def test_a_request_cannot_close_before_it_was_opened(world: World) -> None:
    refused = _taken(world, updated_at=AFTER, status="closed", closed_at=BEFORE)
    assert refused == ("closes_before_open", None)
