"""Reads a system that cannot change its payload: JMESPath expressions, one per field of the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from kpis.config import Settings
from kpis.errors import ConfigError


class FieldMap:
    """Compiled expressions. Fields whose expression finds nothing are left out of the record."""

    def __init__(self, expressions: Mapping[str, str], key: str) -> None:
        self._fields = []
        for name, expression in expressions.items():
            try:
                self._fields.append((name, jmespath.compile(expression)))
            except JMESPathError as error:
                raise ConfigError(
                    f"{key}.{name}", f"{expression!r} is not JMESPath: {error}", "see jmespath.org"
                ) from None

    def apply(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The record's fields out of one payload. Raises ValueError naming the field that failed."""
        found = {}
        for name, expression in self._fields:
            try:
                value = expression.search(payload)
            except Exception as error:  # its functions raise whatever Python raises at what they were given
                raise ValueError(f"{name}: {error}") from None
            if value is not None:
                found[name] = value
        return found


def field_maps(settings: Settings) -> dict[str, FieldMap]:
    """The maps of all configured sources that have one, by source name. Raises ConfigError."""
    return {s.name: FieldMap(s.mapping, f"source.{s.name}.map") for s in settings.sources if s.mapping}
