"""Whose figures a request may see: the one function that decides, asked by every page, stream and reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kpis.types import City


@dataclass(frozen=True, slots=True)
class Scope:
    """What is granted: the city as a whole, and which OPD by code."""

    city: bool
    opds: frozenset[str]

    def allows(self, opd: str | None) -> bool:
        """Whether the scope `opd` (None = the city) may be shown."""
        return self.city if opd is None else opd in self.opds


def scope_of(request: Mapping[str, Any], city: City) -> Scope:
    """The scope of an ASGI request.

    Nobody signs in yet, so every request is granted the city and its known OPD; an OPD that the
    configuration does not name is nobody's.
    """
    return Scope(city=True, opds=frozenset(opd.code for opd in city.opds))
