"""`/screen`: where a new screen shows its code and gets its token, and where a screen says how it is."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from dashboard.headers import policy, secured
from dashboard.replies import AWAY, HTML, reply
from dashboard.scope import BEARER, TOKEN_COOKIE, token_of
from dashboard.screens import reports
from dashboard.screens.devices import Devices
from dashboard.screens.limits import Limit
from dashboard.screens.page import BUSY, waiting_page
from dashboard.stream import Receive, Send
from dashboard.view import cookies_of
from kpis.config import WALL, Settings
from kpis.errors import StoreError
from kpis.screens.codes import new_secret, spelled
from kpis.screens.enrolment import LIFETIME, Waiting

log = logging.getLogger(__name__)

SCREEN = "/screen"
WAIT = "/screen/wait"
HEALTH = "/screen/health"
ADDRESSES = (SCREEN, WAIT, HEALTH)

_WAIT_COOKIE = "pendopo_waiting"
# A browser keeps a cookie for 400 days at most (RFC 6265bis); it is set anew at every visit of /screen.
_LONG = 400 * 24 * 3600
_PATIENCE_S = 10.0

Request = dict[str, Any]


class Door:
    """Answers the addresses of screens. Everything of theirs that changes something is a POST of JSON
    from a page of ours, which the gate has checked, with a cookie no other site can send."""

    def __init__(self, devices: Devices, settings: Settings, build: str) -> None:
        self._devices = devices
        self._settings = settings
        self._build = build
        # Codes and questions by the asker's address, reports by screen.
        self._codes = Limit(10, 6.0)
        self._asks = Limit(60, 0.1)
        self._reports = Limit(3, 10.0)

    async def __call__(self, request: Request, receive: Receive, send: Send) -> None:
        path, plain = str(request["path"]), secured(send)
        if (path == SCREEN) != (request["method"] != "POST"):
            await reply(plain, 405, "this address takes no such request")
            return
        try:
            if path == SCREEN:
                await self._show(request, send)
            elif path == WAIT:
                await self._wait(request, plain)
            else:
                await self._hear(request, receive, plain)
        except StoreError as error:
            log.warning("no answer to a screen: %s", error)
            await reply(plain, 503, AWAY if path == SCREEN else "", kind=HTML)

    # --- enrolment ---------------------------------------------------------------------------

    async def _show(self, request: Request, send: Send) -> None:
        """The screen's own page when it is one, else the page with a code."""
        bearer = request[BEARER]
        if bearer is not None:
            await _lead(secured(send), home(bearer.screen), [_kept(request, token_of(request) or "")])
            return
        if token_of(request) is not None and not self._devices.known:
            await reply(secured(send), 503, AWAY, kind=HTML)
            return
        if request["method"] == "HEAD":
            await reply(secured(send), 200, kind=HTML)
            return
        claimed = await self._claim(request)
        if claimed is not None:
            screen, cookies = claimed
            await _lead(secured(send), home(screen), cookies)
            return
        waiting, cookies = await self._code(request)
        if waiting is None:
            await _answer(secured(send), 429, BUSY.encode(), HTML, [], retry=60)
            return
        nonce = secrets.token_urlsafe(16)
        page = waiting_page(
            spelled(waiting.code), self._settings.city.name, self._build, nonce, self._settings.language
        )
        await _answer(secured(send, policy(nonce)), 200, page.encode(), HTML, cookies)

    async def _wait(self, request: Request, send: Send) -> None:
        """What the waiting page asks every two seconds: the code to show, or where to go."""
        if not self._asks.allows(_address(request)):
            await _answer(send, 429, b"{}", _JSON, [], retry=10)
            return
        if request[BEARER] is not None:
            await _tell(send, [], home=home(request[BEARER].screen))
            return
        claimed = await self._claim(request)
        if claimed is not None:
            await _tell(send, claimed[1], home=home(claimed[0]))
            return
        waiting, cookies = await self._code(request)
        if waiting is None:
            await _answer(send, 429, b"{}", _JSON, [], retry=60)
            return
        await _tell(send, cookies, code=spelled(waiting.code), build=self._build)

    async def _claim(self, request: Request) -> tuple[str, list[str]] | None:
        """The screen this browser has become just now, and the cookies that say so from now on."""
        secret = cookies_of(request).get(_WAIT_COOKIE)
        if not secret:
            return None
        found = await asyncio.to_thread(self._devices.store.claim, secret)
        if found is None:
            return None
        screen, token = found
        await self._devices.refresh()
        log.warning("the screen %s is enrolled", screen)
        return screen, [_kept(request, token), _cookie(request, _WAIT_COOKIE, "", 0)]

    async def _code(self, request: Request) -> tuple[Waiting | None, list[str]]:
        """The code this browser shows, a new one when it has none; None when there are too many."""
        secret = cookies_of(request).get(_WAIT_COOKIE)
        if secret:
            found = await asyncio.to_thread(self._devices.store.waiting, secret)
            if found is not None and found.screen is None:
                return found, []
        if not self._codes.allows(_address(request)):
            return None, []
        secret = new_secret()
        made = await asyncio.to_thread(self._devices.store.ask, secret)
        life = LIFETIME // timedelta(seconds=1)
        return made, [_cookie(request, _WAIT_COOKIE, secret, life)]

    # --- health ------------------------------------------------------------------------------

    async def _hear(self, request: Request, receive: Receive, send: Send) -> None:
        """One report of an enrolled screen, kept in its row. 403 tells a screen that it is none."""
        bearer = request[BEARER]
        if bearer is None:
            unsure = token_of(request) is not None and not self._devices.known
            await reply(send, 503 if unsure else 403)
            return
        if not self._reports.allows(bearer.digest):
            await _answer(send, 429, b"", _JSON, [], retry=10)
            return
        body = await _body(receive, reports.LARGEST)
        if body is None:
            await reply(send, 413)
            return
        screen = self._settings.screen(bearer.screen)
        try:
            pages = frozenset(screen.pages if screen else ())
            report = reports.read(body, pages, self._settings.clock.now())
        except ValueError as error:
            await reply(send, 400, str(error))
            return
        kept = await asyncio.to_thread(self._devices.store.report, bearer.digest, report)
        await _answer(send, 200 if kept else 403, b"{}", _JSON, [])


def home(screen: str) -> str:
    """The address of a screen's page."""
    return "/wall" if screen == WALL else f"/wall/{screen}"


_JSON = "application/json"


def _address(request: Request) -> str:
    client = request.get("client")
    return str(client[0]) if client else ""


def _kept(request: Request, token: str) -> str:
    return _cookie(request, TOKEN_COOKIE, token, _LONG)


def _cookie(request: Request, name: str, value: str, seconds: int) -> str:
    """A cookie that no script reads and no other site's request carries; over TLS only where the
    browser came by TLS."""
    secure = "; Secure" if request.get("scheme") == "https" else ""
    return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"


async def _tell(send: Send, cookies: list[str], **said: str) -> None:
    await _answer(send, 200, json.dumps(said).encode(), _JSON, cookies)


async def _lead(send: Send, path: str, cookies: list[str]) -> None:
    await _answer(send, HTTPStatus.SEE_OTHER, b"", HTML, cookies, place=path)


async def _answer(
    send: Send, status: int, body: bytes, kind: str, cookies: list[str], *,
    retry: int | None = None, place: str | None = None,
) -> None:  # fmt: skip
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *((b"set-cookie", cookie.encode()) for cookie in cookies),
    ]
    if retry is not None:
        headers.append((b"retry-after", str(retry).encode()))
    if place is not None:
        headers.append((b"location", place.encode()))
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive, most: int) -> bytes | None:
    """The whole body; None when it is larger, takes too long, or its sender left."""
    found = b""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                found += bytes(message.get("body", b""))
                if len(found) > most:
                    return None
                if not message.get("more_body", False):
                    return found
    except TimeoutError:
        return None
