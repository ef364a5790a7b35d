"""What an OPD's systems failed to send: interfaces that never ran, failed, or are late."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from kpis.judge import LATE_FACTOR
from kpis.views import InterfaceRow, Trouble, Why

_ORDER = tuple(Why)


def troubles(rows: Iterable[InterfaceRow], at: datetime) -> tuple[Trouble, ...]:
    """The interfaces with something to mend at `at`, the worst first, then the longest overdue.

    Late is one whose last good run is longer ago than its interval, stale beyond three of them; one
    whose newest run failed has failed, however new the last good one is.
    """
    found = [one for row in rows if (one := _trouble(row, at)) is not None]
    return tuple(
        sorted(
            found,
            key=lambda t: (
                _ORDER.index(t.why), -(t.overdue_s or 0.0), t.row.opd, t.row.system, t.row.interface
            ),
        )
    )  # fmt: skip


def _trouble(row: InterfaceRow, at: datetime) -> Trouble | None:
    if row.last_run_at is None:
        return Trouble(row=row, why=Why.NEVER, overdue_s=None)
    overdue = None
    if row.last_ok_at is not None and row.interval_s is not None:
        overdue = (at - row.last_ok_at).total_seconds() - row.interval_s
    if not row.last_ok:
        return Trouble(row=row, why=Why.FAILED, overdue_s=None if overdue is None else max(overdue, 0.0))
    if overdue is None or row.interval_s is None or overdue <= 0:
        return None
    stale = overdue > (LATE_FACTOR - 1) * row.interval_s
    return Trouble(row=row, why=Why.STALE if stale else Why.LATE, overdue_s=overdue)
