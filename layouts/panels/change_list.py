"""What changed since the last look: one line per figure, the worse first, and how much more there is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from dash import html

from kpis.looks import GRAIN, Change, Turn
from kpis.types import Snapshot
from kpis.views import LookView
from layouts.marks import Look, href, look, opd_link, state, target
from layouts.panels.kpi_tile import PAGES
from layouts.words import Words, msg

SPANS = ((timedelta(hours=24), msg("24 hours")), (timedelta(days=7), msg("7 days")))
BECAME = {
    Turn.EASED: msg("no longer ACT"),
    Turn.RECOVERED: msg("back on target"),
}


def look_line(snapshot: Snapshot, view: LookView, w: Words) -> html.P:
    """Since when, and the other spans a page can be asked for; each is a link that can be sent on."""
    since = w.moment(view.since, snapshot.at)
    text = w.t("The last 24 hours") if view.first else w.t("Since the last look, {time}", time=since)
    links: list[Any] = [html.A(w.t("Last look"), href=href("/mayor", w))]
    for span, word in SPANS:
        links.append(html.A(w.t(word), href=href("/mayor", w, since=_address(snapshot.at - span, w))))
    return html.P(
        [html.Span(text, className="since"), html.Span(links, className="looks")], className="look-line"
    )


def _address(at: datetime, w: Words) -> str:
    """A moment as an address carries it: the city's time, on the grid on which looks begin."""
    local = w.local(at)
    return local.replace(minute=local.minute - local.minute % (GRAIN.seconds // 60)).strftime(
        "%Y-%m-%dT%H:%M"
    )


def change_list(snapshot: Snapshot, view: LookView, w: Words) -> Sequence[Any]:
    """The lines, and a sentence for what is not listed."""
    if not view.worse_all and not view.better_all:
        return [html.P(w.t("Nothing changed."), className="calm")]
    lines = [_line(snapshot, one, w) for one in (*view.worse, *view.better)]
    return [html.Ul(lines, className="changes"), *_rest(view, w)]


def _line(snapshot: Snapshot, one: Change, w: Words) -> html.Li:
    kpi = snapshot.kpis[one.kpi]
    here = snapshot.readings if one.opd is None else snapshot.by_opd.get(one.kpi, {})
    reading = here.get(one.kpi if one.opd is None else one.opd)
    who: Any = w.t("City") if one.opd is None else opd_link(snapshot, one.opd, w)
    far = ""
    if reading is not None and reading.value is not None:
        far = w.t(
            "{value} (target {limit})", value=w.figure(reading.value, reading.unit), limit=target(reading, w)
        )
    return html.Li(
        [
            html.Span(_state(one, look(reading), snapshot, w), className="turn"),
            html.Span(
                [html.A(w.t(kpi.title), href=href(PAGES[kpi.domain], w)), " · ", who], className="what"
            ),
            html.Span(far, className="far"),
            html.Span(w.moment(one.at, snapshot.at), className="when"),
        ]
    )


def _state(one: Change, now: Look, snapshot: Snapshot, w: Words) -> list[Any]:
    """What became of it: its state now, or in what way it is better; and whether it is at rest."""
    if one.turn in BECAME:
        said: list[Any] = [html.Span(w.t(BECAME[one.turn]), className="state on_target")]
    else:
        said = [state(now, snapshot.at, w, timed=False)]
    if one.times > 2 or one.turn is Turn.UNSTEADY:
        said.append(html.Span(w.t("changed {n} times", n=w.number(one.times)), className="was"))
    return said


def _rest(view: LookView, w: Words) -> list[Any]:
    parts = []
    worse, better = view.worse_all - len(view.worse), view.better_all - len(view.better)
    if worse:
        parts.append(w.t("{n} more got worse", n=w.number(worse)))
    if better:
        parts.append(w.t("{n} more got better", n=w.number(better)))
    if view.cut:
        parts.append(w.t("older changes were not counted"))
    return [html.P(", ".join(parts) + ".", className="note")] if parts else []
