"""What an OPD's own page shows: what to do now, how it stands, what it promised."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.engine import Connection

from kpis import app_uptime, e_attendance, opd_integration, ranks, readings, service_requests, sources
from kpis.config import Settings
from kpis.days import local_day
from kpis.mayor import MONTH, judged_before, of_opds
from kpis.readings import Key
from kpis.types import Reading
from kpis.views import OpdView

_ROWS = 12


def view(
    conn: Connection, settings: Settings, at: datetime, opd: str, found: Mapping[Key, Reading]
) -> OpdView:
    """The page's view at `at`. `found` are all current readings: a place needs the others'."""
    before = readings.before(conn, at - MONTH)
    places = ranks.ranked(of_opds(settings, found), judged_before(before))
    interfaces = opd_integration.interface_rows(conn, settings, at, opd)
    share = found.get(("requests_overdue_share", opd))
    late = None if share is None or share.numerator is None else int(share.numerator)
    overdue = service_requests.oldest_overdue(conn, at, opd, most=_ROWS)
    return OpdView(
        opd=opd,
        overdue=overdue,
        # The list is of this moment and the figure of the last evaluation: never say fewer than are listed.
        overdue_all=None if late is None else max(late, len(overdue)),
        due=service_requests.due_soon(conn, settings, at, opd),
        apps=app_uptime.app_rows(conn, settings, at, opd),
        interfaces=interfaces,
        troubles=opd_integration.troubles(interfaces, at),
        rejects=sources.rejects_of(conn, opd),
        step=next(s for s in opd_integration.opd_steps(settings, interfaces) if s.opd == opd),
        attendance=e_attendance.opd_attendance(conn, settings, at).get(opd),
        before={kpi: past for (kpi, code), past in before.items() if code == opd},
        place=next(p for p in places if p.opd == opd),
        best=ranks.best(places),
        improved=ranks.most_improved(places),
        ranked=sum(p.place is not None for p in places),
        promises=opd_integration.promises(conn, opd, local_day(at, settings.zone)),
        targets_by={key: kpi.by for key, kpi in settings.kpis.items() if kpi.by is not None},
    )
