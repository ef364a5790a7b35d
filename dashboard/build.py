"""Which build this is: pages reload once when the server they come back to is another."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

from kpis.config import Settings

_ROOT = Path(__file__).resolve().parent.parent
_FOLDERS = ("assets", "dashboard", "kpis", "layouts")


def build_id(settings: Settings) -> str:
    """Twelve hex digits over everything an open page was made from: code, assets, catalogues, the
    libraries that draw, and the settings a page's frame shows. The same after a plain restart."""
    digest = hashlib.sha256()
    for folder in _FOLDERS:
        for file in sorted((_ROOT / folder).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(file.relative_to(_ROOT).as_posix().encode())
                digest.update(file.read_bytes())
    for library in ("dash", "dash-bootstrap-components"):
        digest.update(version(library).encode())
    shown = (settings.city, settings.language, settings.tiles, settings.screens, dict(settings.kpis),
             settings.clock.speed)  # fmt: skip
    digest.update(repr(shown).encode())
    return digest.hexdigest()[:12]
