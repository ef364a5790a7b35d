"""Finds every KPI; refuses duplicate keys. `python -m kpis.catalogue` lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy.engine import Connection

from kpis import app_uptime, e_attendance, opd_integration, service_requests
from kpis.config import Settings
from kpis.errors import CatalogueError, ConfigError
from kpis.feeds import FeedTable
from kpis.messages import MESSAGES
from kpis.types import Better, Domain, Kpi, Target

Figures = Callable[[Connection, Settings, datetime], Mapping[Any, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One domain: the query that measures all scopes at once, and the KPIs that read it."""

    domain: Domain
    figures: Figures
    kpis: tuple[Kpi, ...]


DOMAINS: tuple[Measured, ...] = (
    Measured(domain=Domain.SERVICE_REQUESTS, figures=service_requests.figures, kpis=service_requests.KPIS),
    Measured(domain=Domain.APP_UPTIME, figures=app_uptime.figures, kpis=app_uptime.KPIS),
    Measured(domain=Domain.OPD_INTEGRATION, figures=opd_integration.figures, kpis=opd_integration.KPIS),
    Measured(domain=Domain.E_ATTENDANCE, figures=e_attendance.figures, kpis=e_attendance.KPIS),
)

FEED_TABLES: Mapping[str, FeedTable] = {
    feed.feed: feed
    for feed in (
        service_requests.FEED,
        app_uptime.FEED,
        app_uptime.INVENTORY,
        opd_integration.SYNC,
        opd_integration.LEDGER,
        opd_integration.MILESTONE,
        e_attendance.EVENTS,
        e_attendance.CATEGORIES,
        MESSAGES,
    )
}


def index(kpis: Iterable[Kpi]) -> dict[str, Kpi]:
    """KPIs by key. Raises CatalogueError when two claim one key."""
    found: dict[str, Kpi] = {}
    for kpi in kpis:
        if kpi.key in found:
            raise CatalogueError(
                f"two KPIs claim the key {kpi.key!r}: {found[kpi.key].title!r} and {kpi.title!r}"
            )
        found[kpi.key] = kpi
    return found


@cache
def catalogue() -> Mapping[str, Kpi]:
    """Every KPI by key, in the order of the domains."""
    return index(kpi for domain in DOMAINS for kpi in domain.kpis)


def check(settings: Settings) -> None:
    """Raises ConfigError where config.toml names a KPI or an owner that does not exist."""
    known = catalogue()
    codes = {opd.code for opd in settings.city.opds}
    for key, kpi in settings.kpis.items():
        if key not in known:
            raise ConfigError(f"kpi.{key}", "is not a KPI", "`./run kpis --list` lists the keys")
        if kpi.owner is not None and kpi.owner not in codes:
            raise ConfigError(f"kpi.{key}.owner", f"is {kpi.owner!r}", "use the code of an OPD")
        _check_target(f"kpi.{key}.act", kpi.city, known[key].better)
        if kpi.opd is not kpi.city:
            _check_target(f"kpi.{key}.opd_act", kpi.opd, known[key].better)
    for key in settings.tiles:
        if key not in known:
            raise ConfigError("wall.tiles", f"names {key!r}", "`./run kpis --list` lists the keys")


def _check_target(key: str, target: Target | None, better: Better) -> None:
    """The act line lies on the bad side of the target, or nothing between them would ever be watched."""
    if target is None:
        return
    lower = better is Better.LOWER
    if target.act < target.target if lower else target.act > target.target:
        problem = f"is {target.act:g} with a target of {target.target:g}, and {better.value} is better"
        raise ConfigError(key, problem, f"use {target.target:g} or {'more' if lower else 'less'}")


if __name__ == "__main__":
    for entry in catalogue().values():
        print(f"{entry.key:40} {entry.domain.value:18} {entry.title}")
