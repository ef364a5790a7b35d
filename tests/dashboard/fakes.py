"""A small city in memory: tables that answer what a test set, and a listener a test can ring."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dashboard.scope import Scope
from dashboard.snapshot import Key
from kpis.config import Settings, load
from kpis.errors import StoreUnavailable
from kpis.screens.health import Report
from kpis.spans import span_of
from kpis.types import (
    Better,
    Domain,
    Freshness,
    Kpi,
    Measurement,
    Reading,
    Severity,
    Snapshot,
    TrendPoint,
    Unit,
)  # fmt: skip
from kpis.views import WallView

AT = datetime(2026, 8, 19, 3, 0, tzinfo=UTC)
CONFIG = Path(__file__).resolve().parent.parent.parent / "config.toml"
TILES = ("requests_open", "apps_down_now")


SCREEN = replace(load(CONFIG, {}).screens[0], pages=("overview",))


def settings() -> Settings:
    return replace(load(CONFIG, {}), tiles=TILES, screens=(SCREEN,))


def reading(kpi: str = "requests_open", value: float | None = 1204, **changes: Any) -> Reading:
    """A reading of the city, on target and fresh unless a test says otherwise."""
    made = Reading(
        kpi=kpi, opd=None, value=value, unit=Unit.COUNT, target=2200, better=Better.LOWER,
        severity=Severity.ON_TARGET, freshness=Freshness.FRESH, observed_at=AT - timedelta(minutes=3),
        since=AT - timedelta(hours=2), reporting=None, expected=None, numerator=None, denominator=None,
    )  # fmt: skip
    return replace(made, **changes)


def _kpi(key: str, domain: Domain) -> Kpi:
    def take(figures: Any) -> Measurement:
        return Measurement(value=None, observed_at=None)

    return Kpi(key=key, domain=domain, title=key, unit=Unit.COUNT, better=Better.LOWER, take=take)


KPIS = {
    "requests_open": _kpi("requests_open", Domain.SERVICE_REQUESTS),
    "apps_down_now": _kpi("apps_down_now", Domain.APP_UPTIME),
}


class FakeTables:
    """Tables in memory. `away` makes every reading fail; `slow` makes it take that many seconds."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.readings: dict[str, Reading] = {key: reading(key) for key in TILES}
        self.version = 1
        self.at = AT
        self.away = False
        self.slow = 0.0
        self.reads: list[Key] = []
        self.listening = AT

    def read(self, key: Key) -> Snapshot:
        self.reads.append(key)
        time.sleep(self.slow)
        if self.away:
            raise StoreUnavailable("the store cannot be reached: test")
        own: Mapping[str, Reading] = self.readings if key.opd is None else {}
        trend = tuple(TrendPoint(at=self.at - timedelta(hours=n), value=n) for n in range(24, 0, -1))
        return Snapshot(
            page=key.page, opd=key.opd, at=self.at, version=self.version, city=self.settings.city,
            kpis=KPIS, readings=dict(own), by_opd={}, trends=dict.fromkeys(own, trend), attention=(),
            detail=WallView(
                screen=SCREEN, views={}, tiles=TILES, standings=(), sources_silent=0, sources=1
            ),
            span=span_of(key.range, self.at.date()),
        )  # fmt: skip

    def aged(self, last: Snapshot) -> Snapshot:
        return replace(last, at=self.at, store_ok=False)

    def current(self, scope: Scope, opd: str | None) -> list[Reading]:
        if self.away:
            raise StoreUnavailable("the store cannot be reached: test")
        return [] if opd else list(self.readings.values())

    # --- screens: a city that has none -----------------------------------------------------------

    def tokens(self) -> dict[str, str]:
        return {}

    def waiting(self, secret: str) -> None:
        return None

    def ask(self, secret: str) -> None:
        return None

    def claim(self, secret: str) -> None:
        return None

    def report(self, token: str, report: Report) -> bool:
        return False


class FakeListener:
    """Waits like the real one; `ring()` announces a version."""

    def __init__(self, version: int = 1) -> None:
        self._version = version
        self._rung = threading.Condition()
        self.away = False

    def ring(self, version: int) -> None:
        with self._rung:
            self._version = version
            self._rung.notify_all()

    def wait(self, seen: int, timeout: float) -> int:
        with self._rung:
            if self.away:
                raise StoreUnavailable("the store cannot be reached: test")
            self._rung.wait_for(lambda: self._version != seen, timeout)
            return self._version

    def close(self) -> None:
        pass
