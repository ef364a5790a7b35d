"""What a request may see: the one place that decides, asked by every page, stream and reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kpis.config import WALL
from kpis.types import City

TOKEN_COOKIE = "pendopo_screen"  # noqa: S105  the cookie's name
# Where the gate notes in a request which screen its token belongs to.
BEARER = "pendopo.screen"


@dataclass(frozen=True, slots=True)
class Bearer:
    """The screen a token belongs to, and the token's digest."""

    screen: str
    digest: str


class Grain(StrEnum):
    """How fine a viewer may look: counts and shares alone, or the rows behind them as well."""

    AGGREGATE = "aggregate"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class Scope:
    """What is granted: the city as a whole, and which OPD by code.

    `screen` binds it to one wall screen: only that screen's page, and nothing that is no page. None
    binds it to nothing.
    """

    city: bool
    opds: frozenset[str]
    screen: str | None = None

    def allows(self, opd: str | None) -> bool:
        """Whether the scope `opd` (None = the city) may be shown."""
        return self.city if opd is None else opd in self.opds

    def shows(self, page: str, screen: str | None) -> bool:
        """Whether a page may be shown; of the wall, whether that screen's (None = the one at `/wall`)."""
        return self.screen is None or (page == WALL and (screen or WALL) == self.screen)

    def grain(self, opd: str | None) -> Grain:
        """How fine the figures of a scope may be looked into; a row is never a person or a text."""
        return Grain.ROWS if self.allows(opd) and not self.bound else Grain.AGGREGATE

    @property
    def bound(self) -> bool:
        """Whether it is that of a screen, or of a browser that was one."""
        return self.screen is not None


# Of a token that is no more. No screen has an empty name, so nothing at all is shown.
NOTHING = Scope(city=False, opds=frozenset(), screen="")


def scope_of(request: Mapping[str, Any], city: City) -> Scope:
    """The scope of an ASGI request.

    A request with a screen's token is granted that screen's page, for the city. One with a token that
    is revoked or unknown is granted nothing: less than one without any. Nobody signs in yet, so every
    other request is granted the city and its known OPD; an OPD that the configuration does not name is
    nobody's.
    """
    if token_of(request) is not None:
        bearer = request.get(BEARER)
        return Scope(city=True, opds=frozenset(), screen=bearer.screen) if bearer else NOTHING
    return Scope(city=True, opds=frozenset(opd.code for opd in city.opds))


def token_of(request: Mapping[str, Any]) -> str | None:
    """The screen's token a request carries; None when it carries none.

    Read by itself: a cookie header that no parser understands must not make a screen a visitor. Two
    tokens that differ are one that nobody has.
    """
    found = {value for name, value in _cookies(request) if name == TOKEN_COOKIE}
    return "|".join(sorted(found)) if found else None


def _cookies(request: Mapping[str, Any]) -> list[tuple[str, str]]:
    headers = [value.decode("latin-1") for name, value in request.get("headers", ()) if name == b"cookie"]
    pairs = [part.strip().partition("=") for header in headers for part in header.split(";")]
    return [(name.strip(), value.strip().strip('"')) for name, _, value in pairs]
