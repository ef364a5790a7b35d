"""`./run bench ingest`: events a second from a publisher to committed facts and roll-ups.

Publisher (QoS 1) → Mosquitto → `python -m ingest` → store are processes of their own on this machine,
and share its cores. In the same run the bare store takes the same rows (the floor) and, with
`--node-red`, Node-RED takes the same events.

Keys of the result: `events_per_s` while they are published, `drain_per_s` a backlog the broker has
kept, `copy_floor_per_s` the same rows into a plain table, `of_floor` the share of it, `rss_mib` the most
memory ingest held, `cpu_us_per_event` by process, `commit_ms_p50` and `commit_ms_p95` from publish to
commit at 20 events a second, `backlog_rss_mib` and `backlog_lost` while and after the store was away.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import rig
from benchmarks.events import messages
from benchmarks.stores import PostgresStore, SqliteStore, Store, median
from tests.keeper import Keeper
from tests.servers import Mosquitto

Event = tuple[str, bytes]
STORES: dict[str, Callable[[Keeper], Store]] = {"postgresql": PostgresStore, "sqlite": SqliteStore}


def run(argv: list[str]) -> dict[str, object]:
    """Measures as the arguments say. Raises BenchmarkError when an event was lost or refused."""
    args = _arguments(argv)
    keeper = Keeper()
    try:
        with closing(STORES[args.store](keeper)) as store:
            return _measured(args, keeper, store)
    finally:
        keeper.close()


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run bench ingest", description="Measure ingest.")
    parser.add_argument("--store", choices=STORES, default="postgresql")
    parser.add_argument("--feed", choices=("uptime_check", "attendance"), default="uptime_check")
    parser.add_argument("--events", type=int, default=100_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    return parser.parse_args(argv)


def _measured(args: argparse.Namespace, keeper: Keeper, store: Store) -> dict[str, object]:
    events = list(messages(args.feed, 2 * args.events, datetime.now(UTC)))
    folder = keeper.subfolder("events")
    road = rig.Road(keeper, store, Mosquitto(keeper))
    files = _Files(folder, events)
    rounds = [_round(road, files, args.feed) for _ in range(args.rounds)]
    middle = {key: median([each[key] for each in rounds]) for key in rounds[0]}
    return {
        "store": store.name,
        "feed": args.feed,
        "events": args.events,
        "events_per_s": round(middle["events_per_s"]),
        "drain_per_s": round(middle["drain_per_s"]),
        "copy_floor_per_s": round(middle["copy_floor_per_s"]),
        "of_floor": round(middle["events_per_s"] / middle["copy_floor_per_s"], 3),
        "rss_mib": round(middle["rss_mib"], 1),
        "cpu_us_per_event": {side: middle[f"{side}_us"] for side in ("ingest", "store", "broker")},
        "rounds": [{key: round(value, 1) for key, value in each.items()} for each in rounds],
    }


class _Files:
    """The events as files for the publisher: one half to be published live, the other as a backlog."""

    def __init__(self, folder: Path, events: Sequence[Event]) -> None:
        self.half = len(events) // 2
        self.live = rig.write_events(folder / "live", events[: self.half])
        self.backlog = rig.write_events(folder / "backlog", events[self.half :])
        self.all = rig.write_events(folder / "all", events)


def _round(road: rig.Road, files: _Files, feed: str) -> dict[str, float]:
    road.fresh()
    found = _sustained(road, files)
    found["copy_floor_per_s"] = road.store.floor_per_s(feed)
    found["drain_per_s"] = _drained(road, files)
    return found


def _sustained(road: rig.Road, files: _Files) -> dict[str, float]:
    """Events a second from the first publish to the last commit, and what they cost."""
    before = road.costs()
    with rig.publishing(road.broker, files.live, files.half) as began:
        took = road.committed(files.half) - began
    cost = road.costs().per_event_us(before, files.half)
    found: dict[str, Any] = {f"{side}_us": us for side, us in cost.items()}
    return {"events_per_s": files.half / took, "rss_mib": road.peak_mib(), **found}


def _drained(road: rig.Road, files: _Files) -> float:
    """Events a second out of a backlog, from ingest's connection to the last commit."""
    road.ingest.stop()
    rig.publish_all(road.broker, files.backlog, files.half)
    since = rig.log_size(road.broker)
    road.ingest.launch()
    began = rig.connected(road.broker, since, rig.CLIENT)
    return files.half / (road.committed(2 * files.half) - began)
