"""From an event at the broker to changed pixels on an open wall, each part a process of its own.

A publisher sends a mix of four feeds to Mosquitto at a steady rate; ingest and PostgreSQL take them in,
the dashboard tells Chromium, and the page itself notes when it has painted which count of open requests.
Every new request raises that count by one, so each of them is a sample: from the moment it was due to be
sent to the moment the wall shows its count or a later one. Browser and publisher share a clock.

As a process of its own it is the publisher: `python -m benchmarks.live_pixels PORT RATE SECONDS`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from benchmarks.live_city import City
from benchmarks.live_stage import ROOT, serving
from benchmarks.processes import cpu_s
from benchmarks.publisher import publish
from tests.keeper import Keeper, wait_until
from tests.screen import chromium
from tests.servers import Mosquitto, Postgres

_HISTORY_DAYS = 7
_TURN = ("uptime_check",) * 14 + ("sync_run",) * 4 + ("attendance", "service_request")
_OPDS = ("diskominfo", "dlh", "dishub", "dinkes", "bkad")
_SETTLES_S = 8.0
_PATIENCE_S = 60.0
_CONFIG = """\
extends = "{city}"

[broker]
url = "{broker}"

[[source]]
name = "city"
type = "mqtt"
topic = "city/v1/#"
"""
# The message after the frame is heard when the frame's pixels are done.
_OBSERVE = """
() => {
  window.painted = [];
  const shown = () => document.querySelector('#tile-requests_open .tile-value')?.textContent;
  let last = shown();
  const after = new MessageChannel();
  after.port1.onmessage = (message) => window.painted.push([Date.now(), message.data]);
  new MutationObserver(() => {
    const text = shown();
    if (text === undefined || text === last) return;
    last = text;
    requestAnimationFrame(() => after.port2.postMessage(text));
  }).observe(document.getElementById('pendopo'), { subtree: true, childList: true, characterData: true });
}
"""

Note = Callable[[str], None]


def pixels(keeper: Keeper, rate: int, seconds: int, note: Note) -> dict[str, object]:
    """Latencies in ms of every new request, and the cores each process took meanwhile."""
    store = Postgres(keeper, durable=True)
    broker = Mosquitto(keeper)
    city = City(keeper.subfolder("pixels"), store.fresh(), _HISTORY_DAYS, note)
    city.close()
    config = city.config.with_name("pixels.toml")
    config.write_text(_CONFIG.format(city=city.config, broker=broker.url))
    log = keeper.folder / "pixels-ingest.log"
    ingest = keeper.start([sys.executable, "-m", "ingest", "--config", config], log=log, cwd=ROOT)
    wait_until(lambda: b"ingest ready" in log.read_bytes(), ingest, log)
    with serving(keeper, config, "dashboard") as dashboard, chromium() as browser:
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(f"http://127.0.0.1:{dashboard.port}/wall", wait_until="commit")
        page.wait_for_selector("#connection[data-state=ok]")
        time.sleep(_SETTLES_S)
        page.evaluate(_OBSERVE)
        before = _count(page.inner_text("#tile-requests_open .tile-value"))
        pids = {"ingest": ingest.pid, "store": store.pid, "broker": broker.pid, "dashboard": dashboard.pid}
        note(f"{rate} events a second for {seconds} s")
        costs, began = {name: cpu_s(pid) for name, pid in pids.items()}, time.monotonic()
        said = _published(broker.port, rate, seconds)
        spent = time.monotonic() - began
        cores = {name: round((cpu_s(pid) - costs[name]) / spent, 3) for name, pid in pids.items()}
        sent = moments(said["began"], rate, seconds)
        _until_shown(page, before + len(sent))
        painted = [(at / 1000, _count(text)) for at, text in page.evaluate("window.painted")]
    keeper.end(ingest)
    return {
        "events_per_s": round(said["sent"] / said["seconds"]),
        "events": said["sent"],
        "requests": len(sent),
        **figures(latencies(sent, before, painted)),
        "repaints_per_s": round(len(painted) / seconds, 1),
        "cores": {**cores, "publisher": round(said["cpu_s"] / said["seconds"], 3)},
    }


def latencies(sent: Sequence[float], before: int, painted: Sequence[tuple[float, int]]) -> list[float]:
    """For each request, in the order sent, the seconds until the wall showed it; infinite if it never did."""
    found = []
    place = 0
    for number, moment in enumerate(sent, before + 1):
        while place < len(painted) and painted[place][1] < number:
            place += 1
        found.append(painted[place][0] - moment if place < len(painted) else float("inf"))
    return found


def figures(seconds: Sequence[float]) -> Mapping[str, float | int | None]:
    """Percentiles in ms; None where so many were never shown that there is no such figure."""
    values = np.percentile(seconds, [50, 95, 99], method="higher") * 1000
    shown = {
        f"{name}_ms": round(float(value), 1) if np.isfinite(value) else None
        for name, value in zip(("p50", "p95", "p99"), values, strict=True)
    }
    return {**shown, "never_shown": int(np.isinf(seconds).sum())}


def _count(text: str) -> int:
    return int("".join(character for character in text if character.isdigit()))


def _until_shown(page: Any, count: int) -> None:
    """Waits for the last request; what is not shown by then counts as never shown."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        if _count(page.inner_text("#tile-requests_open .tile-value")) >= count:
            break
        page.wait_for_timeout(100)
    page.wait_for_timeout(200)


def _published(port: int, rate: int, seconds: int) -> dict[str, Any]:
    argv = [sys.executable, "-m", "benchmarks.live_pixels", str(port), str(rate), str(seconds)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def moments(began: float, rate: int, seconds: int) -> list[float]:
    """When each new request was due at the broker."""
    turn = len(_TURN)
    return [began + n / rate for n in range(rate * seconds) if _TURN[n % turn] == "service_request"]


def messages(began: datetime, rate: int, seconds: int) -> Iterator[tuple[str, bytes]]:
    """Topics and payloads, one every 1/`rate` seconds from `began` on; ids differ from run to run."""
    run = int(began.timestamp())
    for number in range(rate * seconds):
        feed = _TURN[number % len(_TURN)]
        at = (began + timedelta(seconds=number / rate)).isoformat(timespec="milliseconds")
        record = {"id": f"{run}-{number}", **_record(feed, number, at)}
        yield f"city/v1/{feed}/city", json.dumps(record, separators=(",", ":")).encode()


def _record(feed: str, number: int, at: str) -> dict[str, Any]:
    opd = _OPDS[number % len(_OPDS)]
    if feed == "service_request":
        return {"opd": opd, "status": "received", "opened_at": at, "updated_at": at, "channel": "web"}
    if feed == "attendance":
        return {"opd": opd, "employee": f"pegawai-{number % 4000:05d}", "at": at, "kind": "in"}
    if feed == "sync_run":
        interface = {"system": f"sistem-{number % 7}", "interface": f"antarmuka-{number % 40}"}
        return {"opd": opd, **interface, "started_at": at, "finished_at": at, "ok": True, "rows_read": 120}
    app = f"layanan-{number % 120:03d}.kota.go.id"
    return {"app": app, "observed_at": at, "up": True, "latency_ms": 130.5, "status_code": 200}


def main(port: int, rate: int, seconds: int) -> None:
    """Publishes, and says when it really began."""
    topics, payloads = zip(*messages(datetime.now(UTC), rate, seconds), strict=True)
    began: list[float] = []

    def released() -> int:
        if not began:
            began.append(time.time())
        return len(payloads)

    done = publish("127.0.0.1", port, topics, payloads, rate=float(rate), released=released)
    words = {"sent": done.acknowledged, "seconds": done.seconds, "cpu_s": done.cpu_s, "began": began[0]}
    print(json.dumps(words))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
