"""What an OPD's systems failed to send: the interface, what is wrong, the last good run; and the rejects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from dash import html

from kpis.types import Snapshot
from kpis.views import Count, OpdView, Trouble, Why
from layouts.marks import ago
from layouts.panels.tables import Column, nothing, table
from layouts.reasons import SHORT
from layouts.terms import CHECK_ERRORS, plain
from layouts.words import MISSING, Words, msg

WHYS = {
    Why.NEVER: msg("never sent"),
    Why.FAILED: msg("failed"),
    Why.STALE: msg("silent"),
    Why.LATE: msg("late"),
}


def trouble_list(snapshot: Snapshot, view: OpdView, w: Words) -> list[Any]:
    """The interfaces to mend, then the records of this OPD that could not be used."""
    return [_interfaces(snapshot, view, w), *_rejects(view.rejects, w)]


def _interfaces(snapshot: Snapshot, view: OpdView, w: Words) -> Any:
    if not view.interfaces:
        return nothing(w.t("No interface is registered."))
    if not view.troubles:
        return nothing(w.t("All {n} interfaces sent what they should.", n=w.number(len(view.interfaces))))
    columns = [
        Column(w.t("System and interface")),
        Column(w.t("State")),
        Column(w.t("Last good sync"), number=True),
        Column(w.t("Overdue for"), number=True),
        Column(w.t("Error")),
        Column(w.t("Rows rejected"), number=True),
    ]
    rows = [_row(snapshot, one, w) for one in view.troubles]
    return table(w.t("What your systems failed to send"), columns, rows)


def _row(snapshot: Snapshot, one: Trouble, w: Words) -> list[Any]:
    row = one.row
    overdue: Any = MISSING
    if one.overdue_s and row.last_ok_at is not None and row.interval_s is not None:
        overdue = ago(row.last_ok_at + timedelta(seconds=row.interval_s), snapshot.at, w)
    return [
        html.Div([html.Div(row.system), html.Div(row.interface, className="small-print")]),
        html.Span(w.t(WHYS[one.why]), className="state failed"),
        ago(row.last_ok_at, snapshot.at, w) if row.last_ok_at else w.t("never"),
        overdue,
        _error(row.error, w),
        w.share(row.rejected_share),
    ]


def _error(code: str | None, w: Words) -> str:
    """An error in words; a system's own sentence stays as it is."""
    if code is None:
        return MISSING
    known = CHECK_ERRORS.get(code)
    return w.t(known) if known else plain(code)


def _rejects(counts: Sequence[Count], w: Words) -> list[Any]:
    if not counts:
        return [nothing(w.t("No record of this OPD waits for mending."))]
    everything = sum(one.count for one in counts)
    reasons = [
        html.Li([html.B(w.number(one.count)), " ", w.t(SHORT.get(one.label, one.label))]) for one in counts
    ]
    head = w.n(
        "{n} record of this OPD could not be used:",
        "{n} records of this OPD could not be used:",
        everything,
    )
    return [html.P(head), html.Ul(reasons, className="counts")]
