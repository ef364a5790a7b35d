"""`./run bench pages`: what it reads out of a report, what it calls a miss, and what it is pinned to."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from benchmarks import __main__ as bench
from benchmarks.pages import JS_KIB, PAGES, TARGETS, figures, missed
from tests.conftest import ROOT

# What the contract promises everybody who reads the result, but for what is measured without Lighthouse.
KEYS = {"performance", "accessibility", "best_practices", "js_kib"}
GOOD = {"performance": 97, "accessibility": 100, "best_practices": 100, "js_kib": 130.0}


def report() -> dict[str, Any]:
    items = [
        {"resourceType": "Document", "transferSize": 9_000},
        {"resourceType": "Script", "transferSize": 102_400},
        {"resourceType": "Script", "transferSize": 20_480},
        {"resourceType": "Font", "transferSize": 70_000},
    ]
    times = {
        "first-contentful-paint": 1500.1234, "largest-contentful-paint": 1600.0,
        "total-blocking-time": 120.0, "cumulative-layout-shift": 0.01,
    }  # fmt: skip
    scores = {"performance": 0.966, "accessibility": 1, "best-practices": 0.96}
    return {
        "categories": {name: {"score": score} for name, score in scores.items()},
        "audits": {
            "network-requests": {"details": {"items": items}},
            **{name: {"numericValue": value} for name, value in times.items()},
        },
        "environment": {"benchmarkIndex": 990.5},
    }


def test_a_report_is_read_in_the_contracts_words() -> None:
    found = figures(report())
    assert set(found) >= KEYS
    assert [found[key] for key in ("performance", "accessibility", "best_practices")] == [97, 100, 96]
    assert (found["js_kib"], found["requests"], found["first_paint_ms"]) == (120.0, 4, 1500.123)


@pytest.mark.parametrize(
    ("key", "value"),
    [("performance", 89), ("accessibility", 99), ("best_practices", 96), ("js_kib", JS_KIB + 0.1)],
)
def test_a_page_below_its_target_is_a_miss(key: str, value: float) -> None:
    assert missed({"wall": GOOD, "sources": {**GOOD, "performance": 10}}) == []
    (said,) = missed({"wall": GOOD, "mayor": {**GOOD, key: value}})
    assert said.startswith(f"mayor: {key} {value}")


def test_the_targets_are_those_that_were_promised() -> None:
    assert TARGETS == {"performance": 90, "accessibility": 100, "best_practices": 100}
    assert JS_KIB == 350
    assert set(PAGES) >= {"wall", "mayor", "opd"}
    assert "pages" in bench.NAMES


def test_lighthouse_is_pinned_and_names_no_host() -> None:
    lock = json.loads((ROOT / "benchmarks" / "lighthouse" / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert all("resolved" not in each for each in packages.values())
    assert all(re.fullmatch(r"\d+\.\d+\.\d+(-[\w.]+)?", each["version"]) for each in packages.values())
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
