"""`./run bench live`: from the commit of a change to its arrival at many viewers of the wall.

The real dashboard, a process of its own, on a real store that holds a demo-like city. Every two seconds
a record is taken in and judged, as ingest does it; the time counts from the commit of the readings to
the moment a viewer has the event that shows them, a viewer that is never told counts as lost.
`polling`, `websocket` and `floor` are served the same changes one after the other: `live_peers`.
`storm` and `slow_readers` are what else happens to a server: `live_trials`. `pixels` is the whole way
from the broker to what a screen shows: `live_pixels`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks import live_trials
from benchmarks.live_city import Change, City
from benchmarks.live_pixels import pixels
from benchmarks.live_stage import Crowd, rss_mib, serving
from benchmarks.numbers import positive, rate
from benchmarks.processes import Elsewhere, cpu_s
from tests.keeper import Keeper
from tests.servers import Postgres

_PEERS = ("polling", "websocket", "floor")
_TRIALS = ("storm", "slow_readers", "pixels")
_KIND = {"polling": "polling", "websocket": "websocket"}
_FEWEST = 50
_OPENED_WITHIN_S = 90.0
# A page that asks once a second is at most a second late while the server keeps up.
_KEEPS_UP_MS = 2000


def run(argv: Sequence[str]) -> dict[str, object]:
    """The keys of the benchmark; latencies in ms, `cpu_cores` and `client_cores` in cores."""
    asked = _parser().parse_args(argv)
    keeper = Keeper()
    elsewhere = Elsewhere()
    found: dict[str, object] = {"store": asked.store, "change_every_s": asked.every}
    try:
        if {*asked.parts, *asked.peers} - {"pixels"}:
            found.update(_on_a_city(keeper, asked))
        if "pixels" in asked.parts:
            found["pixels"] = pixels(keeper, asked.events, asked.seconds, _note)
    finally:
        keeper.close()
    return {**found, "elsewhere": round(elsewhere.share(), 2)}


def _on_a_city(keeper: Keeper, asked: argparse.Namespace) -> dict[str, object]:
    url = "sqlite:///pendopo.db"
    if asked.store == "postgresql":
        url = Postgres(keeper, durable=True).fresh()
    city = City(keeper.subfolder("city"), url, asked.history_days, _note)
    found: dict[str, object] = {"records": city.records}
    try:
        if "fan_out" in asked.parts:
            found.update(_measured(keeper, city, "dashboard", asked.viewers, asked))
        if "storm" in asked.parts:
            found["storm"] = live_trials.storm(keeper, city, asked.viewers, asked.within, _note)
        if "slow_readers" in asked.parts:
            found["slow_readers"] = live_trials.slow_readers(keeper, city, asked.slow, asked.missed, _note)
        found.update({name: _unsaturated(keeper, city, name, asked) for name in asked.peers})
    finally:
        city.close()
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run bench live", description=__doc__)
    parts = ("fan_out", *_TRIALS)
    parser.add_argument("--viewers", type=positive, default=1000, help="open pages of the wall (1000)")
    parser.add_argument("--seconds", type=positive, default=20, help="how long each is measured (20)")
    parser.add_argument("--every", type=rate, default=2.0, help="seconds between two changes (2)")
    parser.add_argument("--store", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--history-days", type=positive, default=7, help="days of past the city has (7)")
    parser.add_argument("--parts", nargs="*", choices=parts, default=parts, help="all, unless named")
    parser.add_argument("--peers", nargs="*", choices=_PEERS, default=_PEERS, help="all, unless named")
    parser.add_argument("--within", type=rate, help="seconds all pages of the storm take to come back")
    parser.add_argument("--slow", type=positive, default=1000, help="readers that stop reading (1000)")
    parser.add_argument("--missed", type=positive, default=100, help="changes they miss (100)")
    parser.add_argument("--events", type=positive, default=1000, help="events a second for the pixels (1000)")
    return parser


def _note(text: str) -> None:
    print(f"live: {text}", file=sys.stderr, flush=True)


def _unsaturated(keeper: Keeper, city: City, name: str, asked: argparse.Namespace) -> dict[str, object]:
    """Halves the viewers until the server keeps up, and says at how many it did not."""
    viewers, saturated = int(asked.viewers), list[int]()
    while True:
        found = _measured(keeper, city, name, viewers, asked)
        late = found["p95_ms"]
        kept_up = not found["lost"] and isinstance(late, float) and late < _KEEPS_UP_MS
        if kept_up or viewers // 2 < _FEWEST:
            return {**found, **({"saturated_at": saturated} if saturated else {})}
        _note(f"{name} does not keep up with {viewers}: {found}")
        saturated.append(viewers)
        viewers //= 2


def _measured(
    keeper: Keeper, city: City, name: str, viewers: int, asked: argparse.Namespace
) -> dict[str, object]:
    _note(f"{name} with {viewers} viewers for {asked.seconds} s")
    kind = _KIND.get(name, "stream")
    with serving(keeper, city.config, name) as server, Crowd(kind, server, viewers) as crowd:
        if not crowd.ready(_OPENED_WITHIN_S):
            return {"viewers": viewers, "p50_ms": None, "p95_ms": None, "lost": viewers}
        crowd.begin()
        cpu, began = cpu_s(server.pid), time.monotonic()
        changes = list(_changes(city, asked.seconds, asked.every))
        cores = (cpu_s(server.pid) - cpu) / (time.monotonic() - began)
        rss = rss_mib(server.pid)
        heard = crowd.end(changes[-1].version)
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


def _changes(city: City, seconds: int, every: float) -> Iterator[Change]:
    """One change `every` so many seconds; the first half a second after the beginning, and at least one."""
    began = time.monotonic() + 0.5
    for number in range(max(1, int(seconds / every))):
        time.sleep(max(0.0, began + number * every - time.monotonic()))
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
