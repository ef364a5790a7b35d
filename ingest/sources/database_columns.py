"""What a mapping asks of a query's columns: one that went away is told before a row is read without it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import jmespath

# Only their first part looks at the row itself; the rest looks at what that found.
_INWARD = frozenset(
    {"subexpression", "index_expression", "pipe", "projection", "value_projection", "filter_projection",
     "flatten"}
)  # fmt: skip


def missing(mapping: Mapping[str, str], columns: Collection[str]) -> dict[str, str]:
    """Columns the mapping names and the query does not give, each with the field it is wanted for.

    Of `a || b` one is enough. Without a mapping nothing is missing: the columns are the fields.
    """
    found: dict[str, str] = {}
    for field, expression in mapping.items():
        for column in sorted(_missing(jmespath.compile(expression).parsed, columns)):
            found.setdefault(column, field)
    return found


def _missing(node: Mapping[str, Any], columns: Collection[str]) -> set[str]:
    kind, children = node["type"], node.get("children", [])
    if kind == "field":
        return set() if node["value"] in columns else {node["value"]}
    if kind == "expref":  # looks at the elements of a list
        return set()
    if kind in _INWARD:
        return _missing(children[0], columns)
    parts = [_missing(child, columns) for child in children if isinstance(child, dict)]
    if kind == "or_expression" and not all(parts):
        return set()
    return set().union(*parts)
