"""Open requests by OPD and by kelurahan."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from kpis.types import Snapshot, Unit
from kpis.views import Count, OpdRequests
from layouts.marks import opd_link
from layouts.panels.tables import Column, nothing, table
from layouts.words import MISSING, Words


def opd_requests(snapshot: Snapshot, rows: Sequence[OpdRequests], w: Words) -> Component:
    """A row per OPD in the order given. Without a closed request there is no median, and none is shown."""
    if not any(row.open or row.closed_30d for row in rows):
        return nothing(w.t("No open requests here."))
    columns = [
        Column("OPD"),
        Column(w.t("Open"), number=True),
        Column(w.t("Overdue"), number=True),
        Column(w.t("Closed, 30 days"), number=True),
        Column(w.t("Median"), number=True),
        Column(w.t("90th percentile"), number=True),
    ]
    cells = [
        [
            opd_link(snapshot, row.opd, w),
            w.number(row.open),
            overdue(row.overdue, w),
            w.number(row.closed_30d),
            w.figure(row.close_days_p50, Unit.DAYS),
            w.figure(row.close_days_p90, Unit.DAYS),
        ]
        for row in rows
    ]
    return table(w.t("Requests by OPD"), columns, cells)


def kelurahan_table(counts: Sequence[Count], w: Words) -> Component:
    """A row per kelurahan that has open requests."""
    if not counts:
        return nothing(w.t("No open request names its kelurahan."))
    columns = [
        Column(w.t("Kelurahan")),
        Column(w.t("Open"), number=True),
        Column(w.t("Overdue"), number=True),
    ]
    cells = [[one.label or MISSING, w.number(one.count), overdue(one.overdue, w)] for one in counts]
    return table(w.t("Requests by kelurahan"), columns, cells)


def overdue(count: int, w: Words) -> str | html.Strong:
    """A figure that stands out once it is not 0."""
    return html.Strong(w.number(count)) if count else w.number(count)
