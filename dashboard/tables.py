"""Reads snapshots from the KPI tables; the only place of the dashboard that queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from dashboard.scope import Grain, Scope
from dashboard.snapshot import Key
from kpis import pages, readings
from kpis.announce import READINGS, versions
from kpis.catalogue import catalogue
from kpis.config import Settings
from kpis.days import day_off, local_day
from kpis.history import tile_trends
from kpis.screens import enrolment
from kpis.screens.health import Report, note, screen_rows
from kpis.spans import TODAY, Span, span_of
from kpis.store import Store
from kpis.types import Reading, Snapshot, TrendPoint

Readings = Mapping[readings.Key, Reading]


class Tables:
    """Each snapshot is read in one transaction, so that its parts agree."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        # Since when the screens could be heard; before that, none of them was silent.
        self.listening = settings.clock.now()
        self._judged = readings.Judged(settings)

    def read(self, key: Key) -> Snapshot:
        """The snapshot of `key` now. Raises StoreError."""
        settings, at = self._settings, self._settings.clock.now()
        span = span_of(key.range, local_day(at, settings.zone))
        # A city page may look at one OPD; whether it may be seen was asked with the address.
        looked_at = key.opd or pages.picked("opd", key.pick)
        with self._store.read() as conn:
            version = versions(conn).get(READINGS, 0)
            found = self._judged.current(conn, at)
            trends = self._trends(conn, looked_at, span, at)
            detail = pages.detail(
                conn, settings, key.page, key.opd, at, found, span, reject=key.reject, screen=key.screen,
                pick=key.pick, since=key.since, kpi=key.kpi, rows=key.grain is Grain.ROWS,
            )  # fmt: skip
            screens = screen_rows(conn, settings, at, self.listening)
        shown = {place: one for place, one in found.items() if key.opd in (None, place[1])}
        return Snapshot(
            page=key.page,
            opd=key.opd,
            at=at,
            version=version,
            city=settings.city,
            kpis=catalogue(),
            readings=_own(found, looked_at),
            by_opd=_by_opd(found) if key.opd is None else {},
            trends=trends,
            attention=readings.attention(settings, shown),
            detail=detail,
            span=span,
            pick=key.pick,
            day_off=day_off(local_day(at, settings.zone), settings.e_attendance),
            demo=settings.is_demo,
            clock_speed=settings.clock.speed,
            owners={name: kpi.owner for name, kpi in settings.kpis.items() if kpi.owner},
            screens=tuple(row for row in screens if key.opd in (None, row.owner)),
        )

    def _trends(
        self, conn: Connection, opd: str | None, span: Span, at: datetime
    ) -> dict[str, tuple[TrendPoint, ...]]:
        """The tiles' lines: the last 24 hours, or the days looked at when they reach the present. Figures
        of now beside a line that ended long ago would tell one story."""
        if span.name == TODAY or not span.now:
            return readings.trends(conn, opd, at)
        return tile_trends(conn, list(catalogue()), opd, span, at, self._settings.zone)

    def aged(self, last: Snapshot) -> Snapshot:
        """`last` with every freshness as of now. Its `at` stays when it was read: the page says so."""
        now = self._settings.clock.now()

        def older(reading: Reading) -> Reading:
            return readings.aged(reading, self._settings, now)

        return replace(
            last,
            store_ok=False,
            readings={key: older(one) for key, one in last.readings.items()},
            by_opd={key: {opd: older(one) for opd, one in row.items()} for key, row in last.by_opd.items()},
            attention=tuple(replace(item, reading=older(item.reading)) for item in last.attention),
        )

    def current(self, scope: Scope, opd: str | None) -> list[Reading]:
        """The readings now: of one OPD, else of all that `scope` grants; the city's first, then by
        OPD code, in the catalogue's order. Raises StoreError."""
        with self._store.read() as conn:
            found = self._judged.current(conn, self._settings.clock.now())
        order = {key: place for place, key in enumerate(catalogue())}
        granted = [one for (_, code), one in found.items() if scope.allows(code) and opd in (None, code)]
        return sorted(granted, key=lambda one: (one.opd is not None, one.opd or "", order[one.kpi]))

    # --- screens -----------------------------------------------------------------------------------

    def tokens(self) -> dict[str, str]:
        """The screen behind each token's digest. Raises StoreError."""
        with self._store.read() as conn:
            return enrolment.tokens(conn, self._settings)

    def waiting(self, secret: str) -> enrolment.Waiting | None:
        """The code that the browser with `secret` shows. Raises StoreError."""
        with self._store.read() as conn:
            return enrolment.waiting(conn, self._settings.clock.now(), secret)

    def ask(self, secret: str) -> enrolment.Waiting | None:
        """A new code for that browser, None while too many wait. Raises StoreError."""
        with self._store.write() as conn:
            return enrolment.ask(conn, self._settings, self._settings.clock.now(), secret)

    def claim(self, secret: str) -> tuple[str, str] | None:
        """The screen and the token of that browser once its code was assigned. Raises StoreError."""
        # Most who ask were not assigned yet: they cost a look, not a write.
        found = self.waiting(secret)
        if found is None or found.screen is None:
            return None
        with self._store.write() as conn:
            return enrolment.claim(conn, self._settings, self._settings.clock.now(), secret)

    def report(self, token: str, report: Report) -> bool:
        """Keeps a screen's report, by its token's digest; False when it is a screen's no more."""
        with self._store.write() as conn:
            return note(conn, token, self._settings.clock.now(), report)


def _own(found: Readings, opd: str | None) -> dict[str, Reading]:
    """One scope's own readings by KPI key, in the catalogue's order."""
    return {key: found[key, opd] for key in catalogue() if (key, opd) in found}


def _by_opd(found: Readings) -> dict[str, dict[str, Reading]]:
    """Every OPD's readings by KPI key, then OPD code."""
    rows: dict[str, dict[str, Reading]] = {}
    for (key, opd), reading in found.items():
        if opd is not None:
            rows.setdefault(key, {})[opd] = reading
    return rows
