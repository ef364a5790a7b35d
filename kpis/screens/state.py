"""What a screen is doing, in the words the pages and the judge share. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kpis.types import Freshness


class ScreenState(StrEnum):
    """What a screen is doing, worst first."""

    SILENT = "silent"
    FROZEN = "frozen"
    LATE = "late"
    CUT = "cut"
    BLANK = "blank"
    SHOWING = "showing"
    REVOKED = "revoked"
    NEVER = "never"


ALARMS = (ScreenState.SILENT, ScreenState.FROZEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenRow:
    """One configured screen with what it last told; what was never told is None.

    `owner` is the code of the OPD that answers for it. `since` is when `state` began, where that can
    be told.
    """

    name: str
    title: str
    place: str | None
    owner: str | None
    state: ScreenState
    freshness: Freshness
    since: datetime | None
    device: str | None
    enrolled_at: datetime | None
    revoked_at: datetime | None
    heard_at: datetime | None
    painted_at: datetime | None
    heap_bytes: int | None
    nodes: int | None
    connection: str | None
    build: str | None
    page: str | None
    width: int | None
    height: int | None
    scale: float | None

    @property
    def alarm(self) -> bool:
        """Whether somebody has to go and look at it."""
        return self.state in ALARMS
