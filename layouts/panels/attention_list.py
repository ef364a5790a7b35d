"""Who has to look at what: worst first, with the owner, how far from the target and for how long."""

from __future__ import annotations

from typing import Any

from dash import html

from kpis.types import Attention, Severity, Snapshot
from layouts.marks import classes, href, look, opd_link, state, target
from layouts.panels.kpi_tile import PAGES
from layouts.panels.screen_table import screen_alarm
from layouts.words import Words


def attention_list(snapshot: Snapshot, w: Words, *, rows: int) -> html.Div:
    """At most `rows` rows; the rest is counted in the head. Says so when nobody has to look."""
    acts = sum(one.reading.severity is Severity.ACT for one in snapshot.attention)
    alarms = [screen_alarm(snapshot, row, w) for row in snapshot.screens if row.alarm]
    # A silent screen stands after the figures at ACT: what it would show comes before it.
    found: list[Attention | html.Li] = [*snapshot.attention[:acts], *alarms, *snapshot.attention[acts:]]
    head: list[Any] = [html.H2(w.t("Needs attention")), html.Span(w.number(len(found)), className="count")]
    if len(found) > rows:
        head.append(html.Span(w.t("+{n} more", n=w.number(len(found) - rows)), className="more"))
    if not found:
        calm = html.P(w.t("Nothing needs attention now."), className="calm")
        return html.Div([html.Div(head, className="panel-head"), calm], className="attention")
    body = html.Ul([_row(snapshot, one, w) if isinstance(one, Attention) else one for one in found[:rows]])
    return html.Div([html.Div(head, className="panel-head"), body], className="attention")


def _row(snapshot: Snapshot, one: Attention, w: Words) -> html.Li:
    reading = one.reading
    found = look(reading)
    kpi = snapshot.kpis.get(reading.kpi)
    title: Any = w.t(one.title)
    if kpi is not None:
        title = html.A(title, href=href(PAGES[kpi.domain], w))
    far = w.t(
        "{value} (target {limit})", value=w.figure(reading.value, reading.unit), limit=target(reading, w)
    )
    return html.Li(
        [
            state(found, snapshot.at, w),
            html.Span(title, className="what"),
            html.Span(_who(snapshot, one, w), className="who"),
            html.Span(far, className="far"),
        ],
        className=classes(found.kind, found.was and f"was-{found.was}"),
    )


def _who(snapshot: Snapshot, one: Attention, w: Words) -> Any:
    """The OPD itself; for a figure of the whole city, who answers for it."""
    if one.reading.opd is None and snapshot.opd is None:
        return [w.t("City"), " · ", opd_link(snapshot, one.owner, w)]
    return opd_link(snapshot, one.reading.opd or one.owner, w)
