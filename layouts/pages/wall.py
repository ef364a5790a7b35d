"""A wall screen: the pages of its playlist one over another, so that they take turns without a reload.

All pages are kept current by the screen's one stream; `assets/wall.js` shows one of each field at a
time. On every page, and while the screen is dark, stands what is at ACT.
"""

from __future__ import annotations

from datetime import time
from typing import Any

from dash import html

from kpis.config import Screen
from kpis.types import Snapshot
from kpis.views import WallView
from layouts.marks import STATE_WORDS, classes
from layouts.pages.page import Page, Panels, slot, with_shared
from layouts.panels.urgent import act_strip, acts
from layouts.walls import WALLS
from layouts.words import Words, msg


def panels(snapshot: Snapshot, w: Words) -> Panels:
    """Every panel of every page of the screen, and what stands on all of them."""
    view: WallView = snapshot.detail
    own: Panels = {}
    tall = view.screen.layout == "portrait"
    for field in view.screen.fields:
        for name in field:
            own |= WALLS[name].panels(snapshot, w, tall)
    own["act-strip"] = act_strip(snapshot, w, most=1 if tall else 3)
    own["dark-acts"] = _dark_acts(snapshot, w)
    return with_shared(snapshot, w, own)


def _dark_acts(snapshot: Snapshot, w: Words) -> Any:
    """What a dark screen still says: how many figures are at ACT."""
    found = acts(snapshot)
    if not found:
        return ""
    return html.Span([html.B(w.number(len(found))), w.t(STATE_WORDS["act"])], className="state act")


def frame(snapshot: Snapshot, w: Words) -> html.Div:
    """The turns, the fields with their pages, the strip; and what shows while the screen is dark."""
    view: WallView = snapshot.detail
    found = panels(snapshot, w)
    fields = [_pane(names, found, snapshot, w) for names in view.screen.fields]
    dark = html.Div(
        [html.Div("", className="dark-clock"), slot(found, "dark-acts"), html.Div("", className="dark-line")],
        id="dark",
        hidden=True,
    )
    return html.Div(
        [
            _turns(view.screen, w),
            html.Div(fields, className="panes"),
            slot(found, "act-strip"),
            dark,
        ],
        className=classes("screen", f"layout-{view.screen.layout}", len(fields) > 1 and "quartered"),
        **_for_script(view.screen),
    )


def _pane(names: tuple[str, ...], found: Panels, snapshot: Snapshot, w: Words) -> html.Div:
    pages = []
    for place, name in enumerate(names):
        wall = WALLS[name]
        marks: dict[str, Any] = {"data-wall": name, "data-title": w.t(wall.title)}
        inside = [html.H2(w.t(wall.title), className="field-title"), wall.frame(found, snapshot, w)]
        pages.append(html.Section(inside, className="wall-page", hidden=place > 0, **marks))
    return html.Div(pages, className="pane")


def _turns(screen: Screen, w: Words) -> html.Nav:
    """A bar for each turn of the playlist, the present one filling; and the button that holds it."""
    turns = max(len(field) for field in screen.fields)
    bars = []
    for place in range(turns if turns > 1 else 0):
        names = [field[place % len(field)] for field in screen.fields]
        named: dict[str, Any] = {"aria-label": ", ".join(w.t(WALLS[name].title) for name in names)}
        if place == 0:
            named["aria-current"] = "true"
        bars.append(html.Button(html.Span(className="fill"), className="turn", **named))
    hold: dict[str, Any] = {"aria-label": w.t("Hold this page"), "aria-pressed": "false"}
    if bars:
        bars.append(html.Button("", id="hold", className="hold", **hold))
    label: dict[str, Any] = {"aria-label": w.t("Pages of this screen")}
    return html.Nav(bars, className="turns", **label)


def _for_script(screen: Screen) -> dict[str, Any]:
    """What `assets/wall.js` has to know: milliseconds a turn, and minutes of the city's day when dark."""
    known = {
        "data-every": str(int(screen.every.total_seconds() * 1000)),
        "data-shown": screen.fields[0][0],
    }
    if screen.blank_from is not None and screen.blank_to is not None:
        known |= {"data-dark-from": _minute(screen.blank_from), "data-dark-to": _minute(screen.blank_to)}
    return known


def _minute(at: time) -> str:
    return str(at.hour * 60 + at.minute)


def heading(snapshot: Snapshot, w: Words) -> str:
    """The page that shows first; the screen's own name where several show at once."""
    view: WallView = snapshot.detail
    fields = view.screen.fields
    return view.screen.title if len(fields) > 1 else w.t(WALLS[fields[0][0]].title)


PAGE = Page(
    name="wall",
    path="/wall",
    title=msg("Wall screen"),
    detail=WallView,
    scope="city",
    wall=True,
    panels=panels,
    frame=frame,
    heading=heading,
    ranged=False,
)
