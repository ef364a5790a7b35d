"""The views of each page at the sample's moment."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from datetime import time

from kpis.config import Screen
from kpis.types import Reading, Severity, Snapshot
from kpis.views import (
    AppGlance,
    AttendanceGlance,
    IntegrationGlance,
    OpdStanding,
    RequestsGlance,
    UptimeGlance,
    WallView,
)
from tests.layouts import sample, views_domains, views_people


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


def glances() -> dict[str, object]:
    """What the wall shows of each domain, out of the domains' own sample."""
    requests = views_domains.service_requests().detail
    uptime = views_domains.app_uptime().detail
    fields = [one.name for one in dataclasses.fields(AppGlance)]
    apps = tuple(AppGlance(**{name: getattr(row, name) for name in fields}) for row in uptime.apps)
    attendance = views_domains.attendance().detail
    return {
        "service_requests": RequestsGlance(
            ages=requests.ages, by_kelurahan=requests.by_kelurahan, days=requests.days
        ),
        "app_uptime": UptimeGlance(apps=apps, objective=uptime.objective),
        "opd_integration": IntegrationGlance(steps=views_domains.integration().detail.steps),
        "e_attendance": AttendanceGlance(day_off=None, late_from=465, arrivals=attendance.arrivals),
    }


def by_opd() -> dict[str, dict[str, Reading]]:
    """The sample's readings of every OPD, with the cases behind those that the wall sets side by side."""
    found = sample.by_opd()
    for place, code in enumerate(found["requests_open"]):
        for key, whole in (("requests_overdue_share", 1204 - 30 * place), ("attendance_rate_today", 3200)):
            one = found[key][code]
            part = None if one.value is None else float(int(one.value * whole))
            found[key][code] = replace(one, numerator=part, denominator=float(whole))
    return found


def wall(screen: Screen = _WALL, **changes: object) -> Snapshot:
    """One screen of the wall, with a map of the city."""
    view = WallView(
        screen=screen,
        views=glances(),
        tiles=sample.SETTINGS.tiles,
        standings=standings(),
        sources_silent=1,
        sources=6,
    )
    city = views_domains.service_requests().city
    return sample.snapshot("wall", view, **{"city": city, "by_opd": by_opd(), **changes})


def long_wall() -> Snapshot:
    """A screen of a city with a long name, OPD without abbreviations, and figures of seven digits."""
    opds = tuple(replace(opd, abbreviation=opd.name) for opd in sample.CITY.opds)
    found = wall()
    readings = {**found.readings, "requests_open": replace(found.readings["requests_open"], value=1_234_567)}
    city = replace(found.city, name="Kabupaten Kepulauan Riau Utara", opds=opds)
    return replace(found, city=city, readings=readings, demo=False)


SNAPSHOTS = {"wall": wall, **views_domains.SNAPSHOTS, **views_people.SNAPSHOTS}
