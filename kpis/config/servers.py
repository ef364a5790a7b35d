"""Where Pendopo runs: its store, its broker, its address, its clock."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from kpis.clock import Clock
from kpis.errors import ConfigError
from kpis.reader import Table
from kpis.settings import BrokerSettings, DemoSettings, StoreSettings, WebSettings


def read_store(table: Table, folder: Path) -> StoreSettings:
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


def read_broker(table: Table, folder: Path, environ: Mapping[str, str]) -> BrokerSettings:
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
        shared=table.flag("shared", False),
    )
    if settings.ca_file and not settings.ca_file.is_file():
        raise ConfigError(
            "broker.ca_file",
            f"{settings.ca_file} is not a file",
            "name the PEM file of your certificate authority",
        )
    if not settings.client_id:
        raise ConfigError("broker.client_id", "is empty", 'name the broker\'s session: "pendopo"')
    table.close()
    return settings


def read_web(table: Table) -> WebSettings:
    web = WebSettings(
        host=table.text("host", "127.0.0.1"),
        port=table.integer("port", 8050, low=0, high=65535),
        viewers=table.integer("viewers", 12_000, low=1, high=1_000_000),
    )
    table.close()
    return web


def read_demo(table: Table) -> DemoSettings:
    demo = DemoSettings(
        seed=table.integer("seed", 2026, low=0, high=2**31),
        speed=table.number("speed", 1.0, low=0.1, high=3600),
        history_days=table.integer("history_days", 90, low=1, high=400),
    )
    table.close()
    return demo


def read_clock(table: Table) -> Clock:
    clock = Clock(
        real=table.instant("real", None),
        city=table.instant("city", None),
        speed=table.number("speed", 1.0, low=0.1, high=3600),
    )
    table.close()
    return clock
