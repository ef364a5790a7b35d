"""The whole road, each part a process of its own: Mosquitto → ingest → store → dashboard → Chromium.

An event published to the broker changes an open wall without a reload, with a hundred more viewers
on the same stream. The times are printed and reported; the bound asserted here is generous, so that a
busy machine cannot fail it.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Page, expect

from tests.dashboard.streams import Watcher
from tests.keeper import Keeper, wait_until
from tests.servers import Mosquitto, answers, free_port

ROOT = Path(__file__).resolve().parents[2]
VIEWERS = 100
EVENTS = 20
GENEROUS_S = 5.0
TILE = "tile-requests_open"
TOPIC = "city/v1/service_request/sp4n"
# Notes when the tile shows what: the browser's clock is this machine's.
OBSERVE = """
() => {
  window.mark = 'never reloaded';
  window.seen = [];
  const shown = () => document.querySelector('#tile-requests_open .tile-value')?.textContent;
  let last = shown();
  const note = () => {
    const text = shown();
    if (text === undefined || text === last) return;
    last = text;
    window.seen.push([Date.now(), text]);
  };
  new MutationObserver(note).observe(document.getElementById('pendopo'),
    { subtree: true, childList: true, characterData: true });
}
"""
SHOWS = "text => document.querySelector('#tile-requests_open .tile-value').textContent === text"


class City:
    """`python -m ingest` and `python -m dashboard` as config.toml has them, on their own store and broker."""

    def __init__(self, keeper: Keeper, store_url: str, broker_url: str) -> None:
        self._keeper = keeper
        self._folder = keeper.subfolder("city")
        self._config = self._folder / "config.toml"
        self.port = free_port()
        self._config.write_text(
            f'extends = "{ROOT / "config.toml"}"\n[store]\nurl = "{store_url}"\n'
            f'[broker]\nurl = "{broker_url}"\n[web]\nport = {self.port}\n'
        )
        self._processes = [
            self._start("ingest", lambda log: "ingest ready" in log),
            self._start("dashboard", lambda _: answers(self.port)),
        ]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _start(self, module: str, ready: Callable[[str], bool]) -> subprocess.Popen[bytes]:
        log = self._folder / f"{module}.log"
        argv: list[str | Path] = [sys.executable, "-m", module, "--config", self._config]
        environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
        process = self._keeper.start(argv, log=log, cwd=ROOT, env=environ)
        wait_until(lambda: ready(log.read_text(errors="replace")), process, log)
        return process

    def stop(self) -> None:
        """Ends both in order; each has to end well and without a trace of an error."""
        for process in reversed(self._processes):
            assert self._keeper.end(process) == 0
        for log in self._folder.glob("*.log"):
            assert "Traceback" not in log.read_text(errors="replace"), log.read_text(errors="replace")


@pytest.fixture
def living_city(keeper: Keeper, store_url: str, mosquitto: Mosquitto) -> Iterator[City]:
    started = City(keeper, store_url, mosquitto.url)
    yield started
    started.stop()


@contextmanager
def _publisher(port: int) -> Iterator[Callable[[dict[str, Any]], float]]:
    """A connected client; publishing gives the moment (Unix time) just before it began."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
    client.connect("127.0.0.1", port)
    client.loop_start()

    def publish(record: dict[str, Any]) -> float:
        payload = json.dumps(record)
        began = time.time()
        client.publish(TOPIC, payload, qos=1)
        return began

    yield publish
    client.disconnect()
    client.loop_stop()


class Crowd(threading.Thread):
    """Viewers of the wall's stream in a loop of their own; `shown[n]` is what viewer n heard and when."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._watchers: list[Watcher] = []
        self._loop = asyncio.new_event_loop()
        self._enough = asyncio.Event()
        self._connected = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self._loop.run_until_complete(self._watch())
        except BaseException as error:
            self.error = error
        self._connected.set()

    async def _watch(self) -> None:
        self._watchers = [Watcher(self._port, gzip=n % 2 == 0).start() for n in range(VIEWERS)]
        for watcher in self._watchers:
            await watcher.until(lambda name, _: name == "state", 60)
        self._connected.set()
        await self._enough.wait()
        for watcher in self._watchers:
            await watcher.stop()

    def __enter__(self) -> Self:
        self.start()
        assert self._connected.wait(90)
        assert self.error is None, self.error
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._enough.set)
        self.join(30)

    def heard(self) -> list[list[tuple[float, str]]]:
        """For each viewer, every text its tile showed, with the moment (Unix time) it was heard."""
        offset = time.time() - time.monotonic()
        return [
            [
                (at + offset, _tile_value(data["panels"][TILE]))
                for at, _, data in list(watcher.heard)
                if TILE in data.get("panels", {})
            ]
            for watcher in self._watchers
        ]


def _tile_value(panel: Any) -> str:
    """The text of the tile's value in a panel as it is sent."""
    if isinstance(panel, dict):
        props = panel.get("props", {})
        if props.get("className") == "tile-value":
            return str(props["children"])
        return _tile_value(props.get("children"))
    if isinstance(panel, list):
        return next((found for found in map(_tile_value, panel) if found), "")
    return ""


def _steps() -> Iterator[tuple[dict[str, Any], int]]:
    """Each event and how many requests are open after it: most open one, every fourth closes one."""
    opened_at = datetime.now(UTC) - timedelta(hours=2)
    waiting: list[int] = []
    for number in range(1, EVENTS + 1):
        closes = number % 4 == 0
        request = waiting.pop(0) if closes else number
        if not closes:
            waiting.append(number)
        at = datetime.now(UTC).isoformat()
        record = {
            "id": f"r{request}", "opd": "dlh", "opened_at": opened_at.isoformat(), "updated_at": at,
            "status": "closed" if closes else "received", **({"closed_at": at} if closes else {}),
        }  # fmt: skip
        yield record, len(waiting)


def _first(seen: list[tuple[float, str]], text: str, after: float) -> float | None:
    return next((at for at, shown in seen if shown == text and at >= after), None)


def test_an_event_at_the_broker_is_on_the_open_wall_with_a_hundred_viewers(
    living_city: City, mosquitto: Mosquitto, page: Page, record_property: Callable[[str, object], None]
) -> None:
    page.goto(f"{living_city.url}/wall", wait_until="commit")
    expect(page.locator("#connection")).to_have_attribute("data-state", "ok", timeout=30_000)
    page.wait_for_selector(f"#{TILE} .tile-value")
    page.evaluate(OBSERVE)
    lots = random.Random(1)
    published: list[tuple[float, str]] = []
    with Crowd(living_city.port) as crowd, _publisher(mosquitto.port) as publish:
        for record, waiting in _steps():
            published.append((publish(record), str(waiting)))
            page.wait_for_function(SHOWS, arg=str(waiting), timeout=30_000)
            page.wait_for_timeout(lots.uniform(50, 350))  # so that events fall anywhere in the hub's beat
        page.wait_for_timeout(500)
        seen = [(at / 1000, text) for at, text in page.evaluate("window.seen")]
        heard = crowd.heard()
    assert crowd.error is None, crowd.error

    assert page.evaluate("window.mark") == "never reloaded"
    assert [text for _, text in seen] == [text for _, text in published], f"each once, in order: {seen}"
    delays = [at - began for (at, _), (began, _) in zip(seen, published, strict=True)]

    values = [text for _, text in published]
    for viewer in heard:
        shown = [text for text, _ in groupby(text for _, text in viewer)]
        assert shown[-1] == values[-1], "every viewer ends at the last value"
        rest = iter(values)
        assert all(text in rest for text in shown[1:]), "a slow one may pass over a value, but none is wrong"
    found = [(_first(viewer, text, began), began) for viewer in heard for began, text in published]
    of_viewers = [at - began for at, began in found if at is not None]

    for name, times in (("wall", delays), ("viewers", of_viewers)):
        measured = f"median {statistics.median(times):.3f} s, most {max(times):.3f} s, {len(times)} times"
        record_property(f"{name}_delay", measured)
        print(f"published to {name}: {measured}")
        assert statistics.median(times) < GENEROUS_S
