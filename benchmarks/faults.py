"""`./run bench faults`: everything around ingest fails while numbered events come in; nothing may be missing.

A source publishes a mix of feeds at about 12,000 events a second to a real broker that runs what
deploy/ ships. Ingest, the broker, PostgreSQL (fsync on), the network between them and the database's
disk fail in an order drawn from the seed, each while events are on their way. In the end every event
the broker acknowledged to the source has to be in the facts once, and every roll-up has to say what
its facts say.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

from benchmarks.brokers import BROKERS
from benchmarks.fault_events import Event, events
from benchmarks.fault_kinds import faults
from benchmarks.fault_rig import Rig
from benchmarks.numbers import positive, rate, seeds
from ingest.rebuild import differing
from kpis.config import load
from kpis.store import open_store
from tests.keeper import Keeper

RATE = 12_000.0
_EVENTS_A_FURTHER_FAULT = 20_000
_SETTLED_WITHIN_S = 90.0


def run(argv: Sequence[str]) -> dict[str, object]:
    """The keys of one seed, or of several added up with each seed's own under `runs`."""
    args = _arguments(argv)
    signal.signal(signal.SIGTERM, _ended)
    seeds = args.seeds or range(args.seed, args.seed + 1)
    runs = [measure(args.broker, seed, args.events, args.rate) for seed in seeds]
    return runs[0] if len(runs) == 1 else _together(runs)


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run bench faults", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="the order of the faults, and the events")
    parser.add_argument("--seeds", type=seeds, metavar="A-B", help="several seeds, one after another")
    parser.add_argument("--events", type=positive, default=100_000)
    parser.add_argument("--broker", choices=sorted(BROKERS), default="nats")
    parser.add_argument("--rate", type=rate, default=RATE, help="events a second")
    return parser.parse_args(argv)


def _ended(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)


def measure(broker: str, seed: int, count: int, rate: float = RATE) -> dict[str, Any]:
    """One seed: the keys of the contract, and what else happened. Leaves nothing running or mounted.

    `lost` counts acknowledged events that are not in the facts (of a request: its version or a newer
    one), `twice` facts beyond one for an id, `redelivered` records that came in again and were taken once.
    """
    made = events(count, seed, datetime.now(UTC) - timedelta(minutes=1))
    keeper = Keeper()
    rig: Rig | None = None
    try:
        kind = BROKERS[broker](keeper)
        rig = Rig(keeper, kind, made, rate, disk_mib=500 + count // 200)
        began = time.monotonic()
        happened = _break_everything(rig, random.Random(seed), count)
        source = rig.source.done()
        _settle(rig, made)
        seconds = time.monotonic() - began
        rig.ingest.stop()
        return {
            "broker": broker,
            "broker_version": kind.version(),
            "seed": seed,
            "events": count,
            **_judge(rig, made),
            "rollup_cells_differing": _differing(rig),
            "redelivered": rig.taken() - rig.source.acknowledged,
            "sent_again": source["again"],
            "ingest_ended_by_itself": rig.ingest.ends,
            "seconds": round(seconds, 1),
            "disk": rig.postgres.disk.kind if rig.postgres.disk else "mounting is not permitted here",
            "faults": happened,
        }
    finally:
        if rig is not None:
            rig.close()
        keeper.close()


def _order(kinds: Iterable[str], draw: random.Random, count: int) -> list[str]:
    """Every kind once and, in a long run, some more than once."""
    names = sorted(kinds)
    names += draw.choices(names, k=count // _EVENTS_A_FURTHER_FAULT)
    draw.shuffle(names)
    return names


def _break_everything(rig: Rig, draw: random.Random, count: int) -> list[dict[str, Any]]:
    """Releases the events piece by piece; in each piece, once a drawn part of it has gone, a fault begins."""
    kinds = faults(rig)
    order = _order(kinds, draw, count)
    began = time.monotonic()
    happened = []
    for place, name in enumerate(order):
        first, after = (count * p // (len(order) + 1) for p in (place, place + 1))
        rig.source.release(after)
        rig.source.wait_for(first + int((after - first) * draw.uniform(0.1, 0.5)), rig.ingest.keep_running)
        acknowledged, at = rig.source.acknowledged, time.monotonic()
        kinds[name](rig, draw)
        happened.append(
            {
                "fault": name,
                "at_s": round(at - began, 2),
                "for_s": round(time.monotonic() - at, 2),
                "acknowledged": acknowledged,
            }
        )
        print(happened[-1], file=sys.stderr)
    rig.source.release(count)
    rig.source.wait_for(count, rig.ingest.keep_running)
    return happened


def _settle(rig: Rig, made: Sequence[Event]) -> None:
    """Returns when everything is in, or nothing has come in for a minute and a half."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < _SETTLED_WITHIN_S:
        rig.ingest.keep_running()
        taken = rig.taken()
        if taken != last:
            last, since = taken, time.monotonic()
            if taken >= len(made) and not _judge(rig, made)["lost"]:
                return
        time.sleep(0.1)


def _judge(rig: Rig, made: Sequence[Event]) -> dict[str, int]:
    """Counts what has to be in the facts against what is."""
    acknowledged = [event for event, flag in zip(made, rig.source.flags[:], strict=True) if flag]
    here: dict[tuple[str, str], int] = {}
    twice = 0
    connection = rig.connect()
    try:
        with connection.cursor() as cursor:
            for feed in sorted({event.feed for event in made}):
                version = "updated_at" if feed == "service_request" else "0"
                cursor.execute(f"SELECT id, {version} FROM {feed}")
                rows = cursor.fetchall()
                here |= {(feed, key): newest for key, newest in rows}
                cursor.execute(f"SELECT count(*) - count(DISTINCT (source, id)) FROM {feed}")
                (beyond,) = cursor.fetchone() or (0,)
                twice += beyond
    finally:
        connection.close()
    found = sum(here.get((e.feed, e.id), -1) >= (e.version or 0) for e in acknowledged)
    return {
        "acknowledged": len(acknowledged),
        "in_facts": found,
        "lost": len(acknowledged) - found,
        "twice": twice,
    }


def _differing(rig: Rig) -> int:
    """Roll-up cells that do not say what the facts say."""
    with open_store(load(rig.ingest.config)) as store:
        return sum(differing(store, load(rig.ingest.config)).values())


def _together(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    sums = ("acknowledged", "in_facts", "lost", "twice", "rollup_cells_differing", "redelivered", "seconds")
    return {
        "broker": runs[0]["broker"],
        "seeds": [found["seed"] for found in runs],
        **{key: round(sum(found[key] for found in runs), 1) for key in sums},
        "faults": sorted({fault["fault"] for found in runs for fault in found["faults"]}),
        "runs": runs,
    }
