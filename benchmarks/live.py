"""`./run bench live`: from the commit of a change to its arrival at a thousand viewers of the wall.

The real dashboard, a process of its own, on a real store that holds a demo-like city. Once a second a
record is taken in and judged, as ingest does it; the time counts from the commit of the readings to
the moment a viewer has the event that shows them, a viewer that is never told counts as lost.
`polling`, `websocket` and `floor` are served the same changes one after the other: `live_peers`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import numpy as np

from benchmarks.live_city import Change, City
from benchmarks.numbers import positive
from tests.keeper import Keeper, wait_until
from tests.servers import Postgres, answers, free_port

_ROOT = Path(__file__).resolve().parent.parent
_TICK = os.sysconf("SC_CLK_TCK")
_PEERS = ("polling", "websocket", "floor")
_KIND = {"polling": "polling", "websocket": "websocket"}
_FEWEST = 50
# A page that asks once a second is at most a second late while the server keeps up.
_KEEPS_UP_MS = 2000


@dataclass(frozen=True, slots=True)
class Server:
    """A server under measurement: where it listens, who it is, and what its viewers ask it."""

    name: str
    pid: int
    port: int
    question: str


def run(argv: Sequence[str]) -> dict[str, object]:
    """The keys of the benchmark; latencies in ms, `cpu_cores` and `client_cores` in cores."""
    asked = _parser().parse_args(argv)
    keeper = Keeper()
    try:
        url = "sqlite:///pendopo.db"
        if asked.store == "postgresql":
            url = Postgres(keeper, durable=True).fresh()
        city = City(keeper.subfolder("city"), url, asked.history_days, _note)
        try:
            found = _measured(keeper, city, "dashboard", asked.viewers, asked.seconds)
            peers = {name: _unsaturated(keeper, city, name, asked) for name in asked.peers}
        finally:
            city.close()
    finally:
        keeper.close()
    setting = {"store": asked.store, "records": city.records, "seconds": asked.seconds}
    return {**setting, **found, **peers}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run bench live", description=__doc__)
    parser.add_argument("--viewers", type=positive, default=1000, help="open pages of the wall (1000)")
    parser.add_argument("--seconds", type=positive, default=20, help="how long, one change a second (20)")
    parser.add_argument("--store", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--history-days", type=positive, default=7, help="days of past the city has (7)")
    parser.add_argument("--peers", nargs="*", choices=_PEERS, default=_PEERS, help="all, unless named")
    return parser


def _note(text: str) -> None:
    print(f"live: {text}", file=sys.stderr, flush=True)


def _unsaturated(keeper: Keeper, city: City, name: str, asked: argparse.Namespace) -> dict[str, object]:
    """Halves the viewers until the server keeps up, and says at how many it did not."""
    viewers, saturated = int(asked.viewers), list[int]()
    while True:
        found = _measured(keeper, city, name, viewers, asked.seconds)
        late = found["p95_ms"]
        kept_up = not found["lost"] and isinstance(late, float) and late < _KEEPS_UP_MS
        if kept_up or viewers // 2 < _FEWEST:
            return {**found, **({"saturated_at": saturated} if saturated else {})}
        _note(f"{name} does not keep up with {viewers}: {found}")
        saturated.append(viewers)
        viewers //= 2


def _measured(keeper: Keeper, city: City, name: str, viewers: int, seconds: int) -> dict[str, object]:
    _note(f"{name} with {viewers} viewers for {seconds} s")
    with _server(keeper, city, name) as server, _crowd(server, viewers) as crowd:
        _tell(crowd, "begin")
        cpu, began = _cpu_s(server.pid), time.monotonic()
        changes = list(_changes(city, seconds))
        cores = (_cpu_s(server.pid) - cpu) / (time.monotonic() - began)
        rss = _rss_mib(server.pid)
        _tell(crowd, f"end {changes[-1].version}")
        heard = json.loads(_line(crowd))
    told = delays(changes, heard["arrivals"])
    judging = [change.judged - change.recorded for change in changes]
    return {
        "viewers": viewers,
        "p50_ms": percentile(told, 50),
        "p95_ms": percentile(told, 95),
        "cpu_cores": round(cores, 3),
        "rss_mib": round(rss, 1),
        "lost": viewers - heard["viewers"] + heard["behind"],
        "client_cores": round(heard["cores"], 3),
        "message_bytes": heard["message_bytes"],
        "judge_p50_ms": percentile(judging, 50),
    }


def _changes(city: City, seconds: int) -> Iterator[Change]:
    """One change a second; the first half a second after the beginning, the last as long before the end."""
    began = time.monotonic() + 0.5
    for number in range(seconds):
        time.sleep(max(0.0, began + number - time.monotonic()))
        yield city.change()
    time.sleep(max(0.0, began + seconds - 0.5 - time.monotonic()))


def delays(changes: Sequence[Change], arrivals: Sequence[Sequence[tuple[int, float]]]) -> list[float]:
    """For every viewer and change, the seconds until it had that state or a newer one.

    A change that a viewer never had stands as infinite: what is slowest must not leave the figures.
    """
    versions = np.array([change.version for change in changes])
    moments = np.array([change.judged for change in changes])
    found = []
    for heard in arrivals:
        came = np.array([*(at for _, at in heard), np.inf])
        first = np.searchsorted(np.array([version for version, _ in heard]), versions)
        found.append(came[first] - moments)
    return np.concatenate(found).tolist() if found else []


def percentile(seconds: Sequence[float], share: int) -> float | None:
    """In ms; None when so many viewers never had the state that there is no such figure."""
    value = float(np.percentile(seconds, share, method="higher")) if seconds else np.inf
    return round(value * 1000, 1) if np.isfinite(value) else None


@contextmanager
def _server(keeper: Keeper, city: City, name: str) -> Iterator[Server]:
    port = free_port()
    module = ["dashboard"] if name == "dashboard" else ["benchmarks.live_peers", name]
    argv = [sys.executable, "-m", *module, "--config", str(city.config), "--port", str(port)]
    log = keeper.folder / f"{name}-{port}.log"
    process = keeper.start(argv, log=log, cwd=_ROOT)
    try:
        wait_until(lambda: answers(port), process, log)
        yield Server(name, process.pid, port, _question(name, port))
    finally:
        keeper.end(process)
        said = log.read_text(errors="replace").strip()
        if "Traceback" in said:
            _note(f"{name} said: {said[-2000:]}")


def _question(name: str, port: int) -> str:
    """What a page's viewer sends: the body of Dash's callback, or the name of its websocket callback."""
    if name == "polling":
        place = {"id": "panels", "property": "children"}
        tick = {"id": "tick", "property": "n_intervals", "value": 1}
        call = {"output": "panels.children", "outputs": place, "inputs": [tick], "state": []}
        return json.dumps({**call, "changedPropIds": ["tick.n_intervals"]})
    if name == "websocket":
        with urlopen(f"http://127.0.0.1:{port}/_dash-dependencies", timeout=10) as reply:
            return str(json.load(reply)[0]["output"])
    return ""


@contextmanager
def _crowd(server: Server, viewers: int) -> Iterator[subprocess.Popen[str]]:
    """The process of the viewers; all of them show a state when it is given."""
    kind = _KIND.get(server.name, "stream")
    argv = [sys.executable, "-m", "benchmarks.live_crowd", kind, str(server.port), str(viewers)]
    with subprocess.Popen(
        [*argv, server.question], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT
    ) as crowd:
        try:
            _line(crowd)
            yield crowd
        finally:
            crowd.kill()


def _tell(crowd: subprocess.Popen[str], line: str) -> None:
    assert crowd.stdin is not None
    crowd.stdin.write(line + "\n")
    crowd.stdin.flush()


def _line(crowd: subprocess.Popen[str]) -> str:
    assert crowd.stdout is not None
    line = crowd.stdout.readline()
    if not line:
        raise RuntimeError("the viewers' process ended before it was asked to")
    return line


def _cpu_s(pid: int) -> float:
    """Seconds of CPU all threads of a process have used (proc(5), /proc/pid/stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _rss_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
