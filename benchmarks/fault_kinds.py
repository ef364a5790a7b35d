"""The faults: what each does to the rig, and for how long."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial

from benchmarks.fault_rig import BenchmarkError, Rig

Fault = Callable[[Rig, random.Random], None]

DISK_FULL = "disk_full"
_FULL_WITHIN_S = 20.0


def faults(rig: Rig) -> dict[str, Fault]:
    """Every fault this rig can have, by name. `disk_full` is there where a disk may be mounted."""
    found: dict[str, Fault] = {
        "ingest_killed": _ingest_killed,
        "postgres_stopped": _postgres_stopped,
        "postgres_crashed": _postgres_crashed,
        "broker_network_cut": lambda rig, draw: _cut(rig, draw, rig.broker_net.cut, rig.broker_net.mend),
        "broker_network_frozen": lambda rig, draw: _frozen(rig, draw, store=False),
        "store_network_cut": lambda rig, draw: _cut(rig, draw, rig.store_net.cut, rig.store_net.mend),
        "store_network_frozen": lambda rig, draw: _frozen(rig, draw, store=True),
    }
    broker = rig.broker
    for node in broker.nodes:
        which = f"_{node}" if len(broker.nodes) > 1 else ""
        found[f"broker{which}_{broker.blow}"] = partial(_broker_struck, node=node)
    if rig.postgres.disk is not None:
        found[DISK_FULL] = _disk_full
    return found


def _away(rig: Rig, draw: random.Random) -> None:
    """Lets a fault last between a tenth of a second and a second."""
    end = time.monotonic() + draw.uniform(0.1, 1.0)
    while time.monotonic() < end:
        rig.ingest.keep_running()
        time.sleep(0.02)


def _ingest_killed(rig: Rig, draw: random.Random) -> None:
    rig.ingest.kill()
    rig.ingest.start()


def _postgres_stopped(rig: Rig, draw: random.Random) -> None:
    rig.postgres.stop()
    _away(rig, draw)
    rig.postgres.start()


def _postgres_crashed(rig: Rig, draw: random.Random) -> None:
    rig.postgres.crash()
    _away(rig, draw)
    rig.postgres.start()


def _broker_struck(rig: Rig, draw: random.Random, *, node: str) -> None:
    rig.broker.strike(node)
    _away(rig, draw)
    rig.broker.mend(node)


def _cut(rig: Rig, draw: random.Random, cut: Callable[[], None], mend: Callable[[], None]) -> None:
    cut()
    _away(rig, draw)
    mend()


def _frozen(rig: Rig, draw: random.Random, *, store: bool) -> None:
    """Nothing passes; afterwards it flows on, or the connections turn out to be dead."""
    net = rig.store_net if store else rig.broker_net
    net.freeze()
    _away(rig, draw)
    if draw.random() < 0.5:
        net.cut()
    net.mend()


def _disk_full(rig: Rig, draw: random.Random) -> None:
    """The database's disk is full until the server has said so; a server that gave up is started again."""
    disk, before = rig.postgres.disk, rig.postgres.refusals()
    assert disk is not None
    disk.fill()
    try:
        end = time.monotonic() + _FULL_WITHIN_S
        while rig.postgres.refusals() == before:
            rig.ingest.keep_running()
            if time.monotonic() > end:
                raise BenchmarkError(f"the disk was full and nobody noticed\n{rig.ingest.tail()}")
            time.sleep(0.05)
        _away(rig, draw)
    finally:
        disk.clear()
    if not rig.postgres.running:
        rig.postgres.stop()
        rig.postgres.start()
