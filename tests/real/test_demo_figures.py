"""The pretend city's readings against sums over its facts by plain SQL, as of several moments.

The demo is started as a person starts it, takes in its whole past through its own doors, and is
stopped, so that both look at the same facts; `run kpis --json` then says what each figure was.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kpis.config import Settings, load
from tests.keeper import Keeper, wait_until
from tests.real.plain_sql import Figures, is_worked, plain_figures
from tests.real.test_plain_figures import differing
from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
DAYS = 12
# Each KPI has to be put to the test somewhere: these are somewhere neither missing nor zero.
TELLING = (
    "requests_open", "requests_overdue_share", "requests_on_time_share_30d", "requests_close_days_p50_30d",
    "requests_close_days_p90_30d", "requests_first_response_hours_p50_30d", "requests_confirmed_share_30d",
    "apps_down_now", "app_uptime_24h", "app_uptime_30d", "error_budget_left_30d", "opd_integrated",
    "sync_success_share_24h", "data_age_hours_worst", "consistency_breaks", "attendance_rate_today",
    "late_share_today", "doubtful_share_today",
)  # fmt: skip


class Demo:
    """`python -m ingest.demo` in a folder of its own."""

    def __init__(self, keeper: Keeper, folder: Path) -> None:
        self._keeper = keeper
        self._log = folder / "log"
        self.folder = folder / "demo"
        argv = f"-m ingest.demo --folder {self.folder} --port {free_port()} --seed 7 --history-days {DAYS}"
        environ = {k: v for k, v in os.environ.items() if k != "PENDOPO_CONFIG"}
        self._process = keeper.start([sys.executable, *argv.split()], log=self._log, cwd=ROOT, env=environ)
        wait_until(self._past_is_in, self._process, self._log, 120)

    @property
    def settings(self) -> Settings:
        return load(self.folder / "config.toml")

    @property
    def store(self) -> Path:
        return self.folder / "pendopo.db"

    def _past_is_in(self) -> bool:
        """Every file of the past is taken to its end, and every row of the offices' database."""
        if not (self.folder / "history.whole").exists() or not self.store.exists():
            return False
        files = {f"%/{file.name}" for file in (self.folder / "history").iterdir() if file.stat().st_size}
        taken = "SELECT count(*) FROM source_position WHERE source LIKE ? AND json_extract(value, '$.done')"
        rows = "SELECT (SELECT count(*) FROM {}) >= ?"
        with _reading(self.store) as store, _reading(self.folder / "opd.db") as offices:
            if not all(store.execute(taken, (file,)).fetchone()[0] for file in files):
                return False
            return all(
                store.execute(rows.format(fact), offices.execute(f"SELECT count(*) FROM {table}").fetchone())
                .fetchone()[0]
                for table, fact in (("anggaran", "ledger"), ("kepegawaian", "attendance_day"))
            )  # fmt: skip

    def stop(self) -> None:
        """As Ctrl-C does; the demo has to end well."""
        assert self._keeper.end(self._process, signal.SIGINT) == 0, self._log.read_text()

    def said(self, at: datetime) -> Figures:
        """What `run kpis --json --at` prints, by KPI and OPD."""
        config = self.folder / "config.toml"
        argv = [sys.executable, "-m", "kpis", "--json", "--at", at.isoformat(), "--config", str(config)]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return {(r["kpi"], r["opd"]): r["value"] for r in json.loads(done.stdout)}


def _reading(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)


@pytest.fixture
def demo(keeper: Keeper, tmp_path: Path) -> Iterator[Demo]:
    started = Demo(keeper, tmp_path)
    yield started
    started.stop()


def _moments(settings: Settings, store: Path) -> list[datetime]:
    """The morning of the latest working day that is over, and when an application last was down."""
    present = datetime.now(settings.zone).replace(second=0, microsecond=0)
    back = next(n for n in range(1, DAYS) if is_worked((present - timedelta(days=n)).date(), settings))
    morning = (present - timedelta(days=back)).replace(hour=9, minute=40)
    with _reading(store) as conn:
        (down,) = conn.execute("SELECT max(observed_at) FROM uptime_check WHERE NOT up").fetchone()
    return [morning, _instant(down)]


def _instant(us: int) -> datetime:
    return datetime.fromtimestamp(us // 1_000_000, UTC) + timedelta(microseconds=us % 1_000_000)


@pytest.mark.timeout(300)  # a busy machine takes long over the past; a quiet one is done in half a minute
def test_every_reading_of_the_pretend_city_is_what_plain_sql_says(demo: Demo) -> None:
    settings = demo.settings
    demo.stop()
    moments = _moments(settings, demo.store)
    expected = plain_figures(demo.store, settings, moments)
    wrong: list[str] = []
    for at in moments:
        said = demo.said(at)
        assert len(said) == len(expected[at])
        wrong += [f"{at}: {line}" for line in differing(said, expected[at])]
    assert wrong == []
    telling = {kpi for figures in expected.values() for (kpi, _), value in figures.items() if value}
    assert telling >= set(TELLING)
