"""The views of each page at the sample's moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

from kpis.config import Screen
from kpis.types import Severity, Snapshot
from kpis.views import OpdStanding, WallView
from tests.layouts import sample, views_domains, views_kpi, views_people


def standings() -> tuple[OpdStanding, ...]:
    """One per OPD from the sample's readings, worst first."""
    rows = []
    for opd in sample.CITY.opds:
        mine = [inner[opd.code] for inner in sample.by_opd().values()]
        counts = {
            kind: sum(one.severity is kind and one.value is not None for one in mine) for kind in Severity
        }
        unknown = sum(one.value is None for one in mine)
        loud = next(
            (one.kpi for kind in (Severity.ACT, Severity.WATCH) for one in mine if one.severity is kind), None
        )
        rows.append(
            OpdStanding(
                opd=opd.code,
                on_target=counts[Severity.ON_TARGET],
                watch=counts[Severity.WATCH],
                act=counts[Severity.ACT],
                unknown=unknown,
                worst_kpi=loud,
                distance=float(counts[Severity.ACT]) + 0.3 * counts[Severity.WATCH],
            )
        )
    return tuple(sorted(rows, key=lambda row: (-row.act, -row.watch)))


_WALL = sample.SETTINGS.screens[0]
SCREENS = {
    "one": _WALL,
    "two_by_two": replace(_WALL, layout="two_by_two", title="Pusat kendali"),
    "quarter": replace(_WALL, layout="two_by_two", quarter=2),
    "portrait": replace(_WALL, layout="portrait"),
    "dark": replace(_WALL, blank_from=time(22), blank_to=time(5, 30)),
}


def domain_views() -> dict[str, object]:
    """The domain pages' views by the name of the wall page that shows each."""
    pages = {"opd_integration": "integration", "e_attendance": "attendance"}
    return {
        name: views_domains.SNAPSHOTS[pages.get(name, name)]().detail
        for name in ("service_requests", "app_uptime", "opd_integration", "e_attendance")
    }


def wall(screen: Screen = _WALL, **changes: object) -> Snapshot:
    """One screen of the wall, with a map of the city."""
    view = WallView(
        screen=screen,
        views=domain_views(),
        tiles=sample.SETTINGS.tiles,
        standings=standings(),
        sources_silent=1,
        sources=6,
    )
    city = views_domains.service_requests().city
    return sample.snapshot("wall", view, **{"city": city, **changes})


def long_wall() -> Snapshot:
    """A screen of a city with a long name, OPD without abbreviations, and figures of seven digits."""
    opds = tuple(replace(opd, abbreviation=opd.name) for opd in sample.CITY.opds)
    found = wall()
    readings = {**found.readings, "requests_open": replace(found.readings["requests_open"], value=1_234_567)}
    city = replace(found.city, name="Kabupaten Kepulauan Riau Utara", opds=opds)
    return replace(found, city=city, readings=readings, demo=False)


SNAPSHOTS = {"wall": wall, **views_domains.SNAPSHOTS, **views_people.SNAPSHOTS, **views_kpi.SNAPSHOTS}
