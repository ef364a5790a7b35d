"""`python -m kpis --json`: exactly the fields of the contract, and nothing said of what is not known."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from kpis.catalogue import catalogue
from tests.conftest import ROOT
from tests.pipeline.world import ago, city, record

FIELDS = {
    "kpi", "opd", "value", "unit", "target", "better", "severity", "freshness", "observed_at", "since",
    "reporting", "expected", "numerator", "denominator",
}  # fmt: skip
CONFIG = """\
[city]
name = "Kota Uji"
timezone = "Asia/Jakarta"
opd = [{ code = "dinkes", name = "Dinkes", employees = 10 }, { code = "dishub", name = "Dishub" }]
[store]
url = "sqlite:///pendopo.db"
[kpi.requests_open]
target = 0
act = 5
"""


def kpis(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "config.toml").write_text(CONFIG)
    argv = [sys.executable, "-m", "kpis", "--config", str(folder / "config.toml"), *arguments]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)


def listed(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    done = kpis(folder, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_an_empty_store_knows_nothing_and_says_so(tmp_path: Path) -> None:
    found = listed(tmp_path, "--at", "2026-08-19T10:00:00+07:00")
    assert [(r["kpi"], r["opd"]) for r in found] == [
        (k, o) for o in (None, "dinkes", "dishub") for k in catalogue()
    ]
    for r in found:
        assert set(r) == FIELDS
        assert (r["freshness"], r["observed_at"], r["since"]) == ("never", None, None)
        assert (r["severity"], r["value"]) == ("unknown", None), r


def test_an_empty_store_is_said_on_stderr(tmp_path: Path) -> None:
    done = kpis(tmp_path, "--json")
    assert (done.returncode, "no records yet" in done.stderr) == (0, True)


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(CONFIG)
    argv = f"{sys.executable} -m kpis --json --config {tmp_path / 'config.toml'}"
    with subprocess.Popen(argv.split(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_the_contracts_fields_and_their_values(tmp_path: Path) -> None:
    with city(f"sqlite:///{tmp_path / 'pendopo.db'}") as world:
        world.take("service_request", record("service_request"))
    (r,) = [r for r in listed(tmp_path, "--opd", "dinkes", "--at", ago()) if r["kpi"] == "requests_open"]
    assert r == {
        "kpi": "requests_open", "opd": "dinkes", "value": 1, "unit": "count", "target": 0,
        "better": "lower",
        "severity": "watch", "freshness": "stale", "observed_at": "2026-08-18T03:00:00Z",
        "since": "2026-08-18T09:00:00Z", "reporting": None, "expected": None, "numerator": 1,
        "denominator": None,
    }  # fmt: skip


def test_what_cannot_be_asked_is_told_in_one_line(tmp_path: Path) -> None:
    for arguments, word in (
        (["--opd", "dlh"], "dinkes, dishub"),
        (["--at", "kemarin"], "2026-08-17T09:00:00+07:00"),
        (["--at", "2026-08-19T10:00:00"], "no offset"),
    ):
        done = kpis(tmp_path, "--json", *arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert word in done.stderr.splitlines()[-1]
