"""Maps that ship with Pendopo, for files many cities have: one TOML file each, with `feed`, `map` and,
where its times carry no offset, `timezone`. A `[[source]]` of the same name in config.toml goes first.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from kpis.config import FEEDS, Settings, SourceSettings
from kpis.reader import Table

_FOLDER = Path(__file__).parent


def with_shipped(settings: Settings) -> Settings:
    """The settings with the shipped maps among their sources, so that a map's name finds its mapping."""
    known = {source.name for source in settings.sources}
    more = tuple(shipped(path) for path in sorted(_FOLDER.glob("*.toml")) if path.stem not in known)
    return replace(settings, sources=settings.sources + more)


def shipped(path: Path) -> SourceSettings:
    """One map file as a source without a door. Raises ConfigError."""
    table = Table(tomllib.loads(path.read_text(encoding="utf-8")), f"maps.{path.stem}", {})
    zone = table.text("timezone", None)
    source = SourceSettings(
        name=path.stem,
        type="file",
        feed=table.text("feed", one_of=FEEDS),
        topic=None,
        mapping=table.mapping("map"),
        timezone=ZoneInfo(zone) if zone else None,
        interval=None,
        url=None,
        query=None,
        watermark=None,
        start=None,
        overlap=timedelta(0),
        every=timedelta(0),
        timeout=timedelta(0),
        concurrency=1,
        folder=None,
        pattern="*",
    )
    table.close()
    return source
