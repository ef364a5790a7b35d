"""What comes in and what it is about: sources, applications, interfaces, maintenance."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kpis.config.city import CODE
from kpis.errors import ConfigError
from kpis.reader import Table
from kpis.settings import Application, Interface, Maintenance, SourceSettings
from kpis.types import City

FEEDS = (
    "service_request", "uptime_check", "sync_run", "attendance", "attendance_day",
    "ledger", "milestone", "message", "application",
)  # fmt: skip

# What lies further back is no late commit; a watermark less this is still a date.
_LONGEST_OVERLAP = timedelta(days=400)


def _zone(table: Table, name: str) -> ZoneInfo | None:
    text = table.text(name, None)
    if text is None:
        return None
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(table.key(name), f"is {text!r}", "use an IANA name such as Asia/Jakarta") from None


def read_sources(root: Table, folder: Path) -> tuple[SourceSettings, ...]:
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
    if not CODE.match(name):
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
        overlap=_overlap(table) if database else timedelta(0),
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


def _overlap(table: Table) -> timedelta:
    found: timedelta = table.span("overlap", timedelta(0))
    if found > _LONGEST_OVERLAP:
        raise ConfigError(
            table.key("overlap"),
            f"is {found.days} days, read again at every reading",
            f'use "{_LONGEST_OVERLAP.days}d" or less',
        )
    return found


def _start(table: Table) -> str | int | datetime | None:
    if not table.has("start"):
        return None
    value: str | int | datetime = table.any_of(
        "start", (str, int, datetime), "the first watermark: a time, a number or text", None
    )
    return value


def _known_opd(table: Table, city: City, code: str | None) -> str | None:
    if code is not None and code not in {opd.code for opd in city.opds}:
        raise ConfigError(table.key("opd"), f"is {code!r}", "use a code that [[city.opd]] names")
    return code


def read_application(table: Table, city: City) -> Application:
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


def read_interface(table: Table, city: City) -> Interface:
    opd = _known_opd(table, city, table.text("opd"))
    interface = Interface(
        opd=opd or "",
        system=table.text("system"),
        interface=table.text("interface"),
        interval=table.span("interval", None),
    )
    table.close()
    return interface


def read_maintenance(table: Table) -> Maintenance:
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
