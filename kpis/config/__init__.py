"""config.toml → frozen settings, or `ConfigError` naming the key. Every key is documented in that file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kpis.config.city import LANGUAGES, read_city
from kpis.config.retention import read_retention
from kpis.config.rules import (
    DEFAULT_TILES,
    read_attendance,
    read_integration,
    read_kpis,
    read_requests,
    read_tiles,
    read_uptime,
)
from kpis.config.screens import LAYOUTS, WALL, WALL_PAGES, read_screens
from kpis.config.servers import read_broker, read_clock, read_demo, read_store, read_web, store_settings
from kpis.config.sources import FEEDS, read_application, read_interface, read_maintenance, read_sources
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
    Screen,
    Settings,
    SourceSettings,
    StoreSettings,
    UptimeRules,
    WebSettings,
)

__all__ = [
    "DEFAULT_TILES",
    "FEEDS",
    "LANGUAGES",
    "LAYOUTS",
    "WALL",
    "WALL_PAGES",
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
    "Screen",
    "Settings",
    "SourceSettings",
    "StoreSettings",
    "UptimeRules",
    "WebSettings",
    "load",
    "parse",
    "store_settings",
]


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
    city, language = read_city(root.table("city"), file.parent)
    settings = Settings(
        path=file,
        city=city,
        language=language,
        map_file=city.map_file,
        store=read_store(root.table("store"), file.parent),
        broker=read_broker(root.table("broker"), file.parent, environ),
        web=read_web(root.table("web")),
        tiles=read_tiles(root.table("wall")),
        screens=read_screens(root, city),
        service_requests=read_requests(root.table("service_requests")),
        app_uptime=read_uptime(root.table("app_uptime")),
        opd_integration=read_integration(root.table("opd_integration")),
        e_attendance=read_attendance(root.table("e_attendance")),
        kpis=read_kpis(root.table("kpi")),
        sources=read_sources(root, file.parent),
        applications=tuple(read_application(t, city) for t in root.tables("application")),
        interfaces=tuple(read_interface(t, city) for t in root.tables("interface")),
        maintenance=tuple(read_maintenance(t) for t in root.tables("maintenance")),
        retention=read_retention(root.table("retention")),
        demo=read_demo(root.table("demo")),
        is_demo=root.flag("pretend", False),
        clock=read_clock(root.table("clock")),
    )
    root.close()
    return settings
