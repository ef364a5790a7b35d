"""What makes the pages an application of the device: the manifest, and the worker that keeps snapshots.

The manifest is a W3C Web App Manifest; its start address is the page it was asked from. The worker is
`assets/worker/worker.js` under an address of its own at the root, because it may answer for no more than
the folder it comes from (Service Workers, 3.4).
"""

from __future__ import annotations

import json
from html import escape
from urllib.parse import quote, urlencode

from dashboard.assets import SCRIPTS, STYLES, Assets, File
from dashboard.view import View
from kpis.config import LANGUAGES
from kpis.types import City
from layouts.words import Words, msg, words_for

MANIFEST, WORKER = "/manifest.webmanifest", "/worker.js"
# The worker's own requests are held to its own policy, not to a page's.
WORKER_POLICY = "default-src 'none'; connect-src 'self'; frame-ancestors 'self'"
GROUNDS = {"dark": "#14181D", "light": "#E9ECEF"}
_ICONS = (
    ("icon.svg", "any", "image/svg+xml", "any"),
    ("icons/icon-192.png", "192x192", "image/png", "any"),
    ("icons/icon-512.png", "512x512", "image/png", "any"),
    ("icons/maskable-512.png", "512x512", "image/png", "maskable"),
)
_NOWHERE = (msg("NO CONNECTION"), msg("This page was never opened on this device, so nothing of it is kept."))


def manifest_address(path: str, view: View) -> str:
    """Where the manifest of the application that begins with this page is."""
    return f"{MANIFEST}?{urlencode({'start': path, 'lang': view.language, 'theme': view.theme})}"


def manifest(view: View, path: str, city: City, words: Words, assets: Assets) -> str:
    """The manifest of the application that begins with `view` at `path`."""
    ground = GROUNDS[view.theme]
    said = {
        "id": path,
        "name": f"{city.name} · {words.t(view.page.title)}",
        "short_name": city.name[:24],
        "description": words.t("Command centre of {city}", city=city.name),
        "lang": view.language,
        "dir": "ltr",
        "start_url": quote(path),
        "scope": "/",
        "display": "standalone",
        "background_color": ground,
        "theme_color": ground,
        "categories": ["government", "productivity"],
        "icons": [
            {"src": assets.address(name), "sizes": sizes, "type": kind, "purpose": purpose}
            for name, sizes, kind, purpose in _ICONS
        ],
    }
    return json.dumps(said, ensure_ascii=False)


def worker(assets: Assets, build: str) -> File:
    """The worker of this build: another build is another file, which is how a browser learns of it."""
    files = [assets.address(STYLES), assets.address(SCRIPTS), *assets.fonts]
    files += [assets.address(name) for name, *_ in _ICONS]
    known = {"BUILD": build, "FILES": files, "NOWHERE": _nowhere()}
    head = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in known.items())
    return File.of("worker.js", head.encode() + assets.content("worker/worker.js"))


def _nowhere() -> str:
    """What the worker shows of a page it keeps nothing of; it asks again by itself."""
    said = "".join(_told(language) for language in LANGUAGES)
    return (
        f'<!DOCTYPE html><html lang="{LANGUAGES[0]}"><head><meta charset="utf-8"><title>Pendopo</title>'
        '<meta http-equiv="refresh" content="10"><meta name="color-scheme" content="light dark">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"</head><body><main>{said}</main></body></html>"
    )


def _told(language: str) -> str:
    head, why = (escape(words_for(language, "UTC").t(text)) for text in _NOWHERE)
    return f'<section lang="{language}"><h1>{head}</h1><p>{why}</p></section>'
