"""What is measured against what: the rules of each domain, targets and owners, and the tiles."""

from __future__ import annotations

from datetime import time, timedelta

from kpis.errors import ConfigError
from kpis.reader import Table
from kpis.settings import AttendanceRules, IntegrationRules, KpiSettings, Ramadan, RequestRules, UptimeRules
from kpis.types import Target

DEFAULT_TILES = (
    "requests_open", "requests_overdue_share", "requests_close_days_p50_30d", "apps_down_now",
    "app_uptime_24h", "opd_integrated", "sync_success_share_24h", "attendance_rate_today",
)  # fmt: skip


def read_tiles(table: Table) -> tuple[str, ...]:
    tiles: tuple[str, ...] = table.strings("tiles", list(DEFAULT_TILES))
    if not 1 <= len(tiles) <= 8:
        raise ConfigError("wall.tiles", f"names {len(tiles)} KPIs", "a wall page holds one to eight tiles")
    table.close()
    return tiles


def read_requests(table: Table) -> RequestRules:
    rules = RequestRules(interval=table.span("interval", timedelta(hours=2)))
    table.close()
    return rules


def read_uptime(table: Table) -> UptimeRules:
    rules = UptimeRules(
        interval=table.span("interval", timedelta(minutes=5)),
        objective=table.number("objective", 0.995, low=0.5, high=0.999999),
    )
    table.close()
    return rules


def read_integration(table: Table) -> IntegrationRules:
    rules = IntegrationRules(
        interval=table.span("interval", timedelta(hours=24)),
        matched=table.number("matched", 0.95, low=0, high=1),
        rejected=table.number("rejected", 0.02, low=0, high=1),
        tolerance=table.number("tolerance", 0.0, low=0, high=1),
    )
    table.close()
    return rules


def read_attendance(table: Table) -> AttendanceRules:
    ramadan = []
    for inner in table.tables("ramadan"):
        fast = Ramadan(first=inner.day("first"), last=inner.day("last"))
        if fast.last < fast.first:
            raise ConfigError(inner.key("last"), f"is {fast.last}, before first", "give the last day of it")
        ramadan.append(fast)
        inner.close()
    days_off = {}
    for inner in table.tables("day_off"):
        days_off[inner.day("day")] = inner.text("name")
        inner.close()
    days_on = set()
    for inner in table.tables("day_on"):
        days_on.add(inner.day("day"))
        inner.close()
    rules = AttendanceRules(
        interval=table.span("interval", timedelta(hours=6)),
        shift_start=table.clock_time("shift_start", time(7, 30)),
        shift_end=table.clock_time("shift_end", time(16, 0)),
        grace=table.span("grace", timedelta(0), low=timedelta(0)),
        ramadan_start=table.clock_time("ramadan_start", time(8, 0)),
        ramadan=tuple(ramadan),
        workdays=frozenset(table.integers("workdays", [1, 2, 3, 4, 5], low=1, high=7)),
        national_holidays=table.flag("national_holidays", True),
        days_off=days_off,
        days_on=frozenset(days_on),
    )
    if rules.shift_end <= rules.shift_start:
        raise ConfigError(
            table.key("shift_end"), f"is {rules.shift_end:%H:%M}", "use a time after shift_start"
        )
    table.close()
    return rules


def _target(table: Table, prefix: str) -> Target | None:
    low, high = -1e12, 1e12
    target = table.number(f"{prefix}target", None, low=low, high=high)
    act = table.number(f"{prefix}act", None, low=low, high=high)
    if target is None and act is None:
        return None
    if target is None or act is None:
        missing = "target" if target is None else "act"
        raise ConfigError(table.key(f"{prefix}{missing}"), "is missing", "give target and act together")
    return Target(target=target, act=act)


def read_kpis(table: Table) -> dict[str, KpiSettings]:
    found = {}
    for name in table.names():
        inner = table.table(name)
        city = _target(inner, "")
        found[name] = KpiSettings(
            city=city,
            opd=_target(inner, "opd_") or city,
            interval=inner.span("interval", None),
            owner=inner.text("owner", None),
            by=inner.day("by", None),
        )
        inner.close()
    return found
