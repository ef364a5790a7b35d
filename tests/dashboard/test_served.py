"""The whole way on real stores: a commit is on a hundred pages within a second, and outages end."""

from __future__ import annotations

import asyncio
import json
import signal
import statistics
import subprocess
import sys
from time import monotonic
from typing import Any
from urllib.request import urlopen

import pytest

from tests.dashboard.running import ROOT, Hand, RunningDashboard
from tests.dashboard.streams import Watcher
from tests.keeper import Keeper
from tests.servers import Postgres


def shows(value: str) -> Any:
    """Whether an event brings the tile of open requests with this text."""
    return lambda name, data: value in json.dumps(data.get("panels", {}).get("tile-requests_open", ""))


async def test_a_commit_is_on_a_hundred_open_pages_within_a_second(keeper: Keeper, store_url: str) -> None:
    server = RunningDashboard(keeper, store_url)
    with server.open_store() as store:
        hand = Hand(store)
        hand.write("requests_open", 1)
        viewers = [Watcher(server.port, gzip=n % 2 == 0).start() for n in range(100)]
        for viewer in viewers:
            await viewer.until(lambda name, data: name == "state")
        delays = []
        for value in (1204, 1808, 4711):
            await asyncio.to_thread(hand.write, "requests_open", value)
            committed = monotonic()
            text = f"{value // 1000}.{value % 1000:03d}"
            delays += [(await viewer.until(shows(text)))[0] - committed for viewer in viewers]
        assert statistics.median(delays) < 1.0
        assert max(delays) < 3.0
        for viewer in viewers:
            await viewer.stop()
    server.stop()


async def test_a_database_that_goes_and_comes_back_is_said_and_survived(
    keeper: Keeper, durable_postgres: Postgres
) -> None:
    server = RunningDashboard(keeper, durable_postgres.fresh())
    with server.open_store() as store:
        hand = Hand(store)
        hand.write("requests_open", 1204)
        viewer = Watcher(server.port).start()
        await viewer.until(shows("1.204"))
        await asyncio.to_thread(durable_postgres.kill)
        _, _, lost = await viewer.until(lambda name, data: data.get("store_ok") is False, 20)
        assert lost["panels"]["notice"], "the page says that the database is away"
        await asyncio.to_thread(durable_postgres.start)
        await asyncio.to_thread(hand.write, "requests_open", 1808)
        _, _, found = await viewer.until(shows("1.808"), 20)
        assert found["store_ok"]
        await viewer.stop()
    server.stop()


def test_a_stopped_server_ends_at_once_and_in_order(keeper: Keeper) -> None:
    """With a viewer connected, SIGTERM and Ctrl-C both end the process cleanly and soon."""
    for sign in (signal.SIGTERM, signal.SIGINT):
        server = RunningDashboard(keeper)
        with urlopen(f"{server.url}/live?page=wall", timeout=5) as stream:
            assert stream.readline() == b"retry: 2000\n"
            process = server._process
            assert process is not None
            began = monotonic()
            assert keeper.end(process, sign) == 0
            assert monotonic() - began < 5
        assert "Traceback" not in server.log.read_text()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dashboard", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)


def test_a_busy_port_is_one_line_that_says_what_would_do(keeper: Keeper) -> None:
    server = RunningDashboard(keeper)
    second = run("--config", str(server.config), "--port", str(server.port))
    assert second.returncode == 2
    assert second.stderr.count("\n") == 1
    assert f"web.port: {server.port} is in use" in second.stderr
    assert "--port" in second.stderr
    server.stop()


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--config", "/nonexistent/config.toml"], "/nonexistent/config.toml"),
        (["--host", "203.0.113.7", "--port", "0"], "web.host"),
    ],
)
def test_what_cannot_start_says_so_in_one_line(arguments: list[str], names: str) -> None:
    found = run(*arguments)
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1
    assert names in found.stderr


def test_the_address_is_printed_once(keeper: Keeper) -> None:
    server = RunningDashboard(keeper)
    server.stop()
    assert server.log.read_text() == f"Pendopo: {server.url}/\n"
