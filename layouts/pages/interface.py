"""One interface of an OPD's system: its evidence, its ninety days, the runs of the days looked at."""

from __future__ import annotations

from typing import Any

from dash import html

from kpis.types import Snapshot
from kpis.views import InterfaceView, SyncRun
from layouts.marks import href, opd_link
from layouts.pages.page import Page, Panels, section, slot, with_shared
from layouts.panels.app_table import beat_keys
from layouts.panels.heartbeat import sync_wide
from layouts.panels.interface_table import interface_table
from layouts.panels.outage_table import dated
from layouts.panels.range_switch import range_text
from layouts.panels.tables import Column, behind, nothing, table
from layouts.words import MISSING, Words, msg

TITLE = msg("Interface")


def panels(snapshot: Snapshot, w: Words) -> Panels:
    """Its evidence, its heartbeat with the table behind it, its runs."""
    view: InterfaceView = snapshot.detail
    rows = () if view.row is None else (view.row,)
    own: Panels = {
        "interface-evidence": interface_table(snapshot, rows, w),
        "interface-beats": sync_wide(view.days, snapshot.at, w),
        "interface-days": _days(view, w),
        "interface-sum": _sum(snapshot, view, w),
        "interface-runs": _runs(view, w),
    }
    return with_shared(snapshot, w, own)


def frame(snapshot: Snapshot, w: Words) -> html.Div:
    """The name, the evidence, ninety days, the runs; a name nobody knows says so."""
    found = panels(snapshot, w)
    view: InterfaceView = snapshot.detail
    back = html.P(html.A(w.t("All interfaces"), href=href("/integration", w)), className="crumb")
    if view.row is None:
        said = w.t("There is no interface {name}.", name=view.asked)
        return html.Div([back, html.H1(w.t(TITLE)), html.P(said, className="sentence")], className="page")
    head = html.P(opd_link(snapshot, view.row.opd, w), className="sentence")
    return html.Div(
        [
            back,
            html.H1(f"{view.row.system} · {view.row.interface}"),
            head,
            section(w.t("Evidence"), slot(found, "interface-evidence")),
            section(
                w.t("Ninety days"),
                beat_keys(w),
                slot(found, "interface-beats"),
                behind(slot(found, "interface-days"), w),
            ),
            section(w.t("Sync runs"), slot(found, "interface-sum"), slot(found, "interface-runs")),
        ],
        className="page",
    )


def _days(view: InterfaceView, w: Words) -> Any:
    rows = [
        [w.date(day.day), w.number(day.ok), w.number(day.runs)] for day in reversed(view.days) if day.runs
    ]
    if not rows:
        return nothing(w.t("No run in these days."))
    columns = [Column(w.t("Day")), Column(w.t("Good"), number=True), Column(w.t("Runs"), number=True)]
    return table(w.t("Sync runs by day"), columns, rows)


def _sum(snapshot: Snapshot, view: InterfaceView, w: Words) -> html.P:
    days = range_text(snapshot.span, w)
    if not view.run_count:
        return html.P(w.t("{days}: no run.", days=days), className="sentence")
    text = w.t(
        "{days}: {ok} of {runs} runs good.",
        days=days,
        ok=w.number(view.ok_count),
        runs=w.number(view.run_count),
    )
    return html.P(text, className="sentence")


def _runs(view: InterfaceView, w: Words) -> Any:
    if not view.runs:
        return nothing(w.t("No run in these days."))
    columns = [
        Column(w.t("Started")),
        Column(w.t("Result")),
        Column(w.t("Rows read"), number=True),
        Column(w.t("Rows rejected"), number=True),
        Column(w.t("Codes matched"), number=True),
        Column(w.t("Data as of")),
    ]
    inside: list[Any] = [table(w.t("Sync runs"), columns, [_run(run, w) for run in view.runs])]
    left = view.run_count - len(view.runs)
    if left > 0:
        text = w.n("{n} older one is not listed.", "{n} older ones are not listed.", left)
        inside.append(html.P(text, className="more"))
    return html.Div(inside)


def _run(run: SyncRun, w: Words) -> list[Any]:
    failed = html.Span(run.error or w.t("failed"), className="state failed")
    codes = None if run.matched is None else run.matched + (run.unmatched or 0)
    return [
        dated(run.started_at, w),
        w.t("good") if run.ok else failed,
        w.number(run.rows_read),
        w.number(run.rows_rejected),
        w.t("{n} of {all}", n=w.number(run.matched), all=w.number(codes)) if codes else MISSING,
        MISSING if run.data_as_of is None else dated(run.data_as_of, w),
    ]


PAGE = Page(
    name="interface",
    path="/interface",
    title=TITLE,
    detail=InterfaceView,
    scope="city",
    wall=False,
    panels=panels,
    frame=frame,
    picks=("of",),
)
