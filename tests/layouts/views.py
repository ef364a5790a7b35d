"""The views of each page at the sample's moment."""

from __future__ import annotations

from kpis.config import Screen
from kpis.types import Severity, Snapshot
from kpis.views import OpdStanding, WallView
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


def domain_views() -> dict[str, object]:
    """The domain pages' views by the name of the wall page that shows each."""
    pages = {"opd_integration": "integration", "e_attendance": "attendance"}
    return {
        name: views_domains.SNAPSHOTS[pages.get(name, name)]().detail
        for name in ("service_requests", "app_uptime", "opd_integration", "e_attendance")
    }


def wall(screen: Screen = sample.SETTINGS.screens[0], **changes: object) -> Snapshot:
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


SNAPSHOTS = {"wall": wall, **views_domains.SNAPSHOTS, **views_people.SNAPSHOTS}
