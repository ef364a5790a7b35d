"""One OPD: all its KPIs, what is overdue, its applications, interfaces and people today, and its rank."""

from __future__ import annotations

from typing import Any

from dash import html

from kpis.types import Snapshot
from kpis.views import OpdAttendance, OpdStep, OpdView
from layouts.marks import full
from layouts.pages.page import Page, Panels, section, slot, with_shared
from layouts.panels.app_table import status_grid
from layouts.panels.interface_table import interface_table
from layouts.panels.kpi_tile import kpi_tile
from layouts.panels.request_table import request_table
from layouts.words import Words, msg

STEP_WORDS = {
    "belum": msg("Not yet"),
    "terdaftar": msg("Registered"),
    "terhubung": msg("Connected"),
    "sebagian": msg("Partly integrated"),
    "terintegrasi": msg("Integrated"),
}


def panels(snapshot: Snapshot, w: Words) -> Panels:
    """A panel for each tile and each list."""
    view: OpdView = snapshot.detail
    own: Panels = {f"tile-{key}": kpi_tile(snapshot, key, w) for key in snapshot.kpis}
    own["opd-rank"] = _rank(view, w)
    own["opd-step"] = _step(view.step, w)
    own["opd-people"] = _people(view.attendance, w)
    own["opd-overdue"] = request_table(snapshot, view.overdue, w)
    own["opd-apps"] = status_grid(snapshot, view.apps, w)
    own["opd-interfaces"] = interface_table(snapshot, view.interfaces, w)
    return with_shared(snapshot, w, own)


def frame(snapshot: Snapshot, w: Words) -> html.Div:
    """The name and rank, the figures, then what to do about them."""
    found = panels(snapshot, w)
    name = full(snapshot, snapshot.opd or "", w)
    head = html.Div([html.H1(name), slot(found, "opd-rank")], className="title")
    tiles = [slot(found, f"tile-{key}", "tile-slot") for key in snapshot.kpis]
    return html.Div(
        [
            head,
            html.Div(tiles, className="tiles"),
            section(w.t("Overdue requests, longest first"), slot(found, "opd-overdue")),
            section(w.t("Applications"), slot(found, "opd-apps")),
            section(w.t("Integration"), slot(found, "opd-step"), slot(found, "opd-interfaces")),
            section(w.t("People today"), slot(found, "opd-people")),
        ],
        className="page opd-page",
    )


def _rank(view: OpdView, w: Words) -> Any:
    if view.rank is None:
        return ""
    text = w.t("Place {n} of {all} by targets met", n=w.number(view.rank), all=w.number(view.of))
    return html.P(text, className="note")


def _step(step: OpdStep, w: Words) -> html.P:
    inside: list[Any] = [html.B(w.t(STEP_WORDS[step.step.value]))]
    if step.interfaces:
        top, all_of_them = w.number(step.integrated), w.number(step.interfaces)
        count = w.t("{n} of {all} interfaces at the top step", n=top, all=all_of_them)
        inside.append(f" · {count}")
    if step.lacks:
        inside.append(" · " + w.t("Next step: {what}", what=w.t(step.lacks)))
    return html.P(inside, className="sentence")


def _people(day: OpdAttendance | None, w: Words) -> Any:
    if day is None or not day.expected:
        return html.P(w.t("Nobody is expected today."), className="calm")
    facts = (
        (w.t("Expected"), day.expected),
        (w.t("On approved leave"), day.leave),
        (w.t("Present"), day.present),
        (w.t("On duty elsewhere"), day.off_site),
        (w.t("Late"), day.late),
        (w.t("Left early"), day.left_early),
        (w.t("Unexplained"), day.unexplained),
        (w.t("Doubtful check-ins"), day.doubtful),
    )
    items = [item for name, value in facts for item in (html.Dt(name), html.Dd(w.number(value)))]
    return html.Dl(items, className="facts-list")


PAGE = Page(
    name="opd",
    path="/opd/<code>",
    title=msg("Department"),
    detail=OpdView,
    scope="opd",
    wall=False,
    panels=panels,
    frame=frame,
)
