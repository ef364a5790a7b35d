"""The down intervals of one application: when each began and ended, and how long it lasted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from dash import html
from dash.development.base_component import Component

from kpis.views import AppView, Outage
from layouts.marks import ago
from layouts.panels.tables import Column, gap, nothing, table
from layouts.words import Words


def outage_table(view: AppView, now: datetime, w: Words) -> Component:
    """A row per outage, the newest first; what the list leaves out is said."""
    if not view.outages:
        return nothing(w.t("No downtime in these days."))
    columns = [
        Column(w.t("From")),
        Column(w.t("Until")),
        Column(w.t("Duration"), number=True),
    ]
    inside: list[Any] = [table(w.t("Downtime"), columns, [_row(one, now, w) for one in view.outages])]
    left = view.outage_count - len(view.outages)
    if left > 0:
        text = w.n("{n} older one is not listed.", "{n} older ones are not listed.", left)
        inside.append(html.P(text, className="more"))
    return html.Div(inside)


def _row(one: Outage, now: datetime, w: Words) -> list[Any]:
    return [dated(one.started_at, w), _until(one, now, w), duration(one.down_s, w)]


def dated(at: datetime, w: Words) -> str:
    """The day with its year, and the time: a list of months is read by dates."""
    local = w.local(at)
    return f"{w.day(local.date())} {local.year} {w.clock(at)}"


def duration(seconds: float, w: Words) -> str:
    """Days, hours and minutes: outages are compared to the minute."""
    minutes = int(seconds // 60)
    days, hours = divmod(minutes // 60, 24)
    parts = [w.t("{n} d", n=w.number(days))] if days else []
    parts += [w.t("{n} h", n=hours)] if hours else []
    parts += [w.t("{n} min", n=minutes % 60)] if minutes % 60 and not days else []
    return " ".join(parts) if parts else w.age(timedelta(0))


def _until(one: Outage, now: datetime, w: Words) -> Any:
    if one.ended_at is None:
        return html.Span([ago(one.started_at, now, w, w.t("still down, {age}"))], className="state act")
    if not one.recovered:
        said = w.t("{time}, then not observed", time=dated(one.ended_at, w))
        return gap(said)
    return dated(one.ended_at, w)
