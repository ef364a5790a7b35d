"""E-attendance (presensi elektronik): clock events, person days, OPD cells, KPIs and the page's view."""

from kpis.e_attendance.figures import KPIS, AttendanceFigures, figures
from kpis.e_attendance.tables import (
    CATEGORIES,
    EVENTS,
    attendance,
    attendance_cell,
    attendance_day,
    attendance_person,
)
from kpis.e_attendance.view import glance, opd_attendance, view

__all__ = [
    "CATEGORIES", "EVENTS", "KPIS", "AttendanceFigures", "attendance", "attendance_cell", "attendance_day",
    "attendance_person", "figures", "glance", "opd_attendance", "view",
]  # fmt: skip
