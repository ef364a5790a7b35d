"""`./run bench ingest`: events a second from a publisher to committed facts and roll-ups.

Publisher (QoS 1) → Mosquitto → `python -m ingest` → store are processes of their own on this machine,
and share its cores. In the same run the bare store takes the same rows (the floor) and, with
`--node-red`, Node-RED takes the same events.

Keys of the result: `events_per_s` while they are published, `drain_per_s` a backlog the broker has
kept, `copy_floor_per_s` the same rows into a plain table, `of_floor` the share of it, `rss_mib` the most
memory ingest held, `cpu_us_per_event` by process, `commit_ms_p50` and `commit_ms_p95` from publish to
commit at 20 events a second, `backlog_rss_mib` and `backlog_lost` while and after the store was away,
`elsewhere` the share of the machine that other processes took: well below 0.1, or measure again.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import rig
from benchmarks.events import messages
from benchmarks.numbers import positive
from benchmarks.peer import Peer
from benchmarks.processes import Elsewhere
from benchmarks.stores import BenchmarkError, PostgresStore, SqliteStore, Store, median
from tests.keeper import Keeper
from tests.servers import Mosquitto
from tests.sources.publisher import Publisher

Event = tuple[str, bytes]
_SLOW_PER_S = 20
_WHOLE = ("drain_per_s", "commit_ms_p50", "commit_ms_p95")
_SLOW_WITHIN_S = 60.0
STORES: dict[str, Callable[[Keeper], Store]] = {"postgresql": PostgresStore, "sqlite": SqliteStore}


def run(argv: list[str]) -> dict[str, object]:
    """Measures as the arguments say; SystemExit with one line when that cannot be done."""
    args = _arguments(argv)
    keeper = Keeper()
    try:
        with closing(STORES[args.store](keeper)) as store:
            return _measured(args, keeper, store)
    except BenchmarkError as error:
        raise SystemExit(f"run bench ingest: {error}") from None
    finally:
        keeper.close()


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run bench ingest", description="Measure ingest.")
    parser.add_argument("--store", choices=STORES, default="postgresql")
    parser.add_argument("--feed", choices=("uptime_check", "attendance"), default="uptime_check")
    parser.add_argument("--events", type=positive, default=100_000, metavar="N")
    parser.add_argument("--rounds", type=positive, default=3, metavar="N")
    parser.add_argument("--seconds", type=positive, default=5, metavar="N", help="at 20 events a second")
    parser.add_argument("--quick", action="store_true", help="only while published, and the floor")
    parser.add_argument("--node-red", action="store_true", help="measure Node-RED too; npm installs it")
    args = parser.parse_args(argv)
    if args.node_red and (args.store, args.feed) != ("postgresql", "uptime_check"):
        parser.error("the flows of Node-RED put uptime checks into PostgreSQL")
    return args


def _measured(args: argparse.Namespace, keeper: Keeper, store: Store) -> dict[str, object]:
    peer = Peer(keeper, store) if args.node_red and isinstance(store, PostgresStore) else None
    files = _Files(keeper.subfolder("events"), args)
    road = rig.Road(keeper, store, Mosquitto(keeper))
    rounds = []
    for number in range(args.rounds):
        _say(f"round {number + 1} of {args.rounds}")
        rounds.append(_round(road, files, args))
        if peer is not None:
            rounds[-1] |= peer.round(files.live, files.half)
    middle = {key: median([each[key] for each in rounds]) for key in rounds[0]}
    whole = {key: round(middle[key], 1) for key in _WHOLE if key in middle}
    if not args.quick:
        _say("the store away")
        whole |= _away(road, files)
    return {
        "store": store.name,
        "feed": args.feed,
        "events": args.events,
        "events_per_s": round(middle["events_per_s"]),
        "copy_floor_per_s": round(middle["copy_floor_per_s"]),
        "copy_bare_per_s": round(middle["copy_bare_per_s"]),
        "of_floor": round(middle["events_per_s"] / middle["copy_floor_per_s"], 3),
        **_beside_node_red(middle),
        "rss_mib": round(middle["rss_mib"], 1),
        "cpu_us_per_event": {side: middle[f"{side}_us"] for side in ("ingest", "store", "broker")},
        **whole,
        "elsewhere": round(middle["elsewhere"], 2),
        "rounds": [{key: round(value, 2) for key, value in each.items()} for each in rounds],
    }


def _beside_node_red(middle: Mapping[str, float]) -> dict[str, float | None]:
    """Both flows' events a second and how many times that Pendopo takes; None when they were not run."""
    found: dict[str, float | None] = {}
    for flow, suffix in (("single", ""), ("batched", "_batched")):
        rate = middle.get(f"node_red_{flow}_per_s")
        found[f"node_red{suffix}_per_s"] = rate and round(rate)
        found[f"vs_node_red{suffix}"] = rate and round(middle["events_per_s"] / rate, 2)
    return found


def _say(what: str) -> None:
    print(what, file=sys.stderr)


class _Files:
    """The events: one half is published live, the other as a backlog, a few more one by one."""

    def __init__(self, folder: Path, args: argparse.Namespace) -> None:
        self.half: int = args.events
        count = 2 * self.half
        events = list(messages(args.feed, count + args.seconds * _SLOW_PER_S, datetime.now(UTC)))
        self.live = rig.write_events(folder / "live", events[: self.half])
        self.backlog = rig.write_events(folder / "backlog", events[self.half : count])
        self.all = rig.write_events(folder / "all", events[:count])
        self.slow = events[count:]


def _round(road: rig.Road, files: _Files, args: argparse.Namespace) -> dict[str, float]:
    road.fresh()
    found = _sustained(road, files)
    found["copy_floor_per_s"] = road.store.floor_per_s(args.feed, keyed=True)
    found["copy_bare_per_s"] = road.store.floor_per_s(args.feed, keyed=False)
    if not args.quick:
        found["drain_per_s"] = _drained(road, files)
        found |= _latency(road, files.slow)
        found["rss_mib"] = max(found["rss_mib"], road.peak_mib())
    road.ingest.stop()
    return found


def _sustained(road: rig.Road, files: _Files) -> dict[str, float]:
    """Events a second from the first publish to the last commit, and what they cost."""
    with rig.publishing(road.broker, files.live, files.half) as began:
        before, elsewhere = road.costs(), Elsewhere()
        took = road.committed(files.half) - began
        share = elsewhere.share()
    cost = road.costs().per_event_us(before, files.half)
    found: dict[str, Any] = {f"{side}_us": us for side, us in cost.items()}
    return {"events_per_s": files.half / took, "rss_mib": road.peak_mib(), "elsewhere": share, **found}


def _drained(road: rig.Road, files: _Files) -> float:
    """Events a second out of a backlog, from ingest's connection to the last commit."""
    road.ingest.stop()
    rig.publish_all(road.broker, files.backlog, files.half)
    since = rig.log_size(road.broker)
    road.ingest.launch()
    began = rig.connected(road.broker, since, rig.CLIENT)
    return files.half / (road.committed(2 * files.half) - began)


def _latency(road: rig.Road, events: Sequence[Event]) -> dict[str, float]:
    """Milliseconds from publish to commit at 20 events a second."""
    sent: list[float] = []
    seen: list[float] = []
    before = road.store.accepted()
    with Publisher(road.broker.port) as publisher:
        start = time.monotonic()
        while len(seen) < len(events):
            now = time.monotonic()
            if now - start > _SLOW_WITHIN_S:
                raise BenchmarkError(f"only {len(seen)} of {len(events)} slow events arrived")
            if len(sent) < len(events) and now >= start + len(sent) / _SLOW_PER_S:
                sent.append(now)
                publisher.send(*events[len(sent) - 1])
            arrived = road.store.accepted() - before
            seen += [time.monotonic()] * (arrived - len(seen))
            time.sleep(0.001)
    spans = sorted((at - began) * 1e3 for began, at in zip(sent, seen, strict=True))
    return {"commit_ms_p50": median(spans), "commit_ms_p95": spans[math.ceil(0.95 * len(spans)) - 1]}


def _away(road: rig.Road, files: _Files) -> dict[str, float]:
    """The most memory ingest holds while the store is away, and what is missing once it is back."""
    road.fresh()
    total = 2 * files.half
    with road.store.away():
        rig.publish_all(road.broker, files.all, total)
    with contextlib.suppress(BenchmarkError):  # what is missing is told, not raised
        road.committed(total)
    lost = total - road.store.accepted()
    return {"backlog_rss_mib": round(road.peak_mib(), 1), "backlog_lost": lost}
