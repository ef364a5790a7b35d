"""E-attendance on a wall: the day's figures, the morning's curve, and the OPD with the lowest rate."""

from __future__ import annotations

from typing import Any

from dash import html

from kpis.types import Snapshot
from kpis.views import AttendanceGlance
from layouts.panels.arrival_curve import arrival_curve
from layouts.panels.urgent import brief
from layouts.panels.wall_rows import lowest_rates
from layouts.walls.wall_page import Block, domain_page
from layouts.words import Words, msg

ROWS, TALL_ROWS = 8, 5
DAY_OFF = 60


def _arrivals(snapshot: Snapshot, view: AttendanceGlance, w: Words, tall: bool) -> Any:
    return arrival_curve(view.arrivals, None if view.day_off else view.late_from, w)


def _rates(snapshot: Snapshot, view: AttendanceGlance, w: Words, tall: bool) -> Any:
    return lowest_rates(snapshot, w, rows=TALL_ROWS if tall else ROWS)


def _day_off(snapshot: Snapshot, view: AttendanceGlance, w: Words, tall: bool) -> html.P:
    why = w.t("weekend") if view.day_off == "weekend" else view.day_off or ""
    return html.P(w.t("Day off: {why}", why=brief(why, DAY_OFF)), className="day-off")


def _rests(snapshot: Snapshot) -> bool:
    return snapshot.detail.views["e_attendance"].day_off is not None


PAGE = domain_page(
    "e_attendance",
    msg("Attendance"),
    ("attendance_rate_today", "late_share_today", "doubtful_share_today"),
    (
        Block(name="day-off", title=msg("Today"), draw=_day_off, when=_rests),
        Block(name="arrivals", title=msg("Arrivals today"), draw=_arrivals, wide=2),
        Block(name="rates", title=msg("Lowest attendance"), draw=_rates),
    ),
)
