"""The HTML document around a page: language, theme, nonce, and the first request sent ahead."""

from __future__ import annotations

import json
import re
from contextvars import ContextVar
from dataclasses import dataclass
from html import escape
from typing import Any

from dash import Dash

from dashboard.view import View

# Which versions run here is nobody's business, and Dash's page loads none of these.
_UNTOLD = ("python_version", "dash_version", "dash_version_url", "plotly_version", "ddk_version")

# Dash asks for these once its scripts run; asked for ahead, the figures are there with the first paint.
_FIRST = ("_dash-layout", "_dash-dependencies")
_PRELOAD = '<link rel="preload" href="{}" as="fetch" crossorigin="anonymous">'
# The ground of each theme, so that a dark room sees no white page while the styles are on their way.
_GROUND = 'html{background:#E9ECEF}html[data-theme="dark"]{background:#14181D}'


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a document. `attributes` stand on the html element for `assets/live.js`."""

    view: View
    nonce: str
    title: str
    attributes: dict[str, str]


current: ContextVar[Visit] = ContextVar("visit")


class Document(Dash):
    """Dash whose index page is written for the visit at hand."""

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
        visit = current.get()
        nonce = f'<script nonce="{visit.nonce}"'
        attributes = "".join(f' {name}="{escape(value)}"' for name, value in visit.attributes.items())
        ahead = "".join(_PRELOAD.format(escape(visit.view.prefix + name)) for name in _FIRST)
        return f"""<!DOCTYPE html>
<html{attributes}>
<head>
{metas}
<title>{escape(visit.title)}</title>
{ahead}
{favicon}
<style>{_GROUND}</style>
{css}
</head>
<body>
<div id="react-entry-point"><div class="_dash-loading" aria-busy="true"></div></div>
{_config(config, visit.view.prefix)}
{scripts.replace("<script", nonce)}
{renderer.replace("<script", nonce)}
</body>
</html>"""


def _config(script: str, prefix: str) -> str:
    """Dash's settings for the browser, asking for its layout under the view's prefix."""
    body = re.sub(r"^<script[^>]*>|</script>$", "", script)
    settings: dict[str, Any] = json.loads(body)
    for name in _UNTOLD:
        settings.pop(name, None)
    settings["requests_pathname_prefix"] = prefix
    text = json.dumps(settings, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script id="_dash-config" type="application/json">{text}</script>'
