"""The two replies for other programs, as `contract.md` spells them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from dashboard.scope import Scope, scope_of
from kpis.errors import StoreError
from kpis.types import City, Reading

_FRESH = {"cache-control": "no-store"}


class Readings(Protocol):
    """Where readings come from; blocking, raises StoreError."""

    def current(self, scope: Scope, opd: str | None) -> list[Reading]:
        """The readings of one OPD, else all that the scope grants."""
        ...


def router(source: Readings, city: City, version: Callable[[], int]) -> APIRouter:
    """The routes; `version` is the newest announced version of the readings."""
    routes = APIRouter()

    @routes.get("/api/v1/readings")
    async def readings(request: Request, opd: str | None = None) -> JSONResponse:
        """The readings of the city and every OPD, or of one OPD."""
        scope = scope_of(request.scope, city)
        # A question not understood must not get the answer to another one.
        if strange := sorted(set(request.query_params) - {"opd"}):
            return _error(400, f"{', '.join(strange)} is not known here; use opd")
        if len(request.query_params.getlist("opd")) > 1:
            return _error(400, "opd may be given once")
        if opd is not None and not scope.allows(opd):
            return _error(404, f"no OPD has the code {opd!r}")
        try:
            found = await asyncio.to_thread(source.current, scope, opd)
        except StoreError as error:
            return _error(503, str(error))
        return JSONResponse([reading.as_json() for reading in found], headers=_FRESH)

    @routes.get("/healthz")
    async def health(request: Request) -> JSONResponse:
        """Whether the store answers, and how many readings it holds."""
        try:
            found = await asyncio.to_thread(source.current, scope_of(request.scope, city), None)
        except StoreError:
            found = None
        ok = found is not None
        body = {"ok": ok, "readings": len(found or ()), "version": version(), "store": ok}
        return JSONResponse(body, status_code=200 if ok else 503, headers=_FRESH)

    return routes


def _error(status: int, what: str) -> JSONResponse:
    return JSONResponse({"error": what}, status_code=status, headers=_FRESH)
