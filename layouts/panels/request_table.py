"""Requests one by one: the source's number, who has it, how long it waits. Never its text."""

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
        _waited(row, snapshot.at, w),
        _due(row, snapshot.at, w),
    ]


def _waited(row: RequestRow, now: datetime, w: Words) -> Any:
    """How long it has been open; of a closed one, how long it was."""
    if row.closed_at is None:
        return ago(row.opened_at, now, w)
    return two_lines(
        w.age(row.closed_at - row.opened_at), w.t("closed {time}", time=w.moment(row.closed_at, now))
    )


def _due(row: RequestRow, now: datetime, w: Words) -> Any:
    due = row.due_at
    if row.closed_at is not None and due is not None and row.closed_at > due:
        return html.Span(w.t("{age} late", age=w.age(row.closed_at - due)), className="state overdue")
    if due is None:
        return gap(w.t("no deadline"))
    if row.closed_at is None and due < now:
        return html.Span([ago(due, now, w, w.t("overdue {age}"))], className="state overdue")
    return w.moment(due, now)
