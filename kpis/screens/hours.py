"""The hours in which a screen is meant to be dark: a screen switched off then is no alarm."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from kpis.config import Screen


def dark(screen: Screen, at: datetime, zone: ZoneInfo) -> bool:
    """Whether `at` lies in the screen's blank hours, the end excluded; they may go over midnight."""
    begin, end = screen.blank_from, screen.blank_to
    if begin is None or end is None:
        return False
    now = at.astimezone(zone).time()
    return begin <= now < end if begin < end else now >= begin or now < end


def lit_since(screen: Screen, at: datetime, zone: ZoneInfo) -> datetime | None:
    """When its last blank hours ended; None for a screen that has none."""
    if screen.blank_to is None:
        return None
    today = at.astimezone(zone).date()
    end = datetime.combine(today, screen.blank_to, zone)
    return end if end <= at else datetime.combine(today - timedelta(days=1), screen.blank_to, zone)
