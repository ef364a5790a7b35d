"""`./run demo` as a person starts, stops and starts it again, and what it says when it cannot."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.demo.settle import free_port, settle
from kpis.config import Settings
from tests.demo.conftest import ROOT


class Demo:
    """One run of the demo in a folder."""

    def __init__(self, folder: Path, *more: str, port: int | None = None) -> None:
        self.port = port or free_port()
        command = (sys.executable, "-m", "ingest.demo", "--folder", str(folder), "--port", str(self.port))
        self.process = subprocess.Popen(
            [*command, *more], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def address(self) -> str:
        """The line with the address; everything before it is a failure."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("Pendopo: http"), line + (
            self.process.stderr.read() if self.process.stderr else ""
        )
        return line

    def readings(self) -> dict[str, float | None]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/readings", timeout=10) as reply:
            return {one["kpi"]: one["value"] for one in json.load(reply) if one["opd"] is None}

    def figures(self, *keys: str) -> dict[str, float | None]:
        """The city's figures once all of `keys` have a value."""
        until = time.monotonic() + 60
        while True:
            found = self.readings()
            if all(found.get(key) is not None for key in keys) or time.monotonic() > until:
                return found
            time.sleep(0.2)

    def stop(self, how: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        self.process.send_signal(how)
        _, said = self.process.communicate(timeout=40)
        return self.process.returncode, said


@pytest.fixture
def demos() -> Iterator[list[Demo]]:
    running: list[Demo] = []
    yield running
    for demo in running:
        if demo.process.poll() is None:
            demo.process.terminate()
            demo.process.wait(40)


def accepted(folder: Path, feed: str) -> int:
    import sqlite3

    db = sqlite3.connect(folder / "pendopo.db", timeout=30)
    try:
        return int(db.execute(f"SELECT count(*) FROM {feed}").fetchone()[0])
    finally:
        db.close()


def test_it_starts_with_figures_stops_on_ctrl_c_and_starts_again_with_its_data(
    tmp_path: Path, demos: list[Demo]
) -> None:
    first = Demo(tmp_path, "--history-days", "4")
    demos.append(first)
    first.address()
    figures = first.figures("requests_open", "app_uptime_30d", "consistency_breaks")
    assert figures["requests_open"]
    assert figures["app_uptime_30d"]
    assert figures["consistency_breaks"] is not None
    # All of the past: the file source takes each file once, and then has nothing left to do.
    until = time.monotonic() + 90
    while accepted(tmp_path, "attendance") == 0 and time.monotonic() < until:
        time.sleep(0.2)
    assert first.stop() == (0, "")
    before = {feed: accepted(tmp_path, feed) for feed in ("service_request", "uptime_check", "ledger")}

    second = Demo(tmp_path, "--history-days", "4")
    demos.append(second)
    second.address()
    assert second.readings()["requests_open"]
    assert second.stop(signal.SIGTERM) == (0, "")
    after = {feed: accepted(tmp_path, feed) for feed in before}
    assert all(after[feed] >= before[feed] for feed in before)
    assert after["service_request"] - before["service_request"] < 50


def _refused(*arguments: str, folder: Path) -> str:
    """The one line a demo says that cannot start."""
    done = subprocess.run(
        [sys.executable, "-m", "ingest.demo", "--folder", str(folder), *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert not done.stdout
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_a_busy_port_is_one_line_that_names_it(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        said = _refused("--port", str(port), folder=tmp_path)
    assert said == f"web.port: {port} is busy; use --port, or another web.port in config.toml"


@pytest.mark.parametrize("port", ["0", "-1", "65536"])
def test_a_port_that_cannot_be_is_one_line(tmp_path: Path, port: str) -> None:
    assert _refused("--port", port, folder=tmp_path / "demo") == f"--port: is {port}; use 1 to 65535"


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = _refused("--port", str(free_port()), folder=tmp_path / "file" / "demo")
    assert said.startswith("--folder: ")
    assert "cannot be written" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[city", "config.toml: is not valid TOML"),
        ('extends = "{base}"\n[web]\nport = "eighty"\n', "web.port: is 'eighty'"),
        ('extends = "{base}"\n[kpi.apps_dwon_now]\ntarget = 0\nact = 1\n', "kpi.apps_dwon_now: is not a KPI"),
    ],
)
def test_a_broken_config_is_one_line_that_names_the_key(tmp_path: Path, text: str, said: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(text.replace("{base}", str(ROOT / "config.toml")))
    assert _refused("--config", str(config), folder=tmp_path / "demo").startswith(said)


def test_one_folder_holds_one_demo(tmp_path: Path, demos: list[Demo]) -> None:
    first = Demo(tmp_path, "--history-days", "1")
    demos.append(first)
    first.address()
    assert "already runs" in _refused("--port", str(free_port()), folder=tmp_path)


def test_a_real_store_and_real_sources_are_never_touched(tmp_path: Path) -> None:
    from kpis.config import load

    config = tmp_path / "real.toml"
    config.write_text(
        f'extends = "{ROOT / "config.toml"}"\n[store]\nurl = "postgresql://real@db.kota.go.id/pendopo"\n'
        '[broker]\nurl = "mqtts://broker.kota.go.id"\n'
        '[[source]]\nname = "sp4n"\ntype = "database"\nfeed = "service_request"\nurl = "sqlite:///real.db"\n'
        'query = "SELECT * FROM a WHERE b >= :since ORDER BY b"\nwatermark = "b"\n'
    )
    base = load(config)
    made, _ = settle(base, tmp_path / "demo", base.demo, 8050)
    assert made.store.embedded
    assert str(tmp_path / "demo") in made.store.url
    assert made.broker.embedded
    assert made.broker.host == "127.0.0.1"
    assert "sp4n" not in {source.name for source in made.sources}
    assert made.is_demo


def test_killing_the_demo_leaves_no_process_behind(tmp_path: Path, demos: list[Demo]) -> None:
    demo = Demo(tmp_path, "--history-days", "1")
    demos.append(demo)
    demo.address()
    demo.process.kill()
    demo.process.wait()
    until = time.monotonic() + 20
    while _children(tmp_path) and time.monotonic() < until:
        time.sleep(0.1)
    assert not _children(tmp_path)


def _children(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if str(folder) in line and "ingest.demo --folder" not in line and "python" in line:
                found.append(line)
    return found


def test_the_citys_clock_never_goes_back(tmp_path: Path, settings: Settings) -> None:
    """After a fast demo the clock is ahead of the real one, and of what the city has said."""
    _, state = settle(settings, tmp_path, settings.demo, 8050)
    ahead = datetime.now(UTC) + timedelta(days=2)
    state.shown = ahead.timestamp()
    state.save()
    made, _ = settle(settings, tmp_path, settings.demo, 8050)
    assert made.clock.now() >= ahead
    assert made.clock.now() - ahead < timedelta(minutes=1)
