"""What happens to a server beside changes: all pages come at once, and readers stop reading."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from benchmarks.live_city import City
from benchmarks.live_stage import Crowd, rss_mib, serving, socket_mib
from benchmarks.processes import cpu_s
from dashboard.live import Pace
from tests.keeper import Keeper

_EVERY_S = 2.0
_PATIENCE_S = 120.0
_OTHERS = 50

Note = Callable[[str], None]


def storm(keeper: Keeper, city: City, viewers: int, within: float | None, note: Note) -> dict[str, object]:
    """All pages come to a server that has just started, as they do after a restart, while changes go on.

    They come spread by chance over as long as the server tells them to, or over `within` seconds.
    `seconds` counts from the first connection to the moment the last page shows its state.
    """
    within = Pace().comeback * viewers if within is None else within
    note(f"a storm of {viewers} within {within:g} s")
    with serving(keeper, city.config, "dashboard") as server:
        cpu, began = cpu_s(server.pid), time.monotonic()
        with Crowd("stream", server, viewers, within) as crowd:
            while not crowd.ready(_EVERY_S):
                city.change()
                if time.monotonic() - began > within + _PATIENCE_S:
                    return {"viewers": viewers, "connected": 0}
            cores = (cpu_s(server.pid) - cpu) / (time.monotonic() - began)
            crowd.begin()
            heard = crowd.end(city.change().version)
    first = np.array(heard["first"])
    return {
        "viewers": viewers,
        "within_s": within,
        "connected": heard["viewers"] - heard["behind"],
        "seconds": round(heard["all_shown"] - heard["began"], 1),
        "p50_ms": round(float(np.percentile(first, 50)) * 1000, 1),
        "p95_ms": round(float(np.percentile(first, 95)) * 1000, 1),
        "cpu_cores": round(cores, 3),
    }


def slow_readers(keeper: Keeper, city: City, readers: int, missed: int, note: Note) -> dict[str, object]:
    """Readers that stop reading, beside fifty that go on; then all read again.

    `rss_growth_mib` is from when all are open to when they have missed `missed` changes, `socket_growth_mib`
    the same of the kernel's buffers for all sockets of the machine; `current` is how many of the slow ones
    show the newest state once they read again, `others_current` how many of the others.
    """
    note(f"{readers} readers that stop reading")
    with (
        serving(keeper, city.config, "dashboard") as server,
        Crowd("slow", server, readers) as slow,
        Crowd("stream", server, _OTHERS) as others,
    ):
        slow.ready(_PATIENCE_S)
        others.ready(_PATIENCE_S)
        for crowd in (slow, others):
            crowd.begin()
        before, kernel = rss_mib(server.pid), socket_mib()
        for _ in range(missed):
            change = city.change()
        after, kernel_after = rss_mib(server.pid), socket_mib()
        heard = [crowd.end(change.version) for crowd in (slow, others)]
    return {
        "readers": readers,
        "changes": missed,
        "rss_mib": round(after, 1),
        "rss_growth_mib": round(after - before, 1),
        "socket_growth_mib": round(kernel_after - kernel, 1),
        "current": heard[0]["viewers"] - heard[0]["behind"],
        "others_current": heard[1]["viewers"] - heard[1]["behind"],
    }
