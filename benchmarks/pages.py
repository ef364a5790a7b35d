"""`./run bench pages`: what a first visit to each page costs a phone, as Lighthouse sees it.

The real dashboard, a process of its own, on a store that holds a pretend city with its past. Lighthouse
(pinned in `benchmarks/lighthouse`, installed by npm at the first use) opens each page under its mobile
profile: a slow telephone network, and a processor a quarter as fast as this one. Scores are of 0 to 100.

Keys of the result: `pages`, for each page `performance`, `accessibility`, `best_practices` (of the median
round by performance), `js_kib` of scripts as they came over the line, `first_panel_ms` from the request
to the first figures painted, here without any throttling; and what performance is made of. `dash_default` is
the same page as Dash serves it when left alone: every library's script, and nothing in the document.
A score depends on the processor: `benchmark_index` is Lighthouse's own measure of it, `elsewhere` the
share of the machine that other processes took.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks.live_city import City
from benchmarks.npm import install
from benchmarks.numbers import positive
from benchmarks.processes import Elsewhere
from tests import machine
from tests.keeper import Keeper, wait_until
from tests.servers import answers, free_port

_ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    "wall": "/wall",
    "mayor": "/mayor",
    "opd": "/opd/dlh",
    "service_requests": "/service-requests",
    "app_uptime": "/app-uptime",
    "integration": "/integration",
    "attendance": "/attendance",
    "sources": "/sources",
}
_HELD = ("wall", "mayor", "opd")
_PEER = "mayor"
TARGETS = {"performance": 90, "accessibility": 100, "best_practices": 100}
JS_KIB = 350
_CHROMIUM = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking")
_PANEL = """() => {
  const watch = () => {
    const panel = document.querySelector('.tile, .block');
    if (!panel || !panel.innerText) requestAnimationFrame(watch);
    else requestAnimationFrame(() => setTimeout(() => { window.panelAt = performance.now(); }));
  };
  watch();
}"""
_TIMES = {
    "first_paint_ms": "first-contentful-paint",
    "largest_paint_ms": "largest-contentful-paint",
    "blocking_ms": "total-blocking-time",
    "layout_shift": "cumulative-layout-shift",
}


def run(argv: Sequence[str]) -> dict[str, object]:
    """The keys of the benchmark."""
    asked = _parser().parse_args(argv)
    lighthouse = install("lighthouse", "bench pages") / "node_modules" / "lighthouse" / "cli" / "index.js"
    keeper = Keeper()
    try:
        city = City(keeper.subfolder("city"), "sqlite:///pendopo.db", asked.history_days, _note)
        city.close()
        elsewhere = Elsewhere()
        with _server(keeper, ["dashboard"], city.config) as base:
            pages = {
                name: _page(lighthouse, keeper, base + PAGES[name], asked.rounds) for name in asked.pages
            }
        peer = {}
        if asked.peer:
            with _server(keeper, ["benchmarks.pages_peer", _PEER], city.config) as base:
                peer = {"dash_default": {_PEER: _page(lighthouse, keeper, f"{base}/", asked.rounds)}}
    finally:
        keeper.close()
    return {
        "pages": pages,
        **peer,
        "targets": {**TARGETS, "js_kib": JS_KIB},
        "missed": missed(pages),
        "records": city.records,
        "rounds": asked.rounds,
        "elsewhere": round(elsewhere.share(), 2),
    }


def missed(pages: dict[str, dict[str, Any]]) -> list[str]:
    """What the pages that are held to the targets do not reach, one line each."""
    found = []
    for name in [name for name in _HELD if name in pages]:
        page = pages[name]
        found += [
            f"{name}: {key} {page[key]} < {least}" for key, least in TARGETS.items() if page[key] < least
        ]
        if page["js_kib"] > JS_KIB:
            found.append(f"{name}: js_kib {page['js_kib']} > {JS_KIB}")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run bench pages", description="Measure a first visit to the pages."
    )
    parser.add_argument("--pages", nargs="+", choices=PAGES, default=list(PAGES), help="all, unless named")
    parser.add_argument("--rounds", type=positive, default=3, help="visits to each page (3)")
    parser.add_argument("--history-days", type=positive, default=7, help="days of past the city has (7)")
    parser.add_argument("--no-peer", dest="peer", action="store_false", help="without Dash left alone")
    return parser


def _note(text: str) -> None:
    print(f"pages: {text}", file=sys.stderr, flush=True)


@contextmanager
def _server(keeper: Keeper, module: list[str], config: Path) -> Iterator[str]:
    """The address of a server that runs while it is used."""
    port = free_port()
    argv = [sys.executable, "-m", *module, "--config", str(config), "--port", str(port)]
    log = keeper.folder / f"pages-{port}.log"
    process = keeper.start(argv, log=log, cwd=_ROOT)
    try:
        wait_until(lambda: answers(port), process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        keeper.end(process)


def _page(lighthouse: Path, keeper: Keeper, address: str, rounds: int) -> dict[str, Any]:
    """The figures of one page. The first visit of all warms the server and is not counted."""
    first_panel = _first_panel_ms(address, rounds)
    visits = sorted(
        (_visit(lighthouse, keeper.folder / f"{turn}.json", address) for turn in range(rounds)),
        key=lambda visit: visit["performance"],
    )
    found = visits[len(visits) // 2]
    _note(f"{address}: {found}")
    return {**found, "first_panel_ms": first_panel, "performances": [one["performance"] for one in visits]}


def _visit(lighthouse: Path, report: Path, address: str) -> dict[str, Any]:
    chromium = machine.find_chromium()
    assert chromium, "the tests' programs are installed before a benchmark starts"
    node = machine.find_program("node") or machine.find_driver()
    argv = [
        str(node), str(lighthouse), address, "--quiet", "--output=json", f"--output-path={report}",
        "--only-categories=performance,accessibility,best-practices", f"--chrome-flags={' '.join(_CHROMIUM)}",
    ]  # fmt: skip
    env = {**os.environ, "CHROME_PATH": str(chromium)}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"Lighthouse failed on {address}: {done.stderr.strip()[-800:]}")
    return figures(json.loads(report.read_text()))


def figures(report: dict[str, Any]) -> dict[str, Any]:
    """What a report of Lighthouse says, in the benchmark's own keys."""
    scores = {name: category["score"] for name, category in report["categories"].items()}
    audits = report["audits"]
    requests = audits["network-requests"]["details"]["items"]
    scripts = sum(item["transferSize"] for item in requests if item.get("resourceType") == "Script")
    everything = sum(item.get("transferSize", 0) for item in requests)
    return {
        "performance": round(scores["performance"] * 100),
        "accessibility": round(scores["accessibility"] * 100),
        "best_practices": round(scores["best-practices"] * 100),
        "js_kib": round(scripts / 1024, 1),
        "all_kib": round(everything / 1024, 1),
        "requests": len(requests),
        **{key: round(audits[name]["numericValue"], 3) for key, name in _TIMES.items()},
        "benchmark_index": report["environment"]["benchmarkIndex"],
    }


def _first_panel_ms(address: str, rounds: int) -> float:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=machine.find_chromium(), args=list(_CHROMIUM))
        _panel_ms(browser, address)
        found = median(_panel_ms(browser, address) for _ in range(rounds))
        browser.close()
    return round(found, 1)


def _panel_ms(browser: Browser, address: str) -> float:
    """From the request to the frame with the first panel, in a browser that has nothing of it yet."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.add_init_script(f"({_PANEL})()")
    page.goto(address, wait_until="commit")
    page.wait_for_function("() => window.panelAt > 0", timeout=30_000)
    at = float(page.evaluate("window.panelAt"))
    page.close()  # and with it the context that new_page made for it alone
    return at
