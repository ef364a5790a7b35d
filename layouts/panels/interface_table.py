"""The interfaces of the OPD's systems and the evidence each stands on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from kpis.types import Snapshot
from kpis.views import InterfaceRow
from layouts.marks import ago, opd_link
from layouts.panels.tables import Column, gap, nothing, table, two_lines
from layouts.terms import STEPS
from layouts.words import MISSING, Words


def interface_table(snapshot: Snapshot, rows: Sequence[InterfaceRow], w: Words) -> Component:
    """A row per interface in the order given."""
    if not rows:
        return nothing(w.t("No interface is registered."))
    columns = [
        Column(w.t("Step")),
        Column("OPD"),
        Column(w.t("System and interface")),
        Column(w.t("Last sync")),
        Column(w.t("Last good sync"), number=True),
        Column(w.t("Data age"), number=True),
        Column(w.t("Good syncs, 24 hours"), number=True),
        Column(w.t("Codes matched"), number=True),
        Column(w.t("Rows rejected"), number=True),
    ]
    return table(w.t("Interfaces"), columns, [_row(snapshot, row, w) for row in rows], first=2)


def _row(snapshot: Snapshot, row: InterfaceRow, w: Words) -> list[Any]:
    now = snapshot.at
    return [
        w.t(STEPS[row.step]),
        opd_link(snapshot, row.opd, w),
        two_lines(row.system, row.interface),
        two_lines(_last(row, snapshot, w), row.error),
        ago(row.last_ok_at, now, w),
        ago(row.data_as_of, now, w, kind="observed"),
        f"{w.number(row.ok_24h)} / {w.number(row.runs_24h)}" if row.runs_24h else MISSING,
        w.share(row.matched_share),
        w.share(row.rejected_share),
    ]


def _last(row: InterfaceRow, snapshot: Snapshot, w: Words) -> Any:
    if row.last_run_at is None:
        return gap(w.t("never synced"))
    if row.last_ok:
        return ago(row.last_run_at, snapshot.at, w, w.t("good, {age}"))
    return html.Span([ago(row.last_run_at, snapshot.at, w, w.t("failed, {age}"))], className="state failed")
