"""Who has to look at what: worst first, with the owner, how far from the target and for how long."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dash import html

from kpis.types import Attention, Severity, Snapshot
from layouts.marks import STATE_WORDS, classes, href, look, state, target
from layouts.panels.kpi_tile import PAGES
from layouts.panels.screen_table import screen_alarm
from layouts.panels.urgent import TITLE, brief, far, urgent, who
from layouts.words import Words


def attention_list(snapshot: Snapshot, w: Words, *, rows: int, tiles: Collection[str] = ()) -> html.Div:
    """At most `rows` rows; the rest is counted in the head. Says so when nobody has to look.

    A figure of the scope's own that is one of the page's `tiles` has its state, owner and time there:
    it is counted, and takes no row.
    """
    every = urgent(snapshot)
    found = [one for one in every if one.reading.opd != snapshot.opd or one.reading.kpi not in tiles]
    alarms = [screen_alarm(snapshot, row, w) for row in snapshot.screens if row.alarm]
    head = [html.H2(w.t("Needs attention")), *_counts(every, len(alarms), w)]
    # A screen at ACT stands after the figures that are: what it would show comes before it.
    acts = sum(one.reading.severity is Severity.ACT for one in found)
    lines: list[Attention | html.Li] = [*found[:acts], *alarms, *found[acts:]]
    if len(lines) > rows:
        head.append(html.Span(w.t("+{n} more", n=w.number(len(lines) - rows)), className="more"))
    if lines:
        body: Any = html.Ul(
            [_row(snapshot, one, w) if isinstance(one, Attention) else one for one in lines[:rows]]
        )
    else:
        calm = w.t("Nothing else needs attention now.") if every else w.t("Nothing needs attention now.")
        body = html.P(calm, className="calm")
    return html.Div([html.Div(head, className="panel-head"), body], className="attention")


def _counts(every: list[Attention], screens: int, w: Words) -> list[html.Span]:
    """How many at ACT, silent screens among them, and how many at WATCH."""
    kinds = [one.reading.severity.value for one in every] + ["act"] * screens
    return [
        html.Span(
            [html.B(w.number(kinds.count(kind))), w.t(STATE_WORDS[kind])], className=f"count state {kind}"
        )
        for kind in ("act", "watch")
        if kind in kinds
    ]


def _row(snapshot: Snapshot, one: Attention, w: Words) -> html.Li:
    reading = one.reading
    found = look(reading)
    kpi = snapshot.kpis.get(reading.kpi)
    title: Any = brief(w.t(one.title), TITLE)
    if kpi is not None:
        title = html.A(title, href=href(PAGES[kpi.domain], w))
    distance = w.t("{value} (target {limit})", value=far(snapshot, reading, w), limit=target(reading, w))
    return html.Li(
        [
            state(found, snapshot.at, w),
            html.Span(title, className="what"),
            html.Span(who(snapshot, reading, w), className="who"),
            html.Span(distance, className="far"),
        ],
        className=classes(found.kind, found.was and f"was-{found.was}"),
    )
