"""What the live stream is compared with: `python -m benchmarks.live_peers NAME --config FILE --port N`.

Every peer reads and renders a change once, as the dashboard does, and differs in the way it reaches
the viewers alone. Nobody compresses but the floor, which sends the very bytes of the stream.

polling    a plain Dash application on its FastAPI backend with a dcc.Interval of one second
websocket  the same with a persistent websocket callback that waits for a change and calls set_props
floor      an asyncio protocol that writes each event to every connection, and nothing else
"""

from __future__ import annotations

import argparse
import asyncio
import resource
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import uvicorn
import uvloop
from dash import Dash, Input, Output, ctx, dcc, html, set_props

from dashboard.events import GZIP_HEADER, Event, changed, event
from dashboard.render import to_json
from dashboard.snapshot import Key, Snapshots
from dashboard.tables import Tables
from dashboard.watch import Watch
from kpis.announce import Listener
from kpis.config import Settings, load
from kpis.store import Store, open_store
from layouts.pages.wall import PAGE
from layouts.words import words_for


class Board:
    """The newest change of the wall: what it changed, as components and as JSON by panel."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.version = -1
        self.tree: Any = None
        self.patch: dict[str, bytes] = {}
        self._snapshots = Snapshots(Tables(settings, store))
        self._words = words_for("id", settings.city.timezone)
        self._panels: dict[str, bytes] = {}
        self._news = asyncio.Event()
        self._work: set[asyncio.Task[None]] = set()
        self._watch = Watch(Listener(store), self._changed, lambda: None)

    def start(self) -> None:
        self._watch.start()

    async def stop(self) -> None:
        await self._watch.stop()
        self._snapshots.close()

    async def after(self, seen: int) -> int:
        """Waits for a version other than `seen`."""
        while self.version == seen:
            await self._news.wait()
        return self.version

    def _changed(self, version: int) -> None:
        self._snapshots.version = version
        task = asyncio.create_task(self._render())
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _render(self) -> None:
        snapshot = await self._snapshots.get(Key("wall"))
        panels = await asyncio.to_thread(PAGE.panels, snapshot, self._words)
        packed = {name: to_json(panel) for name, panel in panels.items()}
        # What a page begins with is not measured: its whole wall is several times the size of a change.
        self.patch, self._panels = changed(self._panels or packed, packed), packed
        children = [panels[name] for name in self.patch]
        shown: dict[str, Any] = {"data-version": str(snapshot.version)}
        self.tree = html.Div(children, **shown)
        self.version = snapshot.version
        news, self._news = self._news, asyncio.Event()
        news.set()


def polling(board: Board) -> Any:
    app = _app(board)
    app.layout = html.Div([dcc.Interval(id="tick", interval=1000), html.Div(id="panels")])

    @app.callback(Output("panels", "children"), Input("tick", "n_intervals"))
    async def show(_: int) -> Any:
        return board.tree

    return app.server


def websocket(board: Board) -> Any:
    app = _app(board)
    app.layout = html.Div(id="panels")

    @app.callback(persistent=True, websocket=True)
    async def follow() -> None:
        seen = -1
        while ctx.websocket and not ctx.websocket.is_shutdown:
            seen = await board.after(seen)
            set_props("panels", {"children": board.tree})

    return app.server


def _app(board: Board) -> Dash:
    app = Dash("peer", backend="fastapi")

    @asynccontextmanager
    async def lifespan(_: Any) -> Any:
        board.start()
        yield
        await board.stop()

    app.server.router.lifespan_context = lifespan
    return app


class _Connection(asyncio.Protocol):
    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so

    def data_received(self, _: bytes) -> None:
        if self._transport is not None:
            self._transport.write(_HEAD + _chunk(GZIP_HEADER) + self._floor.state)
            self._floor.connections.add(self._transport)

    def connection_lost(self, _: Exception | None) -> None:
        if self._transport is not None:
            self._floor.connections.discard(self._transport)


_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def _chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


class Floor:
    """Serves until cancelled; the change each connection begins with is the newest one."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self.state = b""
        self.connections: set[asyncio.Transport] = set()

    async def run(self, port: int) -> None:
        self._board.start()
        loop = asyncio.get_running_loop()
        seen = await self._next(-1)
        server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", port, backlog=2048)
        async with server:
            while True:
                seen = await self._next(seen)
                for connection in self.connections:
                    connection.write(self.state)

    async def _next(self, seen: int) -> int:
        version = await self._board.after(seen)
        made: Event = event("patch", {"version": version}, self._board.patch, str(version))
        self.state = _chunk(made.deflated)
        return version


APPS: dict[str, Callable[[Board], Any]] = {"polling": polling, "websocket": websocket}


async def _serve(name: str, settings: Settings, store: Store, port: int) -> None:
    board = Board(settings, store)
    if name == "floor":
        await Floor(board).run(port)
        return
    # Uncompressed websockets spare the server most of its work; browsers would ask for compression.
    config = uvicorn.Config(
        APPS[name](board),
        port=port,
        lifespan="on",
        log_level="warning",
        access_log=False,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=1,
    )
    await uvicorn.Server(config).serve()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=(*APPS, "floor"))
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65_536)), hard))
    settings = load(asked.config, {})
    with open_store(settings) as store:
        uvloop.run(_serve(asked.name, settings, store, asked.port))


if __name__ == "__main__":
    main()
