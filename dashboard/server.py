"""uvicorn on one address, with one worker: the hub's viewers are all in one process."""

from __future__ import annotations

import errno
import resource
import socket
from collections.abc import Callable

import uvicorn

from dashboard.app import Dashboard
from kpis.errors import ConfigError

_HOSTS = 'use "127.0.0.1" for this machine alone, "0.0.0.0" for others too'


def bind(host: str, port: int) -> socket.socket:
    """The address, taken before anything else starts. Raises ConfigError when it is not to be had."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise ConfigError("web.host", f"{host!r} is no address here: {error.strerror}", _HOSTS) from None
    taken = socket.socket(family, kind, proto)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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
    _allow_many_viewers()
    config = uvicorn.Config(
        dashboard.gate,
        loop="uvloop",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    _Server(config, dashboard, ready).run(sockets=[taken])


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


def _allow_many_viewers() -> None:
    """Every open page holds a file descriptor, and the usual limit of 1,024 is only the soft one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _refused(host: str, port: int, error: OSError) -> ConfigError:
    if error.errno == errno.EADDRINUSE:
        would_do = "stop what uses it, or choose another there or with --port"
        return ConfigError("web.port", f"{port} is in use on {host}", would_do)
    if error.errno == errno.EACCES:
        return ConfigError("web.port", f"{port} may not be used by this account", "choose one above 1023")
    return ConfigError("web.host", f"{host!r} cannot be used: {error.strerror}", _HOSTS)
