"""The requests behind a figure: number, OPD and times, never a text or a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.service_requests.figures import WINDOW_US
from kpis.service_requests.tables import service_request as r
from kpis.service_requests.view import ROW, rows_of, waiting
from kpis.store import micros
from kpis.views import RequestRow

Conditions = Callable[[int], list[sa.ColumnElement[bool]]]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Which requests stand behind a KPI, and what puts one of them first."""

    word: str
    where: Conditions
    first: sa.ColumnElement[Any]


def _closed(*more: sa.ColumnElement[bool]) -> Conditions:
    return lambda t: [r.c.closed_at > t - WINDOW_US, r.c.closed_at <= t, r.c.status == "closed", *more]


_LONGEST = _Rows("Closed in 30 days, longest first", _closed(), (r.c.closed_at - r.c.opened_at).desc())
_BEHIND = {
    "requests_open": _Rows("Open, longest first", waiting, r.c.opened_at.asc()),
    "requests_overdue_share": _Rows(
        "Open past the deadline, longest first", lambda t: [*waiting(t), r.c.due_at < t], r.c.due_at.asc()
    ),
    "requests_on_time_share_30d": _Rows(
        "Closed after the deadline in 30 days, latest first",
        _closed(r.c.closed_at > r.c.due_at),
        (r.c.closed_at - r.c.due_at).desc(),
    ),
    "requests_close_days_p50_30d": _LONGEST,
    "requests_close_days_p90_30d": _LONGEST,
    "requests_first_response_hours_p50_30d": _Rows(
        "First answered in 30 days, longest wait first",
        lambda t: [r.c.answered_at > t - WINDOW_US, r.c.answered_at <= t],
        (r.c.answered_at - r.c.opened_at).desc(),
    ),
    "requests_reopened_share_30d": _Rows(
        "Closed in 30 days and reopened, most often first", _closed(r.c.reopened > 0), r.c.reopened.desc()
    ),
    "requests_confirmed_share_30d": _Rows(
        "Closed in 30 days without the citizen's word, newest first",
        _closed(sa.or_(r.c.confirmed.is_(None), r.c.confirmed.is_(sa.false()))),
        r.c.closed_at.desc(),
    ),
}


def behind(
    conn: Connection, at: datetime, kpi: str, opd: str | None, most: int
) -> tuple[str, int, tuple[RequestRow, ...]]:
    """Which rows they are (a message of the catalogue), how many, and the first `most` of them."""
    found = _BEHIND[kpi]
    where = found.where(micros(at))
    if opd is not None:
        where.append(r.c.opd == opd)
    total = conn.execute(sa.select(sa.func.count()).select_from(r).where(*where)).scalar() or 0
    query = sa.select(*ROW).where(*where).order_by(found.first, r.c.source, r.c.id).limit(most)
    return found.word, total, rows_of(conn.execute(query))
