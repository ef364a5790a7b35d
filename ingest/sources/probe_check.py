"""One check of one address: up or down, how fast, and the class of what went wrong."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

import httpx

_BODY_ENOUGH = 2 * 1024 * 1024
_REDIRECTS = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """`error` is dns, connect, tls, timeout, protocol, redirects, url or `http <status>`; None while up.

    `latency_ms` runs until the page was received; None when nothing answered.
    """

    up: bool
    latency_ms: float | None = None
    status_code: int | None = None
    error: str | None = None
    cert_expires_at: datetime | None = None


class Checker:
    """Checks with a new connection each time, so that name, handshake and certificate are tried too."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            verify=ssl.create_default_context(),
            follow_redirects=True,
            max_redirects=_REDIRECTS,
            timeout=timeout_s,
            limits=httpx.Limits(max_keepalive_connections=0),
            headers={"User-Agent": "Pendopo-probe/1", "Accept": "*/*"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def check(self, url: str) -> Finding:
        """An address without a scheme is asked by http, and may redirect."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._get(url if "://" in url else f"http://{url}", started)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, ValueError) as error:
            return Finding(up=False, error=failure(error))

    async def _get(self, url: str, started: float) -> Finding:
        async with self._client.stream("GET", url) as response:
            # asked for before the body is read: a connection that is closed knows no certificate
            expires = _certificate_end(response)
            size = 0
            async for block in response.aiter_raw():
                size += len(block)
                if size >= _BODY_ENOUGH:
                    break
        status = response.status_code
        return Finding(
            up=status < 400,
            latency_ms=round((time.perf_counter() - started) * 1000, 1),
            status_code=status,
            error=None if status < 400 else f"http {status}",
            cert_expires_at=expires,
        )


def _certificate_end(response: httpx.Response) -> datetime | None:
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream is not None else None
    certificate = tls.getpeercert() if tls is not None else None
    if not certificate or "notAfter" not in certificate:
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)


def failure(error: BaseException) -> str:
    """The class of a failure, from the innermost cause on: libraries wrap what the system said."""
    chain: list[BaseException] = []
    inner: BaseException | None = error
    while inner is not None and inner not in chain:
        chain.append(inner)
        inner = inner.__cause__ or inner.__context__
    for kinds, name in _CLASSES:
        if any(isinstance(found, kinds) for found in chain):
            return name
    return "connect"


_CLASSES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((socket.gaierror,), "dns"),
    ((ssl.SSLError, ssl.CertificateError), "tls"),
    ((httpx.TimeoutException, TimeoutError), "timeout"),
    ((httpx.TooManyRedirects,), "redirects"),
    ((httpx.InvalidURL, httpx.UnsupportedProtocol), "url"),
    ((httpx.ConnectError,), "connect"),
    ((httpx.ProtocolError, httpx.ReadError, httpx.WriteError, httpx.DecodingError), "protocol"),
)
