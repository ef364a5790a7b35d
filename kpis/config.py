"""config.toml → frozen settings, or `ConfigError` naming the key. Every key is documented in that file."""

from __future__ import annotations

import csv
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from kpis.clock import Clock
from kpis.errors import ConfigError
from kpis.reader import Table
from kpis.settings import (
    Application,
    AttendanceRules,
    BrokerSettings,
    DemoSettings,
    IntegrationRules,
    Interface,
    KpiSettings,
    Maintenance,
    Ramadan,
    RequestRules,
    Settings,
    SourceSettings,
    StoreSettings,
    UptimeRules,
    WebSettings,
)
from kpis.types import City, Opd, Target

__all__ = [
    "DEFAULT_TILES",
    "FEEDS",
    "LANGUAGES",
    "Application",
    "AttendanceRules",
    "BrokerSettings",
    "DemoSettings",
    "IntegrationRules",
    "Interface",
    "KpiSettings",
    "Maintenance",
    "Ramadan",
    "RequestRules",
    "Settings",
    "SourceSettings",
    "StoreSettings",
    "UptimeRules",
    "WebSettings",
    "load",
    "parse",
    "store_settings",
]

FEEDS = (
    "service_request", "uptime_check", "sync_run", "attendance", "attendance_day",
    "ledger", "milestone", "message", "application",
)  # fmt: skip
LANGUAGES = ("id", "en")
_CODE = re.compile(r"^[a-z0-9][a-z0-9._-]{0,63}$")
_ZONES = {7: "WIB", 8: "WITA", 9: "WIT"}


def load(path: Path | str | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Reads `path`, else $PENDOPO_CONFIG, else ./config.toml.

    Raises ConfigError with the key, what is wrong with it and what would do.
    """
    environ = os.environ if environ is None else environ
    file = Path(path or environ.get("PENDOPO_CONFIG") or "config.toml").absolute()
    return parse(_read(file), file, environ)


def _read(file: Path, above: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The file's tables, laid over those of the file it `extends`, key by key."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            str(file), "there is no such file", "copy config.toml there, or name one with --config"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), f"cannot be read: {error}", "make it a readable UTF-8 file") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(file.name, f"is not valid TOML: {error}", "mend that line") from None
    base = data.pop("extends", None)
    if base is None:
        return data
    if not isinstance(base, str):
        raise ConfigError(
            "extends", f"is {base!r}", 'write the path of another config file: "../config.toml"'
        )
    below = (file.parent / base).resolve()
    above = (*above, file.resolve())
    if below in above:
        raise ConfigError("extends", f"is {base!r}, which extends this file", "name a file that does not")
    return _laid_over(_read(below, above), data)


def _laid_over(base: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in data.items():
        under = merged.get(key)
        if isinstance(value, dict) and isinstance(under, dict):
            value = _laid_over(under, value)
        merged[key] = value
    return merged


def parse(data: dict[str, Any], file: Path, environ: Mapping[str, str]) -> Settings:
    """The settings a file's tables spell; `file` anchors relative paths."""
    root = Table(data, "", environ)
    city, language = _city(root.table("city"), file.parent)
    settings = Settings(
        path=file,
        city=city,
        language=language,
        map_file=city.map_file,
        store=_store(root.table("store"), file.parent),
        broker=_broker(root.table("broker"), file.parent, environ),
        web=_web(root.table("web")),
        tiles=_tiles(root.table("wall")),
        service_requests=_requests(root.table("service_requests")),
        app_uptime=_uptime(root.table("app_uptime")),
        opd_integration=_integration(root.table("opd_integration")),
        e_attendance=_attendance(root.table("e_attendance")),
        kpis=_kpis(root.table("kpi")),
        sources=_sources(root, file.parent),
        applications=tuple(_application(t, city) for t in root.tables("application")),
        interfaces=tuple(_interface(t, city) for t in root.tables("interface")),
        maintenance=tuple(_maintenance(t) for t in root.tables("maintenance")),
        demo=_demo(root.table("demo")),
        is_demo=root.flag("pretend", False),
        clock=_clock(root.table("clock")),
    )
    root.close()
    return settings


def _city(table: Table, folder: Path) -> tuple[City, str]:
    zone_name = table.text("timezone")
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            "city.timezone",
            f"is {zone_name!r}",
            "use Asia/Jakarta, Asia/Makassar, Asia/Jayapura or another IANA name",
        ) from None
    offset = datetime(2026, 1, 1, tzinfo=zone).utcoffset() or timedelta()
    hours = offset.total_seconds() / 3600
    opd_file = table.text("opd_file", None)
    listed = list(table.tables("opd"))
    rows = _opd_rows(folder / opd_file) if opd_file else [_opd(t) for t in listed]
    if not rows:
        raise ConfigError(
            "city.opd_file" if opd_file else "city.opd",
            "names no OPD",
            "add each as [[city.opd]], or name a CSV file in city.opd_file",
        )
    codes = [opd.code for opd in rows]
    for code in codes:
        if codes.count(code) > 1:
            raise ConfigError(
                "city.opd", f"the code {code!r} stands twice", "give each OPD a code of its own"
            )
    map_file = table.text("map", None)
    city = City(
        name=table.text("name"),
        timezone=zone_name,
        zone=_ZONES.get(int(hours), f"UTC{hours:+g}") if hours == int(hours) else f"UTC{hours:+g}",
        opds=tuple(rows),
        map_file=folder / map_file if map_file else None,
    )
    language = table.text("language", "id", one_of=LANGUAGES)
    table.close()
    return city, language


def _opd(table: Table) -> Opd:
    opd = Opd(
        code=table.text("code"),
        name=table.text("name"),
        abbreviation=table.text("abbreviation", None) or table.text("name"),
        english=table.text("english", None) or table.text("name"),
        employees=table.integer("employees", None, low=0, high=1_000_000),
    )
    if not _CODE.match(opd.code):
        raise ConfigError(
            table.key("code"), f"is {opd.code!r}", "use lower-case letters, digits, dot, dash, underscore"
        )
    table.close()
    return opd


def _opd_rows(path: Path) -> list[Opd]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except OSError as error:
        raise ConfigError("city.opd_file", f"{path}: {error.strerror}", "name a readable CSV file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError("city.opd_file", f"{path}: {error}", "save it as CSV in UTF-8") from None
    for number, row in enumerate(rows, 2):
        if not row.get("code") or not row.get("name"):
            raise ConfigError("city.opd_file", f"line {number} has no code or no name", "fill both columns")
    return [
        _opd(
            Table(
                {k: (int(v) if k == "employees" and v.isdecimal() else v) for k, v in row.items() if k and v},
                f"city.opd_file line {n}",
            )
        )
        for n, row in enumerate(rows, 2)
    ]


def _store(table: Table, folder: Path) -> StoreSettings:
    url = table.text("url", "sqlite:///var/pendopo.db")
    table.close()
    return store_settings(url, folder)


def store_settings(url: str, folder: Path) -> StoreSettings:
    """The store behind an URL; a relative SQLite path is taken from `folder`."""
    if url.startswith("sqlite:///"):
        name = url.removeprefix("sqlite:///")
        path = (folder / name).resolve()
        if name and not path.is_dir():
            return StoreSettings(url=f"sqlite:///{path}", embedded=True)
    for prefix in ("postgresql+psycopg2://", "postgresql://", "postgres://"):
        # SQLAlchemy 2.1 reads a bare postgresql:// as psycopg 3, which is not what ships here.
        named = "postgresql+psycopg2://" + url.removeprefix(prefix)
        if url.startswith(prefix) and _is_url(named):
            return StoreSettings(url=named, embedded=False)
    raise ConfigError(
        "store.url", f"is {url!r}", 'use "sqlite:///var/pendopo.db" or "postgresql://user@host/database"'
    )


def _is_url(text: str) -> bool:
    try:
        make_url(text)
    except (ArgumentError, ValueError):
        return False
    return True


def _broker(table: Table, folder: Path, environ: Mapping[str, str]) -> BrokerSettings:
    url = table.text("url", "embedded://127.0.0.1:1883")
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    ports = {"embedded": 1883, "mqtt": 1883, "mqtts": 8883}
    if parts.scheme not in ports or not parts.hostname:
        raise ConfigError(
            "broker.url",
            f"is {url!r}",
            'use "mqtt://user@host:1883", "mqtts://user@host:8883" or "embedded://127.0.0.1:1883"',
        )
    port = table.checked("url", lambda: parts.port)
    ca_file = table.text("ca_file", None)
    settings = BrokerSettings(
        host=parts.hostname,
        port=port or ports[parts.scheme],
        tls=parts.scheme == "mqtts",
        embedded=parts.scheme == "embedded",
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else environ.get("PENDOPO_BROKER_PASSWORD"),
        client_id=table.text("client_id", "pendopo"),
        ca_file=folder / ca_file if ca_file else None,
    )
    if settings.ca_file and not settings.ca_file.is_file():
        raise ConfigError(
            "broker.ca_file",
            f"{settings.ca_file} is not a file",
            "name the PEM file of your certificate authority",
        )
    table.close()
    return settings


def _web(table: Table) -> WebSettings:
    web = WebSettings(
        host=table.text("host", "127.0.0.1"), port=table.integer("port", 8050, low=0, high=65535)
    )
    table.close()
    return web


DEFAULT_TILES = (
    "requests_open", "requests_overdue_share", "requests_close_days_p50_30d", "apps_down_now",
    "app_uptime_24h", "opd_integrated", "sync_success_share_24h", "attendance_rate_today",
)  # fmt: skip


def _tiles(table: Table) -> tuple[str, ...]:
    tiles: tuple[str, ...] = table.strings("tiles", list(DEFAULT_TILES))
    if not 1 <= len(tiles) <= 8:
        raise ConfigError("wall.tiles", f"names {len(tiles)} KPIs", "a wall page holds one to eight tiles")
    table.close()
    return tiles


def _requests(table: Table) -> RequestRules:
    rules = RequestRules(interval=table.span("interval", timedelta(hours=2)))
    table.close()
    return rules


def _uptime(table: Table) -> UptimeRules:
    rules = UptimeRules(
        interval=table.span("interval", timedelta(minutes=5)),
        objective=table.number("objective", 0.995, low=0.5, high=0.999999),
    )
    table.close()
    return rules


def _integration(table: Table) -> IntegrationRules:
    rules = IntegrationRules(
        interval=table.span("interval", timedelta(hours=24)),
        matched=table.number("matched", 0.95, low=0, high=1),
        rejected=table.number("rejected", 0.02, low=0, high=1),
        tolerance=table.number("tolerance", 0.0, low=0, high=1),
    )
    table.close()
    return rules


def _attendance(table: Table) -> AttendanceRules:
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


def _kpis(table: Table) -> dict[str, KpiSettings]:
    found = {}
    for name in table.names():
        inner = table.table(name)
        city = _target(inner, "")
        found[name] = KpiSettings(
            city=city,
            opd=_target(inner, "opd_") or city,
            interval=inner.span("interval", None),
            owner=inner.text("owner", None),
        )
        inner.close()
    return found


def _zone(table: Table, name: str) -> ZoneInfo | None:
    text = table.text(name, None)
    if text is None:
        return None
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(table.key(name), f"is {text!r}", "use an IANA name such as Asia/Jakarta") from None


def _sources(root: Table, folder: Path) -> tuple[SourceSettings, ...]:
    sources = tuple(_source(table, folder) for table in root.tables("source"))
    names = [source.name for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                "source", f"the name {name!r} stands twice", "give each source a name of its own"
            )
    return sources


def _source(table: Table, folder: Path) -> SourceSettings:
    kind = table.text("type", one_of=("mqtt", "database", "probe", "file"))
    name = table.text("name")
    if not _CODE.match(name):
        raise ConfigError(
            table.key("name"), f"is {name!r}", "use lower-case letters, digits, dot, dash, underscore"
        )
    needs_feed = kind in ("database", "file")
    feed = table.text("feed", *(() if needs_feed else (None,)), one_of=FEEDS)
    database = kind == "database"
    folder_text = table.text("folder") if kind == "file" else None
    source = SourceSettings(
        name=name,
        type=kind,
        feed=feed,
        topic=table.text("topic", "city/v1/+/+") if kind == "mqtt" else None,
        mapping=table.mapping("map"),
        timezone=_zone(table, "timezone"),
        interval=table.span("interval", None),
        url=table.text("url") if database else None,
        query=table.text("query") if database else None,
        watermark=table.text("watermark") if database else None,
        start=_start(table) if database else None,
        every=table.span("every", timedelta(seconds=30), low=timedelta(milliseconds=100))
        if kind != "mqtt"
        else timedelta(0),
        timeout=table.span("timeout", timedelta(seconds=10)) if kind == "probe" else timedelta(seconds=10),
        concurrency=table.integer("concurrency", 20, low=1, high=1000) if kind == "probe" else 20,
        folder=folder / folder_text if folder_text else None,
        pattern=table.text("pattern", "*") if kind == "file" else "*",
    )
    if source.mapping and kind != "probe" and source.feed is None:
        raise ConfigError(table.key("feed"), "is missing", "a mapping needs the feed its records belong to")
    table.close()
    return source


def _start(table: Table) -> str | int | datetime | None:
    if not table.has("start"):
        return None
    value: str | int | datetime = table._take(
        "start", (str, int, datetime), "the first watermark: a time, a number or text", None
    )
    return value


def _known_opd(table: Table, city: City, code: str | None) -> str | None:
    if code is not None and code not in {opd.code for opd in city.opds}:
        raise ConfigError(table.key("opd"), f"is {code!r}", "use a code that [[city.opd]] names")
    return code


def _application(table: Table, city: City) -> Application:
    app = Application(
        app=table.text("app"),
        name=table.text("name", None) or table.text("app"),
        opd=_known_opd(table, city, table.text("opd", None)),
        owner=table.text("owner", None),
        url=table.text("url", None),
        hosting=table.text("hosting", None),
        probe=table.flag("probe", True),
    )
    table.close()
    return app


def _interface(table: Table, city: City) -> Interface:
    opd = _known_opd(table, city, table.text("opd"))
    interface = Interface(
        opd=opd or "",
        system=table.text("system"),
        interface=table.text("interface"),
        interval=table.span("interval", None),
    )
    table.close()
    return interface


def _maintenance(table: Table) -> Maintenance:
    window = Maintenance(
        app=table.text("app"),
        starts_at=table.instant("starts_at"),
        ends_at=table.instant("ends_at"),
        reason=table.text("reason"),
    )
    if window.ends_at <= window.starts_at:
        raise ConfigError(table.key("ends_at"), "is not after starts_at", "give the end of the maintenance")
    table.close()
    return window


def _demo(table: Table) -> DemoSettings:
    demo = DemoSettings(
        seed=table.integer("seed", 2026, low=0, high=2**31),
        speed=table.number("speed", 1.0, low=0.1, high=3600),
        history_days=table.integer("history_days", 90, low=1, high=400),
    )
    table.close()
    return demo


def _clock(table: Table) -> Clock:
    clock = Clock(
        real=table.instant("real", None),
        city=table.instant("city", None),
        speed=table.number("speed", 1.0, low=0.1, high=3600),
    )
    table.close()
    return clock
