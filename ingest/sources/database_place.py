"""How far a database source has been read, as it is kept in the store."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Self

from ingest.sources.watermark import TYPES, Mark, Print

# Ties named in a position, and in memory. A larger group at the newest watermark is told by its print.
TIES_KEPT = 20_000
TIES_IN_MEMORY = 200_000


@dataclass(slots=True)
class Place:
    """The newest watermark read, the digests of the rows that carry it, and their print if they are many."""

    mark: Mark | None = None
    ties: set[str] = field(default_factory=set)
    group: Print | None = None
    full: bool = False

    def move(self, mark: Mark) -> None:
        self.mark, self.ties, self.group, self.full = mark, set(), None, False

    def add(self, tie: str) -> None:
        """Remembers a row at the mark. Beyond 200,000 none are: they are read again, and known."""
        if self.full:
            return
        self.ties.add(tie)
        if len(self.ties) > TIES_IN_MEMORY:
            self.ties, self.full = set(), True

    @property
    def rows(self) -> int:
        """About how many rows a reading from the mark on begins with."""
        return max(len(self.ties), self.group.rows if self.group else 0)

    def encode(self) -> str:
        """As a position; empty when nothing was read."""
        if self.mark is None:
            return ""
        kept = sorted(self.ties) if len(self.ties) <= TIES_KEPT else []
        value: dict[str, Any] = {
            "type": self.mark.type,
            "value": TYPES[self.mark.type][0](self.mark.value),
            "ties": kept,
        }
        if self.group is not None:
            value["group"] = [self.group.rows, f"{self.group.total:x}"]
        return json.dumps(value, separators=(",", ":"))

    @classmethod
    def decode(cls, position: str | None) -> Self:
        if not position:
            return cls()
        found = json.loads(position)
        group = found.get("group")
        return cls(
            mark=Mark(found["type"], TYPES[found["type"]][1](found["value"])),
            ties=set(found["ties"]),
            group=Print(group[0], int(group[1], 16)) if group else None,
        )
