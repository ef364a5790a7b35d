"""Which tokens are good now: held in memory, looked up again every second.

A revoked screen loses its stream within that second. While the store is away the tokens that were
good stay good, so that an outage of the database darkens no wall; one that is not known then can only
be told to come again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Protocol

from dashboard.scope import BEARER, Bearer, token_of
from dashboard.stream import WIRE
from kpis.config import Settings
from kpis.errors import StoreError
from kpis.screens.codes import digest
from kpis.screens.enrolment import Waiting
from kpis.screens.health import Report

log = logging.getLogger(__name__)

_AGAIN_S = 1.0


class ScreenStore(Protocol):
    """Where screens are kept (`dashboard.tables.Tables`). Everything blocks and raises StoreError."""

    listening: datetime

    def tokens(self) -> dict[str, str]: ...

    def waiting(self, secret: str) -> Waiting | None: ...

    def ask(self, secret: str) -> Waiting | None: ...

    def claim(self, secret: str) -> tuple[str, str] | None: ...

    def report(self, token: str, report: Report) -> bool: ...


class Devices:
    """The enrolled screens as this process knows them. All methods run on the event loop."""

    def __init__(self, store: ScreenStore, settings: Settings) -> None:
        self.store = store
        self._settings = settings
        self._tokens: dict[str, str] | None = None
        self._streams: dict[str, set[asyncio.WriteTransport]] = {}
        self._task: asyncio.Task[None] | None = None
        self._away = False

    @property
    def known(self) -> bool:
        """Whether the tokens were ever read: before that, an unknown one may well be good."""
        return self._tokens is not None

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def marked(self, request: dict[str, Any]) -> dict[str, Any]:
        """The request, with the screen its token belongs to where it carries a good one."""
        token = token_of(request)
        bearer = None if token is None else self._bearer(digest(token))
        return {**request, BEARER: bearer}

    def _bearer(self, key: str) -> Bearer | None:
        screen = (self._tokens or {}).get(key)
        return None if screen is None else Bearer(screen, key)

    async def refresh(self) -> None:
        """Reads the tokens again and ends the streams of those that are no more. Raises StoreError."""
        self._tokens = await asyncio.to_thread(self.store.tokens)
        for key, wires in self._streams.items():
            if key not in self._tokens:
                for wire in wires:
                    wire.abort()

    async def _watch(self) -> None:
        while True:
            try:
                await self.refresh()
                if self._away:
                    # Nobody could be heard meanwhile: silence counts from here on.
                    self.store.listening = self._settings.clock.now()
                    self._away = False
            except StoreError:
                self._away = True
            except Exception:
                log.exception("looking up the screens failed")
            await asyncio.sleep(_AGAIN_S)

    @contextmanager
    def held(self, request: Mapping[str, Any]) -> Iterator[None]:
        """A stream that is cut as soon as the token it was opened with is no more."""
        bearer: Bearer | None = request.get(BEARER)
        if bearer is None:
            yield
            return
        wire: asyncio.WriteTransport = request["extensions"][WIRE]
        mine = self._streams.setdefault(bearer.digest, set())
        mine.add(wire)
        try:
            yield
        finally:
            mine.discard(wire)
            if not mine:
                self._streams.pop(bearer.digest, None)
