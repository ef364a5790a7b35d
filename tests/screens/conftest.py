"""A small city with two screens, and a hand that types codes as an operator does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from kpis.config import Settings
from kpis.screens import enrolment
from kpis.screens.codes import digest, new_secret
from kpis.screens.health import Report, note, screen_rows
from kpis.screens.state import ScreenRow
from kpis.store import Store, open_store
from tests.conftest import FrozenClock
from tests.pipeline.world import settings_for

SCREENS = [
    {
        "name": "lobi", "title": "Lobi utama", "place": "Lantai 1", "owner": "dishub",
        "pages": ["overview", "opd"],
    },
    {"name": "balai", "blank_from": "22:00", "blank_to": "05:30"},
]  # fmt: skip


@dataclass
class Hall:
    """A store with screens in it, at the time of a frozen clock."""

    settings: Settings
    store: Store
    clock: FrozenClock

    def ask(self, secret: str) -> enrolment.Waiting | None:
        with self.store.write() as conn:
            return enrolment.ask(conn, self.settings, self.clock.now(), secret)

    def assign(self, code: str, name: str) -> None:
        with self.store.write() as conn:
            enrolment.assign(conn, self.settings, self.clock.now(), code, name)

    def claim(self, secret: str) -> tuple[str, str] | None:
        with self.store.write() as conn:
            return enrolment.claim(conn, self.settings, self.clock.now(), secret)

    def revoke(self, which: str) -> str:
        with self.store.write() as conn:
            return enrolment.revoke(conn, self.clock.now(), which)

    def enrol(self, name: str) -> str:
        """A device goes the whole way; its token."""
        secret = new_secret()
        waiting = self.ask(secret)
        assert waiting is not None
        self.assign(waiting.code, name)
        claimed = self.claim(secret)
        assert claimed is not None
        return claimed[1]

    def tokens(self) -> dict[str, str]:
        with self.store.read() as conn:
            return enrolment.tokens(conn, self.settings)

    def report(self, token: str, **changes: Any) -> bool:
        with self.store.write() as conn:
            return note(conn, digest(token), self.clock.now(), report(self.clock.now(), **changes))

    def rows(self, listening: datetime | None = None) -> dict[str, ScreenRow]:
        with self.store.read() as conn:
            found = screen_rows(conn, self.settings, self.clock.now(), listening)
        return {row.name: row for row in found}

    def count(self, table: Any) -> int:
        with self.store.read() as conn:
            return len(conn.execute(table.select()).all())


def report(now: datetime, **changes: Any) -> Report:
    """A report of a screen that is well."""
    fields: dict[str, Any] = {
        "due": now - timedelta(seconds=4), "painted": now - timedelta(seconds=4), "heap_bytes": 24_000_000,
        "nodes": 812, "connection": "open", "build": "0123456789ab", "page": "overview", "width": 1920,
        "height": 1080, "scale": 1.0,
    }  # fmt: skip
    return Report(**{**fields, **changes})


@pytest.fixture
def hall(store_url: str, clock: FrozenClock) -> Iterator[Hall]:
    settings = settings_for(store_url, screen=SCREENS, kpi={"apps_down_now": {"owner": "dinkes"}})
    with open_store(settings) as store:
        yield Hall(settings, store, clock)
