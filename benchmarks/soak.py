"""`./run bench soak`: whether anything grows that stays open for months, or that comes and goes.

A wall page stands open in Chromium while its figures change fifty times as often as they do (a change
every two seconds): twenty minutes of that are seventeen hours. And a server that the same pages come to and
leave, a hundred thousand times, in every way a page can leave.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import signal
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

from playwright.sync_api import CDPSession, Page

from benchmarks.live_stage import ROOT
from benchmarks.numbers import positive, rate
from benchmarks.processes import Elsewhere
from benchmarks.soak_visits import Visits
from kpis.catalogue import catalogue
from kpis.config import load
from kpis.store import open_store
from kpis.types import Severity
from tests.dashboard.running import Hand
from tests.keeper import Keeper, wait_until
from tests.screen import chromium
from tests.servers import answers, free_port

_A_CHANGE_EVERY_S = 2.0
_TIMES = 50
_WARM_UP = 0.2
_SAMPLES = 40
_PAGES = '["overview", "service_requests", "app_uptime", "opd_integration", "e_attendance"]'
_CONFIG = """\
extends = "{base}"

[store]
url = "sqlite:///soak.db"

[[screen]]
name = "soak"
pages = {pages}
every = "5s"
"""
# Counts the changes the page was sent, and keeps nothing else.
_COUNT = """
const Source = window.EventSource;
window.changes = 0;
window.EventSource = class extends Source {
  constructor(address) { super(address); this.addEventListener('patch', () => { window.changes += 1; }); }
};
"""


def run(argv: Sequence[str]) -> dict[str, object]:
    """Growth as a share of what there was after the warm-up; what is left on the server as counts."""
    asked = _parser().parse_args(argv)
    keeper = Keeper()
    elsewhere = Elsewhere()
    found: dict[str, object] = {}
    try:
        with _server(keeper) as server:
            if "screen" in asked.parts:
                found.update(_screen(server, asked.minutes * 60, asked.times))
            if "visits" in asked.parts:
                found.update(_visits(server, asked.cycles))
    finally:
        keeper.close()
    return {**found, "elsewhere": round(elsewhere.share(), 2)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run bench soak", description=__doc__)
    parser.add_argument("--minutes", type=rate, default=20.0, help="how long the page stands open (20)")
    parser.add_argument("--times", type=rate, default=_TIMES, help="as often as usual (50)")
    parser.add_argument("--cycles", type=positive, default=100_000, help="how often a page comes and goes")
    parts = ("screen", "visits")
    parser.add_argument("--parts", nargs="*", choices=parts, default=parts, help="both, unless named")
    return parser


class Server:
    """The server under measurement, and what it says of itself."""

    def __init__(self, config: Path, port: int, process: Popen[bytes], log: Path) -> None:
        self.config, self.port = config, port
        self._process, self._log = process, log

    def report(self) -> dict[str, float]:
        before = self._log.read_bytes().count(b"\n{")
        self._process.send_signal(signal.SIGUSR1)
        wait_until(lambda: self._log.read_bytes().count(b"\n{") > before, self._process, self._log)
        told: dict[str, float] = json.loads(self._log.read_text().splitlines()[-1])
        return told

    def settled(self, patience: float = 15.0) -> dict[str, float]:
        """What it says once nobody watches any more, or has had the time to be gone."""
        end = time.monotonic() + patience
        while (told := self.report())["viewers"] and time.monotonic() < end:
            time.sleep(0.2)
        return told


@contextmanager
def _server(keeper: Keeper) -> Iterator[Server]:
    folder, port = keeper.subfolder("soak"), free_port()
    config, log = folder / "soak.toml", folder / "log"
    config.write_text(_CONFIG.format(base=ROOT / "config.toml", pages=_PAGES))
    log.write_text("\n")
    argv = [
        sys.executable,
        "-u",
        "-m",
        "benchmarks.soak_server",
        "--config",
        str(config),
        "--port",
        str(port),
    ]
    process = keeper.start(argv, log=log, cwd=ROOT)
    wait_until(lambda: answers(port), process, log)
    yield Server(config, port, process, log)
    keeper.end(process)


@contextmanager
def _changing(config: Path, every: float) -> Iterator[None]:
    """One reading after the other becomes another one, in value and severity."""
    settings = load(config, {})
    stop = threading.Event()

    def work() -> None:
        draw = random.Random(1)
        opds = ["", *(opd.code for opd in settings.city.opds)]
        with open_store(settings) as store:
            hand = Hand(store)
            for kpi in itertools.cycle(catalogue()):
                hand.write(kpi, round(draw.random(), 3), draw.choice(opds[:8]), draw.choice(list(Severity)))
                hand.write(kpi, round(draw.random(), 3), "", draw.choice(list(Severity)))
                if stop.wait(every):
                    return

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _screen(server: Server, seconds: float, times: float) -> dict[str, object]:
    with _changing(server.config, _A_CHANGE_EVERY_S / times), chromium() as browser:
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.add_init_script(_COUNT)
        page.goto(f"http://127.0.0.1:{server.port}/wall/soak", wait_until="commit")
        page.wait_for_selector("#connection[data-state=ok]")
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        page.wait_for_timeout(seconds * _WARM_UP * 1000)
        samples = [_sample(session) for _ in _paced(page, seconds * (1 - _WARM_UP))]
        changes = page.evaluate("window.changes")
    return {
        "minutes": round(seconds / 60, 1),
        "changes": changes,
        "changes_per_s": round(changes / seconds, 1),
        **{f"{name}_growth": growth([sample[name] for sample in samples]) for name in samples[0]},
        **{f"{name}_at_end": samples[-1][name] for name in samples[0]},
    }


def _paced(page: Page, seconds: float) -> Iterator[None]:
    for _ in range(_SAMPLES):
        page.wait_for_timeout(seconds / _SAMPLES * 1000)
        yield


def _sample(session: CDPSession) -> Mapping[str, int]:
    """What is in use after a collection: bytes, nodes, listeners."""
    session.send("HeapProfiler.collectGarbage")
    told = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return {
        "heap": int(told["JSHeapUsedSize"]),
        "nodes": int(told["Nodes"]),
        "listeners": int(told["JSEventListeners"]),
    }


def growth(values: Sequence[float]) -> float:
    """The median of the last third over that of the first, less one."""
    third = max(1, len(values) // 3)
    return round(statistics.median(values[-third:]) / statistics.median(values[:third]) - 1, 4)


def _visits(server: Server, cycles: int) -> dict[str, object]:
    """Comes and goes a tenth of the cycles to warm up; what is there then must be all there ever is."""
    with _changing(server.config, 0.2):
        visits = Visits(server.port)
        visits.make(max(100, cycles // 10))
        before = server.settled()
        began = time.monotonic()
        visits.make(cycles)
        seconds = time.monotonic() - began
        after = server.settled()
    return {
        "cycles": cycles,
        "cycles_per_s": round(cycles / seconds),
        "states_seen": visits.states,
        "subscriptions_left": after["viewers"] + after["topics"],
        "tasks_left": after["tasks"] - before["tasks"],
        "files_left": after["files"] - before["files"],
        "rss_mib": round(after["rss_mib"], 1),
        "rss_growth_mib": round(after["rss_mib"] - before["rss_mib"], 1),
    }
