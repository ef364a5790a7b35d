"""What a source hands to the pipeline, and what it hears back. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One thing that came in through one door, before anybody judged it.

    `payload` is the untouched bytes (JSON: one record, an array of records, or a CloudEvents
    envelope), or an already parsed row (a database row or a CSV line: its values are plain Python
    ones). The source's mapping is applied by the pipeline, not by the door, so that a reject can
    be replayed after the mapping is mended. `source` is the contract's source name; `config` is
    the name of the configured source it came through (its mapping and time zone hold). `door` is
    mqtt, database, file or probe; `place` says where a clerk would look: a topic, or a file and line.
    `feed` None means the place named no feed the contract knows.

    A Struct because one is made for every record: in a tenth of a dataclass's time.
    """

    source: str
    config: str
    feed: str | None
    payload: bytes | Mapping[str, Any]
    arrived_at: datetime
    door: str
    place: str


@dataclass(frozen=True, slots=True)
class Position:
    """How far a source has been read; written in the same transaction as what was read."""

    source: str
    value: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """One record that could not be used. `index` counts within the arrivals of one `take`."""

    index: int
    reason: str
    field: str | None
    detail: str


@dataclass(slots=True)
class Outcome:
    """What became of a batch: every record is in exactly one of the three counts.

    `newest` is the latest moment (us) of what was new, None when nothing was or it has no time of day.
    """

    accepted: int = 0
    known: int = 0
    rejected: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    newest: int | None = None

    def add(self, other: Outcome) -> None:
        self.accepted += other.accepted
        self.known += other.known
        self.rejected += other.rejected
        self.refusals.extend(other.refusals)
        self.newest = max((n for n in (self.newest, other.newest) if n is not None), default=None)
