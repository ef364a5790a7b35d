"""One OPD's page: what to do now, its figures against target and last month, its place, its promises."""

from __future__ import annotations

from typing import Any

from dash import html

from kpis.types import Snapshot
from kpis.views import OpdAttendance, OpdStep, OpdView
from layouts.flat import flat
from layouts.marks import full
from layouts.pages.page import Page, Panels, section, slot, with_shared
from layouts.panels.app_table import status_grid
from layouts.panels.attendance_table import heard, part
from layouts.panels.figure_list import figure_list
from layouts.panels.interface_table import interface_table
from layouts.panels.place import place_panel
from layouts.panels.promises import promises
from layouts.panels.todo import overdue_table, todo
from layouts.panels.trouble_list import trouble_list
from layouts.terms import STEPS
from layouts.words import Words, msg


def panels(snapshot: Snapshot, w: Words) -> Panels:
    """A panel for each block."""
    view: OpdView = snapshot.detail
    own: Panels = {
        "opd-todo": flat(todo(snapshot, w), "flat"),
        "opd-overdue": overdue_table(snapshot, view, w),
        "opd-troubles": trouble_list(snapshot, view, w),
        "opd-figures": figure_list(snapshot, view.before, w),
        "opd-place": flat(place_panel(snapshot, view, w), "flat"),
        "opd-promises": promises(snapshot, view, w),
        "opd-apps": status_grid(snapshot, view.apps, w),
        "opd-step": _step(view.step, w),
        "opd-interfaces": interface_table(snapshot, view.interfaces, w),
        "opd-people": _people(view.attendance, w),
    }
    return with_shared(snapshot, w, own)


def frame(snapshot: Snapshot, w: Words) -> html.Div:
    """What to do first; then how the OPD stands and what it promised; then what it runs on."""
    found = panels(snapshot, w)
    place = [
        section(w.t("Your place"), slot(found, "opd-place")),
        section(w.t("People today"), slot(found, "opd-people")),
    ]
    promised = section(w.t("What you promised"), slot(found, "opd-promises"))
    standing = html.Div([html.Div(place, className="stack"), promised], className="halves")
    doing = html.Div(
        [
            section(w.t("Overdue requests, longest first"), slot(found, "opd-overdue")),
            section(w.t("What your systems failed to send"), slot(found, "opd-troubles")),
        ],
        className="stack",
    )
    return html.Div(
        [
            html.H1(full(snapshot, snapshot.opd or "", w)),
            section(w.t("What to do now"), slot(found, "opd-todo"), className="first"),
            doing,
            section(
                w.t("Your figures"),
                slot(found, "opd-figures"),
                note=w.t("Against the target, and against yourself 30 days ago."),
            ),
            standing,
            section(w.t("Applications"), slot(found, "opd-apps")),
            section(w.t("Integration"), slot(found, "opd-step"), slot(found, "opd-interfaces")),
        ],
        className="page opd-page",
    )


def _step(step: OpdStep, w: Words) -> html.P:
    inside: list[Any] = [html.B(w.t(STEPS[step.step]))]
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
    if not heard(day):
        return html.P(w.t("No clock of this OPD was heard today."), className="calm")
    facts = (
        (w.t("Expected"), w.number(day.expected)),
        (w.t("On approved leave"), w.number(day.leave)),
        (w.t("Present"), part(day.present, day.expected - day.leave, w)),
        (w.t("On duty elsewhere"), w.number(day.off_site)),
        (w.t("Late"), part(day.late, day.present, w)),
        (w.t("Left early"), w.number(day.left_early)),
        (w.t("Unexplained"), w.number(day.unexplained)),
        (w.t("Doubtful check-ins"), part(day.doubtful, day.checkins, w)),
    )
    items = [item for name, value in facts for item in (html.Dt(name), html.Dd(value))]
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
    ranged=False,
)
