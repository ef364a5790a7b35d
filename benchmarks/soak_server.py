"""The dashboard as it is served, and a report of what it holds: `python -m benchmarks.soak_server`.

On SIGUSR1 it prints one JSON line: what is watched and by how many, its tasks, open files and memory.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
from pathlib import Path

from benchmarks.live_stage import rss_mib
from dashboard.app import Dashboard
from dashboard.live import Pace
from dashboard.server import bind, serve
from dashboard.tables import Tables
from kpis.announce import Listener
from kpis.config import load
from kpis.store import open_store
from layouts.pages import PAGES

# Every change reaches the browser, however quick they follow each other.
_PACE = Pace(least=0.01)


def report(dashboard: Dashboard) -> dict[str, float]:
    gc.collect()
    hub = dashboard.hub
    return {
        "viewers": hub.viewers,
        "topics": len(hub.topics),
        "tasks": len(asyncio.all_tasks()),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "rss_mib": rss_mib(os.getpid()),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    settings = load(asked.config, {})
    with bind("127.0.0.1", asked.port) as taken, open_store(settings) as store:
        dashboard = Dashboard(settings, Tables(settings, store), Listener(store), PAGES, pace=_PACE)

        def told() -> None:
            print(json.dumps(report(dashboard)), flush=True)

        def ready() -> None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, told)

        serve(dashboard, taken, ready)


if __name__ == "__main__":
    main()
