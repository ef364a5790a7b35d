"""The HTML document around a page: its first paint, language, theme, nonce, and what is asked for ahead."""

from __future__ import annotations

import json
import re
from contextvars import ContextVar
from dataclasses import dataclass
from html import escape
from typing import Any

from dash import Dash

from dashboard.assets import SCRIPTS, STYLES, Assets
from dashboard.installable import GROUNDS, manifest_address
from dashboard.pieces import Piece, gzipped
from dashboard.view import View

# Which versions run here is nobody's business, and Dash's page loads none of these.
_UNTOLD = ("python_version", "dash_version", "dash_version_url", "plotly_version", "ddk_version")

# Dash asks for these once its scripts run; asked for ahead, they are there by then.
_FIRST = ("_dash-layout", "_dash-dependencies")
_AHEAD = '<link rel="preload" href="{}" as="{}" crossorigin="anonymous">'

# Everything a page shows is made into HTML on the server (layouts/flat.py), so of the component libraries
# only the elements themselves are sent. The polyfill is for browsers older than the styles need.
_UNUSED = re.compile(r"/(?:dcc|dash_table|dash_bootstrap_components)/|/polyfill@")
_NAMESPACES = ("dash_html_components", "pendopo")

# The ground of each theme, so that a dark room sees no white page while the styles are on their way;
# and Dash's own root waits unseen until the page stands in it: live.js then takes the first paint away.
_GROUND = (
    'html{background:#E9ECEF}html[data-theme="dark"]{background:#14181D}'
    "#first+#react-entry-point{display:none}"
)
_PAINT = "<!--first-->"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a document. `attributes` stand on the html element for `assets/live.js`."""

    view: View
    path: str
    nonce: str
    title: str
    attributes: dict[str, str]


current: ContextVar[Visit] = ContextVar("visit")


class Document(Dash):
    """Dash whose index page is written for the visit at hand; `assets` are its styles and scripts."""

    def __init__(self, name: str, assets: Assets, **options: Any) -> None:
        self._own = assets
        super().__init__(name, include_assets_files=False, **options)

    def interpolate_index(
        self,
        metas: str = "",
        title: str = "",
        css: str = "",
        config: str = "",
        scripts: str = "",
        app_entry: str = "",
        favicon: str = "",
        renderer: str = "",
    ) -> str:
        visit, own = current.get(), self._own
        nonce = f'<script nonce="{visit.nonce}"'
        attributes = "".join(f' {name}="{escape(value)}"' for name, value in visit.attributes.items())
        fonts = "".join(_AHEAD.format(font, "font") for font in own.fonts)
        ahead = "".join(_AHEAD.format(escape(visit.view.prefix + name), "fetch") for name in _FIRST)
        ours = f'<script src="{own.address(SCRIPTS)}"></script>'
        return f"""<!DOCTYPE html>
<html{attributes}>
<head>
{metas}
<title>{escape(visit.title)}</title>
<style>{_GROUND}</style>
<link rel="stylesheet" href="{own.address(STYLES)}">
{fonts}{ahead}
<link rel="icon" href="{own.address("favicon.ico")}" sizes="any">
<link rel="icon" href="{own.address("icon.svg")}" type="image/svg+xml">
<link rel="apple-touch-icon" href="{own.address("icons/icon-192.png")}">
<link rel="manifest" href="{escape(manifest_address(visit.path, visit.view))}">
<meta name="theme-color" content="{GROUNDS[visit.view.theme]}">
</head>
<body>
<div id="first">{_PAINT}</div>
<div id="react-entry-point"></div>
{ours.replace("<script", nonce)}
<!--dash-->
{_config(config, visit.view.prefix)}
{"".join(_needed(scripts)).replace("<script", nonce)}
{renderer.replace("<script", nonce)}
<!--/dash-->
</body>
</html>"""


def painted(document: bytes, first: Piece, gzip: bool) -> bytes:
    """The document with the page's first paint in its place, gzipped or not."""
    before, _, after = document.partition(_PAINT.encode())
    if gzip:
        return gzipped(Piece.of(before), first, Piece.of(after))
    return before + first.plain + after


def _needed(scripts: str) -> list[str]:
    return [line for line in scripts.splitlines() if line and not _UNUSED.search(line)]


def _config(script: str, prefix: str) -> str:
    """Dash's settings for the browser, asking for its layout under the view's prefix."""
    body = re.sub(r"^<script[^>]*>|</script>$", "", script)
    settings: dict[str, Any] = json.loads(body)
    for name in _UNTOLD:
        settings.pop(name, None)
    settings["requests_pathname_prefix"] = prefix
    # Which properties hold components, only where that is not none of them.
    known = settings["children_props"]
    settings["children_props"] = {
        space: {name: props for name, props in known.get(space, {}).items() if props} for space in _NAMESPACES
    }
    text = json.dumps(settings, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script id="_dash-config" type="application/json">{text}</script>'
