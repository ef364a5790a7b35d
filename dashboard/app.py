"""Puts the dashboard together: Dash on FastAPI behind the gate, the stream hub beside it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from dash import Dash, html
from dash.backends._fastapi import FastAPIDashServer
from dash.exceptions import DependencyException, InvalidResourceError
from fastapi import FastAPI, Request, Response

from dashboard.api.replies import Readings, router
from dashboard.assets import Assets
from dashboard.build import build_id
from dashboard.document import Document
from dashboard.gate import Gate
from dashboard.live import Hub, Pace
from dashboard.render import Renderer
from dashboard.screens import Devices, Door, ScreenStore
from dashboard.snapshot import Snapshots, Source
from dashboard.view import Views
from dashboard.watch import Waits, Watch
from kpis.config import Settings
from layouts.pages import Page

_ASSETS = Path(__file__).resolve().parent.parent / "assets"


class Tables(Source, Readings, ScreenStore, Protocol):
    """What the pages, the replies and the screens are read from: `dashboard.tables.Tables`."""


class Dashboard:
    """One process's dashboard: `gate` is its ASGI application, `hub` its streams."""

    def __init__(
        self,
        settings: Settings,
        tables: Tables,
        listener: Waits,
        pages: Sequence[Page],
        *,
        pace: Pace | None = None,
    ) -> None:
        self._settings = settings
        self._build = build_id(settings)
        self.snapshots = Snapshots(tables)
        self.renderer = Renderer(self.snapshots, pages, settings.city)
        self.hub = Hub(self.renderer.panels, self._fields, limit=settings.web.viewers, pace=pace)
        self._watch = Watch(listener, self._changed, self._lost)
        self.devices = Devices(tables, settings)
        self.assets = Assets(_ASSETS)
        self.dash = _dash(tables, self.snapshots, settings, self.assets)
        self.gate = Gate(
            self.dash.server,
            views=Views(
                pages,
                settings.city,
                settings.language,
                (screen.name for screen in settings.screens),
                settings.clock.now,
            ),
            renderer=self.renderer,
            hub=self.hub,
            assets=self.assets,
            city=settings.city,
            build=self._build,
            devices=self.devices,
            door=Door(self.devices, settings, self._build),
            start=self._begin,
            stop=self._stop,
        )

    def _begin(self) -> None:
        self._watch.start()
        self.devices.start()

    def _changed(self, version: int) -> None:
        self.snapshots.version = version
        if not self.snapshots.store_ok:
            self.snapshots.doubt()
        self.hub.announce(version)

    def _lost(self) -> None:
        self.snapshots.doubt()
        self.hub.touch()

    def _fields(self) -> Mapping[str, Any]:
        """What every event tells the browser: which build this is, and the city's time in ms."""
        return {"build": self._build, "now": int(self._settings.clock.now().timestamp() * 1000)}

    async def _stop(self) -> None:
        self.hub.close()
        await self.devices.stop()
        await self._watch.stop()
        self.snapshots.close()


class _Server(FastAPIDashServer):
    """Dash's FastAPI server without its websocket, its API pages and its answer to every address."""

    websocket_capability = False

    @staticmethod
    def create_app(name: str = "dashboard", config: dict[str, Any] | None = None) -> FastAPI:
        return FastAPI(title="Pendopo", docs_url=None, redoc_url=None, openapi_url=None)

    def _setup_catchall(self) -> None:
        """Unknown addresses stay unknown."""

    def serve_component_suites(
        self, dash_app: Dash, package_name: str, fingerprinted_path: str, request: Request
    ) -> Response:
        """A library's script; 404 where Dash would fail on a name it does not know."""
        try:
            found: Response = super().serve_component_suites(
                dash_app, package_name, fingerprinted_path, request
            )
        except (DependencyException, InvalidResourceError, OSError):
            return Response(status_code=404)
        return found


def _dash(tables: Readings, snapshots: Snapshots, settings: Settings, assets: Assets) -> Document:
    dash = Document(
        "dashboard",
        assets,
        backend=_Server,
        title="Pendopo",
        update_title="",
        suppress_callback_exceptions=True,
        add_log_handler=False,
    )
    # Each view's own layout is given by the gate, which knows the view; Dash only needs to have one.
    dash.layout = html.Div()
    dash.server.include_router(router(tables, settings.city, lambda: snapshots.version))
    for output, entry in dash.callback_map.items():
        if "callback" in entry and not inspect.iscoroutinefunction(entry["callback"]):
            raise TypeError(f"the callback of {output} is not async: it would hold up every other request")
    return dash
