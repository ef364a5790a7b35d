"""The outermost door: which addresses exist and who answers them.

Dash answers unknown addresses with its index page and guards only its own paths, so everything is
decided here, before Dash is asked.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from dashboard.assets import ASK, Assets, send_file
from dashboard.assets import PREFIX as ASSETS
from dashboard.document import Visit, current, painted
from dashboard.headers import policy, secured
from dashboard.installable import MANIFEST, WORKER, WORKER_POLICY, manifest, worker
from dashboard.live import Hub
from dashboard.pieces import Piece
from dashboard.render import Renderer
from dashboard.replies import AWAY, FAILED, HTML, LOST, reply, see_other
from dashboard.scope import BEARER, scope_of
from dashboard.screens import Devices, Door
from dashboard.screens.door import ADDRESSES, HEALTH, SCREEN, WAIT, home
from dashboard.screens.page import not_yours
from dashboard.shelf import FOLDER, Shelf, accepts_gzip
from dashboard.stream import Message, Receive, Send, stream
from dashboard.view import LIVE, PREFIX, View, Views, query_of, theme_cookie
from kpis.catalogue import catalogue
from kpis.errors import StoreError
from kpis.types import City

log = logging.getLogger(__name__)

HOME = "/wall"
_OTHERS = ("/api/", "/healthz")
_DASH = ("/_dash-dependencies", "/_dash-update-component")
_POSTED = (WAIT, HEALTH)
_A_YEAR = 365 * 24 * 3600

Request = dict[str, Any]
Application = Callable[[Request, Receive, Send], Awaitable[None]]


class Gate:
    """The ASGI application uvicorn runs. `dash` is what stands behind it."""

    def __init__(
        self,
        dash: Application,
        *,
        views: Views,
        renderer: Renderer,
        hub: Hub,
        assets: Assets,
        city: City,
        build: str,
        devices: Devices,
        door: Door,
        start: Callable[[], None],
        stop: Callable[[], Awaitable[None]],
    ) -> None:
        self._dash = dash
        self._shelf = Shelf(dash)
        self._views = views
        self._renderer = renderer
        self._hub = hub
        self._assets = assets
        self._worker = worker(assets, build)
        self._city = city
        self._build = build
        self._devices = devices
        self._door = door
        self._start = start
        self._stop = stop

    async def __call__(self, request: Request, receive: Receive, send: Send) -> None:
        if request["type"] == "lifespan":
            await self._live_and_die(request, receive, send)
        elif request["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            await self._answer(request, receive, send)

    async def _answer(self, request: Request, receive: Receive, send: Send) -> None:
        path, plain = str(request["path"]), secured(send)
        request = self._devices.marked(request)
        if not _allowed(request):
            await reply(plain, 405, "this address takes no such request")
        elif path in ADDRESSES:
            await self._door(request, receive, send)
        elif path == "/":
            bound = scope_of(request, self._city).bound
            await see_other(plain, SCREEN if bound else HOME, request)
        elif self._barred(request):
            await self._bar(request, plain)
        elif path == LIVE:
            await self._stream(request, receive, plain)
        elif _is_static(path):
            await self._static(request, receive, send)
        elif path.startswith(_OTHERS):
            await self._dash(_as_get(request), receive, plain)
        elif path.startswith(PREFIX):
            await self._view(request, receive, plain)
        else:
            await self._page(request, receive, send)

    def _barred(self, request: Request) -> bool:
        """Whether a screen's token asks for what is not its screen's. Whatever is not named here is not,
        an address that comes to be tomorrow too; scripts and styles say nothing of the city."""
        if not scope_of(request, self._city).bound:
            return False
        path = str(request["path"])
        if _is_static(path):
            return False
        if path == LIVE:
            return self._views.by_query(request) is None
        if path.startswith(PREFIX):
            return self._views.by_prefix(request) is None
        return self._views.by_path(request) is None

    async def _bar(self, request: Request, send: Send) -> None:
        """403; a page that goes where the screen belongs, unless it is a program that asks. While the
        tokens were not read yet nobody can tell, and the screen is told to come again."""
        if request[BEARER] is None and not self._devices.known:
            await reply(send, 503, AWAY, kind=HTML)
            return
        bearer = request[BEARER]
        place = SCREEN if bearer is None else home(bearer.screen)
        await reply(send, 403, not_yours(place), kind=HTML)

    async def _static(self, request: Request, receive: Receive, send: Send) -> None:
        """What is the same for everybody: scripts, styles, fonts, icons, the worker and the manifest."""
        path, plain = str(request["path"]), secured(send)
        if path == MANIFEST:
            await self._manifest(request, plain)
        elif path == WORKER:
            await send_file(self._worker, ASK, request, accepts_gzip(request), secured(send, WORKER_POLICY))
        elif path.startswith(ASSETS):
            await self._assets(request, accepts_gzip(request), plain)
        else:
            await self._shelf(_as_get(request), receive, plain)

    async def _page(self, request: Request, receive: Receive, send: Send) -> None:
        """The document of a page, whose layout and figures the browser asks for next."""
        view = self._views.by_path(request)
        if view is None:
            await reply(secured(send), 404, LOST, kind=HTML)
            return
        try:
            # Made now and kept for the request that follows, or the reason why there is nothing to show.
            layout = await self._renderer.layout(view)
        except StoreError as error:
            log.warning("cannot show %s: %s", view.topic.key, error)
            await reply(secured(send), 503, AWAY, kind=HTML)
            return
        except Exception:
            log.exception("cannot show %s", view.topic.key)
            await reply(secured(send), 500, FAILED, kind=HTML)
            return
        visit = self._visit(view, request)
        token = current.set(visit)
        try:
            send = _remembering(secured(send, policy(visit.nonce)), view, query_of(request))
            send = _painting(send, layout.first, accepts_gzip(request))
            await self._dash({**_as_get(request), "path": "/", "raw_path": b"/"}, receive, send)
        finally:
            current.reset(token)

    async def _manifest(self, request: Request, send: Send) -> None:
        """The manifest of the application that begins with the page that `start` names."""
        path = query_of(request).get("start", HOME)
        view = self._views.by_path({**request, "path": path})
        if view is None:
            await reply(send, 404)
            return
        said = manifest(view, path, self._city, self._renderer.words(view.language), self._assets)
        await reply(send, 200, said, kind="application/manifest+json; charset=utf-8")

    def _visit(self, view: View, request: Request) -> Visit:
        words = self._renderer.words(view.language)
        opd = next((opd for opd in self._city.opds if opd.code == view.opd), None)
        title = opd.abbreviation if opd else words.t(view.page.title)
        if view.kpi is not None:
            title = words.t(catalogue()[view.kpi].title) + (f", {title}" if opd else "")
        attributes = {
            "lang": view.language,
            "class": "wall" if view.page.wall else "",
            "data-theme": view.theme,
            "data-bs-theme": view.theme,
            "data-theme-cookie": theme_cookie(view.page),
            "data-live": view.live,
            "data-build": self._build,
            **({"data-screen": request[BEARER].screen} if request[BEARER] else {}),
        }
        if view.page.looks:
            attributes |= self._views.look_of(request)
        path = str(request["path"])
        return Visit(view, path, secrets.token_urlsafe(16), f"{title} · {self._city.name}", attributes)

    async def _view(self, request: Request, receive: Receive, send: Send) -> None:
        """A view's own Dash paths: its layout, and what Dash itself answers."""
        found = self._views.by_prefix(request)
        if found is None:
            await reply(send, 404)
        elif found[1] == "/_dash-layout":
            await self._layout(found[0], accepts_gzip(request), send)
        elif found[1] in _DASH:
            await self._dash({**request, "path": found[1], "raw_path": found[1].encode()}, receive, send)
        elif found[1].startswith((ASSETS, FOLDER)):
            await see_other(send, found[1], request)
        else:
            await reply(send, 404)

    async def _layout(self, view: View, gzipped: bool, send: Send) -> None:
        try:
            layout = await self._renderer.layout(view)
        except StoreError as error:
            log.warning("no layout for %s: %s", view.topic.key, error)
            await reply(send, 503, str(error))
            return
        body = layout.packed if gzipped else layout.plain
        await reply(send, 200, body, kind="application/json", gzipped=gzipped)

    async def _stream(self, request: Request, receive: Receive, send: Send) -> None:
        view = self._views.by_query(request)
        if view is None:
            await reply(send, 404)
        else:
            with self._devices.held(request):
                await stream(self._hub, view.topic, accepts_gzip(request), request, receive, send)

    async def _live_and_die(self, request: Request, receive: Receive, send: Send) -> None:
        """Starts and stops what runs beside the requests, then lets Dash's server do the same."""

        async def heard() -> Message:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._start()
            else:
                await self._stop()
            return message

        await self._dash(request, heard, send)


def _is_static(path: str) -> bool:
    return path in (MANIFEST, WORKER) or path.startswith((ASSETS, FOLDER))


def _allowed(request: Request) -> bool:
    """GET everywhere, HEAD where a reply ends; POST only to Dash's callbacks and from screens, as JSON,
    from our own pages."""
    if request["method"] == "HEAD":
        return bool(request["path"] != LIVE)
    if request["method"] == "GET":
        return True
    headers = dict(request["headers"])
    origin = urlsplit(headers.get(b"origin", b"").decode("latin-1")).netloc
    return (
        request["method"] == "POST"
        and (request["path"] in _POSTED or str(request["path"]).endswith("/_dash-update-component"))
        and headers.get(b"content-type", b"").startswith(b"application/json")
        and origin == headers.get(b"host", b"").decode("latin-1")
    )


def _as_get(request: Request) -> Request:
    """HEAD is answered like GET; the server leaves the body out."""
    return {**request, "method": "GET"} if request["method"] == "HEAD" else request


def _painting(send: Send, first: Piece, gzip: bool) -> Send:
    """Puts the page's first paint into the document that Dash gives."""
    began: list[Message] = []

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            began.append(message)
            return
        body = painted(message.get("body", b""), first, gzip)
        kept = [(name, value) for name, value in began[0]["headers"] if name != b"content-length"]
        extra = [(b"content-length", str(len(body)).encode()), (b"vary", b"Accept-Encoding")]
        extra += [(b"content-encoding", b"gzip")] if gzip else []
        await send({**began[0], "headers": [*kept, *extra]})
        await send({"type": "http.response.body", "body": body})

    return sent


def _remembering(send: Send, view: View, query: dict[str, str]) -> Send:
    """Sets a cookie for the language and theme that were asked for by name; no page is cached."""
    chosen = {"lang": view.language} if query.get("lang") == view.language else {}
    if query.get("theme") == view.theme:
        chosen[theme_cookie(view.page)] = view.theme

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            cookies = [f"{k}={v}; Path=/; Max-Age={_A_YEAR}; SameSite=Lax" for k, v in chosen.items()]
            extra = [(b"set-cookie", cookie.encode()) for cookie in cookies]
            message = {**message, "headers": [*message["headers"], (b"cache-control", b"no-store"), *extra]}
        await send(message)

    return sent
