"""Open requests one by one: the source's number, who has it, how long it waits. Never its text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component

from kpis.types import Snapshot
from kpis.views import RequestRow
from layouts.marks import ago, opd_link
from layouts.panels.tables import Column, gap, nothing, table, two_lines
from layouts.terms import CHANNELS, STATUSES, plain, term
from layouts.words import MISSING, Words


def request_table(snapshot: Snapshot, rows: Sequence[RequestRow], w: Words) -> Component:
    """A row per request in the order given."""
    if not rows:
        return nothing(w.t("No open requests here."))
    columns = [
        Column(w.t("Number")),
        Column("OPD"),
        Column(w.t("Status")),
        Column(w.t("About")),
        Column(w.t("Kelurahan")),
        Column(w.t("Open for"), number=True),
        Column(w.t("Deadline")),
    ]
    return table(w.t("Open requests"), columns, [_row(snapshot, row, w) for row in rows])


def _row(snapshot: Snapshot, row: RequestRow, w: Words) -> list[Any]:
    about = plain(row.category) if row.category else MISSING
    return [
        two_lines(row.id, row.source),
        opd_link(snapshot, row.opd, w),
        term(STATUSES, row.status, w),
        two_lines(about, term(CHANNELS, row.channel, w) if row.channel else None),
        row.kelurahan or MISSING,
        ago(row.opened_at, snapshot.at, w),
        _due(row.due_at, snapshot.at, w),
    ]


def _due(due: datetime | None, now: datetime, w: Words) -> Any:
    if due is None:
        return gap(w.t("no deadline"))
    if due < now:
        return html.Span([ago(due, now, w, w.t("overdue {age}"))], className="state overdue")
    return w.moment(due, now)
