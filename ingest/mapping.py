"""Reads a system that cannot change its payload: JMESPath expressions, one per field of the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jmespath
import msgspec
from jmespath.exceptions import JMESPathError

from ingest.records import RECORDS
from kpis.config import Settings, SourceSettings
from kpis.errors import ConfigError

# What a CloudEvents envelope is told by, for a system that sends one in other words.
_ENVELOPE = frozenset({"specversion", "source", "time", "data"})


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
    return {s.name: _field_map(s) for s in settings.sources if s.mapping}


def _field_map(source: SourceSettings) -> FieldMap:
    """The map of one source, whose names are fields of its feed, or of an envelope around it."""
    key = f"source.{source.name}.map"
    kind = RECORDS.get(source.feed or "")
    if kind is not None:
        names = [field.encode_name for field in msgspec.structs.fields(kind)]
        for name in source.mapping:
            if name not in names and name not in _ENVELOPE:
                raise ConfigError(f"{key}.{name}", f"is no field of {source.feed}", f"use {', '.join(names)}")
    return FieldMap(source.mapping, key)
