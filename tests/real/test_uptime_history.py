"""Two years of two sites' real checks, over MQTT, against what the tool that made them says of them.

The tool commits a line when a site's state changes and about once a day besides, at most 48 hours
apart; its uptime lets a state last until the next line. So the city here expects a check every 16
hours: three times that is the longest silence that still counts as observed. Its days are UTC's.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.sources.mqtt import MqttSource
from kpis import app_uptime
from kpis.app_uptime.figures import AppTruth, truths
from kpis.store import micros
from tests.real.world import World, city, now, open_world, publish
from tests.servers import Mosquitto
from tests.sources.recorder import Running, eventually

DEMO_SLUGS = {"google", "hacker-news", "wikipedia", "i-pv6-test", "test-broken-site"}
TOPIC = "status/{slug}"
CONFIG = """
[broker]
url = "{broker}"

[app_uptime]
interval = "16h"

[[source]]
name = "datalab-status"
type = "mqtt"
topic = "status/+"
feed = "uptime_check"

[source.map]
id = "join('/', [slug, commit])"
app = "slug"
observed_at = "last_updated"
up = "status == 'up'"
latency_ms = "to_number(response_ms)"
status_code = "to_number(code)"
"""

Message = tuple[str, dict[str, str]]


@pytest.fixture(scope="module")
def history(shared: Path) -> list[Message]:
    """Every line of the history as a message of its own, the template's demonstration sites left out."""
    with (shared / "uptime" / "concat-lab__datalab-status__checks.csv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["slug"] not in DEMO_SLUGS]
    return [(TOPIC.format(slug=row["slug"]), row) for row in rows]


@pytest.fixture(scope="module")
def summary(shared: Path) -> list[dict[str, Any]]:
    file = shared / "uptime" / "concat-lab__datalab-status__summary.json"
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    assert len(found) == 2
    return found


@pytest.fixture
def world(tmp_path: Path, store_url: str, mosquitto: Mosquitto) -> Iterator[World]:
    text = city(store_url, "Asia/Jakarta", ["diskominfo"]) + CONFIG.format(broker=mosquitto.url)
    opened = open_world(tmp_path, text)
    yield opened
    opened.store.close()


def _truths(world: World, at: datetime) -> dict[str, AppTruth]:
    with world.store.read() as conn:
        return truths(conn, world.settings, at, days=10_000)


def _share(seconds: tuple[float, float]) -> str:
    up, down = seconds
    return f"{up / (up + down):.2%}"


def _utc_day(day: str) -> tuple[int, int]:
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return micros(start), micros(start + timedelta(days=1))


def _as_the_tool_says(world: World, history: list[Message], summary: list[dict[str, Any]]) -> None:
    end = datetime.fromisoformat(max(row["last_updated"] for _, row in history))
    known = _truths(world, end)
    for site in summary:
        truth = known[site["slug"]]
        first = min(row["last_updated"] for _, row in history if row["slug"] == site["slug"])
        assert _share(truth.seconds(micros(datetime.fromisoformat(first)), micros(end))) == site["uptime"]
        for span, days in (("uptimeYear", 365), ("uptimeMonth", 30), ("uptimeWeek", 7), ("uptimeDay", 1)):
            since = micros(end - timedelta(days=days))
            assert _share(truth.seconds(since, micros(end))) == site[span], span
        minutes = {day: truth.seconds(*_utc_day(day))[1] / 60 for day in site["dailyMinutesDown"]}
        assert minutes == pytest.approx(site["dailyMinutesDown"], abs=1)
        assert minutes["2026-02-23"] == pytest.approx(78, abs=1)

    with world.store.read() as conn:
        rows = {row.app: row for row in app_uptime.app_rows(conn, world.settings, end)}
    for site in summary:
        assert rows[site["slug"]].uptime_30d == 1.0
        assert rows[site["slug"]].state == site["status"]


def test_both_sites_come_out_as_the_other_tool_says_in_any_order_and_twice(
    world: World, mosquitto: Mosquitto, history: list[Message], summary: list[dict[str, Any]]
) -> None:
    shuffled = random.Random(20260223).sample(history, len(history))
    source = MqttSource(world.settings, world.pipeline, now)
    with Running(source):
        assert source.ready.wait(15)
        publish(mosquitto.port, shuffled)
        eventually(lambda: sum(world.counts("datalab-status")) == len(history), "the history is in")
        assert world.counts("datalab-status") == (len(history), 0, 0), world.rejects()
        _as_the_tool_says(world, history, summary)
        facts = world.facts()

        publish(mosquitto.port, history[::-1])
        eventually(lambda: sum(world.counts("datalab-status")) == 2 * len(history), "it is in twice")
        assert world.counts("datalab-status") == (len(history), len(history), 0)
        assert world.facts() == facts


def test_in_the_order_of_time_the_facts_are_the_same(
    tmp_path: Path, mosquitto: Mosquitto, history: list[Message], summary: list[dict[str, Any]]
) -> None:
    facts = []
    for name, messages in (
        ("forward", history),
        ("shuffled", random.Random(7).sample(history, len(history))),
    ):
        folder = tmp_path / name
        folder.mkdir()
        text = city(f"sqlite:///{folder / 'pendopo.db'}", "Asia/Jakarta", ["diskominfo"])
        world = open_world(folder, text + CONFIG.format(broker=mosquitto.url))
        source = MqttSource(world.settings, world.pipeline, now)
        with Running(source):
            assert source.ready.wait(15)
            publish(mosquitto.port, messages)
            eventually(lambda w=world: sum(w.counts("datalab-status")) == len(history), "all is in")  # type: ignore[misc]
        _as_the_tool_says(world, history, summary)
        facts.append(world.facts())
        world.store.close()
    assert facts[0] == facts[1]
