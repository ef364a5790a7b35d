"""The mayor's page, read in two minutes: the city in a sentence, what changed, who to call, eight figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from kpis.types import Snapshot
from kpis.views import MayorView
from layouts.flat import Flat, flat
from layouts.pages.page import Page, Panels, section, slot, with_shared
from layouts.panels.change_list import change_list, look_line
from layouts.panels.kpi_tile import kpi_tile
from layouts.panels.opd_words import need_list, praise_list
from layouts.sentences import city_line
from layouts.words import Words, msg

TILES = (
    "requests_overdue_share",
    "requests_close_days_p50_30d",
    "apps_down_now",
    "app_uptime_30d",
    "opd_integrated",
    "consistency_breaks",
    "attendance_rate_today",
    "late_share_today",
)


def panels(snapshot: Snapshot, w: Words) -> Panels:
    """A panel for each tile and each list, each as one piece of HTML: they come over a poor connection."""
    view: MayorView = snapshot.detail
    own: Panels = {f"tile-{key}": _flat(kpi_tile(snapshot, key, w)) for key in TILES}
    own["city-line"] = _flat(
        [html.P(city_line(snapshot, w), className="city-line"), _opds(view, snapshot, w)]
    )
    own["look"] = _flat(look_line(snapshot, view.look, w))
    own["changes"] = _flat(change_list(snapshot, view.look, w))
    own["need-a-word"] = _flat(need_list(snapshot, view.need, w))
    own["deserve-a-word"] = _flat([praise_list(snapshot, view.deserve, w), _compared(view, snapshot, w)])
    return with_shared(snapshot, w, own)


def frame(snapshot: Snapshot, w: Words) -> html.Div:
    """The sentence, what changed, whom to speak to, then the figures."""
    found = panels(snapshot, w)
    people = html.Div(
        [
            section(w.t("Five that need a word"), slot(found, "need-a-word")),
            section(w.t("Five that deserve one"), slot(found, "deserve-a-word")),
        ],
        className="halves",
    )
    tiles = html.Div([slot(found, f"tile-{key}", "tile-slot") for key in TILES], className="tiles")
    return html.Div(
        [
            html.H1(w.t("Mayor"), className="visually-hidden"),
            slot(found, "city-line"),
            section(w.t("What changed"), slot(found, "look"), slot(found, "changes"), className="look"),
            people,
            tiles,
        ],
        className="page mayor-page",
    )


def _flat(tree: Any) -> Flat:
    return flat(tree, "flat")


def _opds(view: MayorView, snapshot: Snapshot, w: Words) -> html.P:
    everyone = w.number(len(snapshot.city.opds))
    if view.acting:
        text = w.n(
            "{n} of {all} OPD has something to act on.",
            "{n} of {all} OPD have something to act on.",
            view.acting,
            all=everyone,
        )
    else:
        text = w.t("None of {all} OPD has anything to act on.", all=everyone)
    return html.P(text, className="note")


def _compared(view: MayorView, snapshot: Snapshot, w: Words) -> Sequence[Any]:
    """Who could be compared at all: nobody is praised for figures that are not there."""
    everyone = len(snapshot.city.opds)
    said = []
    if view.ranked < everyone:
        said.append(
            w.t(
                "{n} of {all} OPD reporting enough to be compared.",
                n=w.number(view.ranked),
                all=w.number(everyone),
            )
        )
    if not view.compared:
        said.append(w.t("No figures of 30 days ago yet to compare with."))
    return [html.P(" ".join(said), className="note")] if said else []


PAGE = Page(
    name="mayor",
    path="/mayor",
    title=msg("Mayor"),
    detail=MayorView,
    scope="city",
    wall=False,
    panels=panels,
    frame=frame,
    ranged=False,
    looks=True,
)
