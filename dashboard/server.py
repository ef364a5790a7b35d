"""uvicorn on one address, with one worker: the hub's viewers are all in one process."""

from __future__ import annotations

import errno
import logging
import resource
import socket
from collections.abc import Callable

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dashboard.app import Dashboard
from dashboard.stream import WIRE
from kpis.errors import ConfigError

log = logging.getLogger(__name__)

# The kernel cuts it to net.core.somaxconn: connections that wait to be taken when all come at once.
_BACKLOG = 16_384
# Descriptors for everything that is no open page: the store, the listening socket, files, requests.
_OTHERS = 256
# Bytes that nobody has confirmed for so long are for nobody any more: the other end is gone.
_GONE_MS = 60_000
_HOSTS = 'use "127.0.0.1" for this machine alone, "0.0.0.0" for others too'


def bind(host: str, port: int) -> socket.socket:
    """The address, taken before anything else starts. Raises ConfigError when it is not to be had."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise ConfigError("web.host", f"{host!r} is no address here: {error.strerror}", _HOSTS) from None
    taken = socket.socket(family, kind, proto)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _GONE_MS)  # of those it accepts, too
    try:
        taken.bind(address)
    except OSError as error:
        taken.close()
        raise _refused(host, port, error) from None
    return taken


def address_of(taken: socket.socket) -> str:
    """What a person opens: the local machine where the server listens on every address."""
    host, port = taken.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104  compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve(dashboard: Dashboard, taken: socket.socket, ready: Callable[[], None]) -> None:
    """Serves until the process is told to stop; `ready` is called once requests are answered."""
    server_of(dashboard, ready).run(sockets=[taken])


def server_of(dashboard: Dashboard, ready: Callable[[], None]) -> uvicorn.Server:
    """The server that `serve` runs."""
    dashboard.hub.limit = room_for(dashboard.hub.limit)
    config = uvicorn.Config(
        dashboard.gate,
        loop="uvloop",
        http=_Protocol,
        backlog=_BACKLOG,
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    return _Server(config, dashboard, ready)


class _Protocol(HttpToolsProtocol):
    """Lends the stream its transport."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {WIRE: self.transport}  # type: ignore[dict-item]  # ASGI allows any


class _Server(uvicorn.Server):
    """Ends the streams before it waits for its connections to end."""

    def __init__(self, config: uvicorn.Config, dashboard: Dashboard, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._dashboard = dashboard
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._dashboard.hub.close()
        await super().shutdown(sockets)


def room_for(viewers: int) -> int:
    """Raises the limit of file descriptors as far as it may be; for how many open pages it is enough.

    Every one holds a descriptor, and the usual limit of 1,024 is only the soft one.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = viewers + _OTHERS
    allowed = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        served = max(1, allowed - _OTHERS)
        told = (
            "web.viewers is %d, but %d open files are allowed: at most %d pages are served at once; raise %s"
        )
        log.warning(told, viewers, allowed, served, "the limit (LimitNOFILE in the service's unit)")
        return served
    return viewers


def _refused(host: str, port: int, error: OSError) -> ConfigError:
    if error.errno == errno.EADDRINUSE:
        would_do = "stop what uses it, or choose another there or with --port"
        return ConfigError("web.port", f"{port} is in use on {host}", would_do)
    if error.errno == errno.EACCES:
        return ConfigError("web.port", f"{port} may not be used by this account", "choose one above 1023")
    return ConfigError("web.host", f"{host!r} cannot be used: {error.strerror}", _HOSTS)
