"""`./run bench ingest` measures a whole road, loses nothing on it, and says what the contract asks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from benchmarks.rig import reached
from benchmarks.stores import BenchmarkError
from tests.conftest import ROOT

# What the contract promises everybody who reads the result.
KEYS = {"store", "events_per_s", "copy_floor_per_s", "of_floor", "node_red_per_s", "vs_node_red", "rss_mib"}
FIGURES = {"drain_per_s", "commit_ms_p50", "commit_ms_p95", "backlog_rss_mib", "elsewhere"}


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "benchmarks", "ingest", *arguments]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("store", "feed"), [("postgresql", "uptime_check"), ("sqlite", "attendance")])
def test_it_prints_what_the_contract_names_and_loses_nothing(store: str, feed: str) -> None:
    small = ("--events", "1500", "--rounds", "1", "--seconds", "1")
    done = bench("--store", store, "--feed", feed, *small)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert set(found) >= KEYS | FIGURES
    assert (found["store"], found["backlog_lost"]) == (store, 0)
    assert min(found[key] for key in FIGURES - {"elsewhere"}) > 0
    assert found["of_floor"] == pytest.approx(found["events_per_s"] / found["copy_floor_per_s"], abs=0.001)
    assert found["node_red_per_s"] is None, "it was not asked for, so there is no figure"
    assert set(found["cpu_us_per_event"]) == {"ingest", "store", "broker"}


def test_node_red_is_measured_on_the_store_its_flows_are_made_for_only() -> None:
    done = bench("--store", "sqlite", "--node-red")
    assert done.returncode == 2
    assert "the flows of Node-RED put uptime checks into PostgreSQL" in done.stderr


def test_more_records_than_were_published_are_no_success() -> None:
    with pytest.raises(BenchmarkError, match="11 records arrived where 10 were published"):
        reached(lambda: 11, 10)


def test_the_packages_of_node_red_are_pinned_and_name_no_host() -> None:
    lock = json.loads((ROOT / "benchmarks" / "node_red" / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert all("resolved" not in each for each in packages.values())
    assert all(re.fullmatch(r"\d+\.\d+\.\d+(-[\w.]+)?", each["version"]) for each in packages.values())
