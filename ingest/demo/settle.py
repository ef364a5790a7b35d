"""Founds the demo in a folder: its own config.toml, its map, its ports, its memory."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingest.demo import apps, history, systems
from ingest.demo.city import City, found, write_map
from ingest.demo.opd_database import SOURCES
from ingest.demo.state import State
from kpis.config import DemoSettings, Settings, load
from kpis.errors import ConfigError

CHECK_INTERVAL = "10m"


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def settle(base: Settings, folder: Path, demo: DemoSettings, port: int) -> tuple[Settings, State]:
    """Writes the demo's settings and gives them back read, with the memory of earlier starts.

    Raises ConfigError when the folder cannot be written.
    """
    try:
        (folder / history.FOLDER).mkdir(parents=True, exist_ok=True)
        state = _state(folder)
        real = datetime.now(UTC)
        # After a fast demo the city's clock is ahead of the real one, and time there never goes back.
        city_now = max(real, datetime.fromtimestamp(max(state.spoken, state.shown), UTC))
        city = found(replace(base, demo=demo), city_now.date())
        write_map(city, folder / "kelurahan.geojson")
        config = folder / "config.toml"
        config.write_text(_config(base, city, demo, state, port, real, city_now), encoding="utf-8")
        state.save()
    except OSError as error:
        raise ConfigError(
            "--folder", f"{folder} cannot be written: {error.strerror}", "name another folder"
        ) from None
    return load(config), state


def _state(folder: Path) -> State:
    try:
        state = State.load(folder)
    except FileNotFoundError:
        now = datetime.now(UTC).timestamp()
        return State(folder, now, now, free_port(), free_port())
    if not is_free(state.broker_port):
        state.broker_port = free_port()
    if not is_free(state.site_port):
        state.site_port = free_port()
    return state


def _config(
    base: Settings,
    city: City,
    demo: DemoSettings,
    state: State,
    port: int,
    real: datetime,
    city_now: datetime,
) -> str:
    tables: dict[str, Any] = {
        "extends": str(base.path),
        "pretend": True,
        "application": [_application(app, state.site_port) for app in apps.apps(city) if app.probed],
        "interface": [
            {"opd": link.opd, "system": link.system, "interface": link.interface, "interval": "6h"}
            for link in systems.links(city)
        ],
        "maintenance": [_maintenance(city, city_now)],
        "source": _sources(),
        "city": {"map": "kelurahan.geojson"},
        "store": {"url": "sqlite:///pendopo.db"},
        "broker": {"url": f"embedded://127.0.0.1:{state.broker_port}"},
        "web": {"port": port},
        "app_uptime": {"interval": CHECK_INTERVAL},
        "demo": {"seed": demo.seed, "speed": demo.speed, "history_days": demo.history_days},
    }
    if demo.speed != 1 or city_now > real:
        tables["clock"] = {"real": real.isoformat(), "city": city_now.isoformat(), "speed": demo.speed}
    head = "# Written by ./run demo at every start; a change here does not last.\n"
    return head + "".join(_entry(name, value) for name, value in tables.items())


def _application(app: apps.App, port: int) -> dict[str, Any]:
    url = f"http://127.0.0.1:{port}/{app.app}/"
    entry = {
        "app": app.app,
        "name": app.name,
        "opd": app.opd,
        "owner": app.owner,
        "hosting": app.hosting,
        "url": url,
    }
    return {name: value for name, value in entry.items() if value is not None}


def _maintenance(city: City, now: datetime) -> dict[str, Any]:
    """Tonight one application is maintained, as announced."""
    start = now.astimezone(city.days.zone).replace(hour=22, minute=0, second=0, microsecond=0)
    return {
        "app": apps.apps(city)[7].app,
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(hours=3)).isoformat(),
        "reason": "Pemutakhiran peladen",
    }


def _sources() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"name": "city", "type": "mqtt", "topic": "city/#"}]
    found += [
        {**source, "type": "database", "url": "sqlite:///opd.db", "watermark": "diubah", "every": "5s"}
        for source in SOURCES
    ]
    found.append({"name": "probe", "type": "probe", "every": "60s", "timeout": "5s", "interval": "3m"})
    intervals = {"lapor": "2h", "sms": "6h", "splp": "2h", "pemantau": "5m", "presensi": "24h"}
    for name, feed, begins in history.FILES:
        source = {
            "name": name,
            "type": "file",
            "feed": feed,
            "folder": history.FOLDER,
            "pattern": f"{begins}*.jsonl",
            "every": "1s",
        }
        found.append({**source, **({"interval": intervals[name]} if name in intervals else {})})
    return found


def _entry(name: str, value: Any) -> str:
    """A table, an array of tables, or a plain key."""
    if isinstance(value, Mapping):
        return f"\n[{name}]\n" + "".join(f"{k} = {_value(v)}\n" for k, v in value.items())
    if isinstance(value, list):
        return f"\n{name} = [\n" + "".join(f"  {_value(v)},\n" for v in value) + "]\n"
    return f"{name} = {_value(value)}\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
