"""The two replies for other programs, as `contract.md` spells them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from dashboard.scope import scope_of
from kpis.errors import StoreError
from kpis.types import City, Reading

_FRESH = {"cache-control": "no-store"}


class Readings(Protocol):
    """Where readings come from; blocking, raises StoreError."""

    def current(self, opd: str | None) -> list[Reading]: ...


def router(source: Readings, city: City, version: Callable[[], int]) -> APIRouter:
    """The routes; `version` is the newest announced version of the readings."""
    routes = APIRouter()

    @routes.get("/api/v1/readings")
    async def readings(request: Request, opd: str | None = None) -> JSONResponse:
        """The readings of the city, or of one OPD."""
        if not scope_of(request.scope, city).allows(opd):
            return _error(404, f"no OPD has the code {opd!r}")
        try:
            found = await asyncio.to_thread(source.current, opd)
        except StoreError as error:
            return _error(503, str(error))
        return JSONResponse([reading.as_json() for reading in found], headers=_FRESH)

    @routes.get("/healthz")
    async def health() -> JSONResponse:
        """Whether the store answers, and how many readings of the city it holds."""
        try:
            count, store = len(await asyncio.to_thread(source.current, None)), True
        except StoreError:
            count, store = 0, False
        body = {"ok": store, "readings": count, "version": version(), "store": store}
        return JSONResponse(body, status_code=200 if store else 503, headers=_FRESH)

    return routes


def _error(status: int, what: str) -> JSONResponse:
    return JSONResponse({"error": what}, status_code=status, headers=_FRESH)
