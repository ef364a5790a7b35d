"""E-attendance: the rule it counts by, the morning's curve, every OPD's day, the last thirty days."""

from __future__ import annotations

from datetime import date

from dash import html

from kpis.types import Domain, Snapshot
from kpis.views import AttendanceView
from layouts.pages.page import Page, Panels, domain_keys, section, slot, with_shared
from layouts.panels.arrival_curve import arrival_curve, rate_line
from layouts.panels.attendance_table import attendance_table, share_keys
from layouts.panels.kpi_tile import kpi_tile
from layouts.panels.opd_choice import opd_choice
from layouts.words import Words, msg

PATH = "/attendance"
TITLE = msg("Attendance")


def panels(snapshot: Snapshot, w: Words) -> Panels:
    """The domain's tiles, then one panel a question."""
    view: AttendanceView = snapshot.detail
    own: Panels = {
        f"tile-{key}": kpi_tile(snapshot, key, w) for key in domain_keys(snapshot, Domain.E_ATTENDANCE)
    }
    own["attendance-rule"] = rule(view, w)
    own["attendance-arrivals"] = arrival_curve(
        view.arrivals, None if view.day_off else late_from(view), w, view.usual_days
    )
    own["attendance-opd"] = attendance_table(snapshot, view.by_opd, w)
    own["attendance-days"] = rate_line(view.days, view.day, w, _ends(view))
    return with_shared(snapshot, w, own)


def rule(view: AttendanceView, w: Words) -> html.P:
    """The day, whether it is worked, and from when on somebody is late."""
    day = w.date(view.day)
    if view.day_off is not None:
        why = w.t("weekend") if view.day_off == "weekend" else view.day_off
        return html.P(w.t("{day} is a day off: {why}.", day=day, why=why), className="sentence")
    text = w.t(
        "{day}. Late counts from {shift_start} plus {grace} minutes.",
        day=day, shift_start=w.minute(start(view)), grace=w.number(view.grace_minutes),
    )  # fmt: skip
    return html.P(text, className="sentence")


def start(view: AttendanceView) -> int:
    """The minute of the day the shift begins."""
    hour, minute = view.shift_start.split(":")
    return int(hour) * 60 + int(minute)


def late_from(view: AttendanceView) -> int:
    """The minute of the day after which a first clock-in is late."""
    return start(view) + view.grace_minutes


def _ends(view: AttendanceView) -> tuple[date, date] | None:
    return None if view.first is None or view.last is None else (view.first, view.last)


def frame(snapshot: Snapshot, w: Words) -> html.Div:
    """The rule, tiles, the morning, the OPD, the days."""
    found = panels(snapshot, w)
    keys = domain_keys(snapshot, Domain.E_ATTENDANCE)
    tiles = html.Div([slot(found, f"tile-{key}", "tile-slot") for key in keys], className="tiles")
    opd_note = w.t(
        "Rate: present and on duty elsewhere, divided by those expected less approved leave. "
        "Late: of those present. Doubtful: of all check-ins."
    )
    return html.Div(
        [
            html.H1(w.t(TITLE)),
            opd_choice(snapshot, PATH, w),
            slot(found, "attendance-rule"),
            tiles,
            html.Div(
                [
                    section(
                        w.t("Arrivals today"),
                        slot(found, "attendance-arrivals"),
                    ),
                    section(w.t("Attendance by day"), slot(found, "attendance-days")),
                ],
                className="halves",
            ),
            section(
                w.t("By OPD, lowest rate first"), share_keys(w), slot(found, "attendance-opd"), note=opd_note
            ),
        ],
        className="page",
    )


PAGE = Page(
    name="attendance",
    path=PATH,
    title=TITLE,
    detail=AttendanceView,
    scope="city",
    wall=False,
    panels=panels,
    frame=frame,
    picks=("opd",),
)
