"""Reads snapshots from the KPI tables; the only place of the dashboard that queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dashboard.snapshot import Key
from kpis import pages, readings
from kpis.announce import READINGS, versions
from kpis.catalogue import catalogue
from kpis.config import Settings
from kpis.store import Store
from kpis.types import Reading, Snapshot

Readings = Mapping[tuple[str, str | None], Reading]


class Tables:
    """Each snapshot is read in one transaction, so that its parts agree."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store

    def read(self, key: Key) -> Snapshot:
        """The snapshot of `key` now. Raises StoreError."""
        settings, at = self._settings, self._settings.clock.now()
        with self._store.read() as conn:
            version = versions(conn).get(READINGS, 0)
            found = readings.current(conn, settings, at)
            trends = readings.trends(conn, key.opd, at)
            detail = pages.detail(conn, settings, key.page, key.opd, at, found, reject=key.reject)
        shown = {place: one for place, one in found.items() if key.opd in (None, place[1])}
        return Snapshot(
            page=key.page,
            opd=key.opd,
            at=at,
            version=version,
            city=settings.city,
            kpis=catalogue(),
            readings=own(found, key.opd),
            by_opd=by_opd(found) if key.opd is None else {},
            trends=trends,
            attention=readings.attention(settings, shown),
            detail=detail,
            demo=settings.is_demo,
            clock_speed=settings.clock.speed,
            owners={name: kpi.owner for name, kpi in settings.kpis.items() if kpi.owner},
        )

    def current(self, opd: str | None) -> list[Reading]:
        """The readings of one scope now, in the catalogue's order. Raises StoreError."""
        with self._store.read() as conn:
            found = readings.current(conn, self._settings, self._settings.clock.now())
        return list(own(found, opd).values())


def own(found: Readings, opd: str | None) -> dict[str, Reading]:
    """One scope's own readings by KPI key, in the catalogue's order."""
    return {key: found[key, opd] for key in catalogue() if (key, opd) in found}


def by_opd(found: Readings) -> dict[str, dict[str, Reading]]:
    """Every OPD's readings by KPI key, then OPD code."""
    sorted_out: dict[str, dict[str, Reading]] = {}
    for (key, opd), reading in found.items():
        if opd is not None:
            sorted_out.setdefault(key, {})[opd] = reading
    return sorted_out
