"""A real dashboard process on a real store, and a hand that writes readings into it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

from kpis.announce import READINGS, announce
from kpis.config import Settings, load
from kpis.readings import reading
from kpis.store import Store, insert, micros, open_store
from kpis.types import Severity
from tests.keeper import Keeper, wait_until
from tests.servers import Server

ROOT = Path(__file__).resolve().parent.parent.parent


class Hand:
    """Writes readings as the evaluator does: one row each, announced in the same transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def write(
        self, kpi: str, value: float | None, opd: str = "", severity: Severity = Severity.ON_TARGET
    ) -> datetime:
        """The instant of the commit."""
        now = datetime.now(UTC)
        row = {
            "kpi": kpi, "opd": opd, "value": value, "observed_at": micros(now - timedelta(seconds=90)),
            "settled": True, "severity": severity.value, "since": micros(now - timedelta(minutes=11)),
            "evaluated_at": micros(now),
        }  # fmt: skip
        with self._store.write() as conn:
            statement = insert(conn, reading).values(row)
            conn.execute(statement.on_conflict_do_update(index_elements=["kpi", "opd"], set_=row))
            announce(conn, [READINGS])
        return datetime.now(UTC)


class RunningDashboard(Server):
    """`python -m dashboard` on a store of its own, or on `store_url`."""

    def __init__(self, keeper: Keeper, store_url: str = "sqlite:///pendopo.db", more: str = "") -> None:
        super().__init__(keeper, "dashboard")
        self.config = self.folder / "config.toml"
        self._store_url = store_url
        self.configure(more)
        self.start()

    def configure(self, more: str = "") -> None:
        """Writes its settings: the project's own, this store, and `more` tables of TOML."""
        text = f'extends = "{ROOT / "config.toml"}"\n[store]\nurl = "{self._store_url}"\n{more}\n'
        self.config.write_text(text)

    @property
    def settings(self) -> Settings:
        return load(self.config, {})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open_store(self) -> Store:
        return open_store(self.settings)

    def start(self) -> None:
        self._launch([sys.executable, "-m", "dashboard", "--config", self.config, "--port", str(self.port)])

    def _launch(self, argv: list[str | Path], user: str | None = None) -> None:
        self._process = self.keeper.start(argv, log=self.log, user=user, cwd=ROOT)
        wait_until(self._ready, self._process, self.log)

    def _ready(self) -> bool:
        try:
            with urlopen(f"{self.url}/healthz", timeout=2) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False
