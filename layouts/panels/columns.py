"""Opened and closed requests, day by day: opened solid, closed hollow beside it."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from kpis.views import RequestDay
from layouts.panels.chart import HEIGHT, WIDTH, chart, round_up
from layouts.panels.tables import Column, behind, nothing, table
from layouts.svg import Markup, element
from layouts.words import Words


def day_columns(days: Sequence[RequestDay], w: Words) -> Component:
    """Two columns a day from the oldest on, and the same figures as a table behind them."""
    if not days or not any(day.opened or day.closed for day in days):
        return nothing(w.t("No request was opened or closed in these days."))
    high = round_up(max(max(day.opened, day.closed) for day in days))
    picture = chart(
        _shapes(days, high),
        _label(days, w),
        high=w.number(high),
        low="0",
        ends=(w.day(days[0].day), w.day(days[len(days) // 2].day), w.day(days[-1].day)),
        legend=(("c-solid", w.t("opened")), ("c-hollow", w.t("closed"))),
    )
    columns = [
        Column(w.t("Day")),
        Column(w.t("Opened"), number=True),
        Column(w.t("Closed"), number=True),
    ]
    rows = [[w.date(day.day), w.number(day.opened), w.number(day.closed)] for day in reversed(days)]
    return html.Div([picture, behind(table(w.t("Opened and closed by day"), columns, rows), w)])


def _shapes(days: Sequence[RequestDay], high: float) -> list[Markup]:
    room = WIDTH / len(days)
    wide = room * 0.36
    solid, hollow = "", ""
    for place, day in enumerate(days):
        solid += _bar(place * room + room * 0.1, wide, day.opened / high)
        hollow += _bar(place * room + room * 0.54, wide, day.closed / high)
    return [element("path", d=solid, class_="c-solid"), element("path", d=hollow, class_="c-hollow")]


def _bar(x: float, wide: float, share: float) -> str:
    high = share * HEIGHT
    return f"M{x:.1f} {HEIGHT:g}v{-high:.1f}h{wide:.1f}v{high:.1f}z" if high else ""


def _label(days: Sequence[RequestDay], w: Words) -> str:
    return w.t(
        "Requests by day from {first} to {last}: {opened} opened, {closed} closed.",
        first=w.day(days[0].day),
        last=w.day(days[-1].day),
        opened=w.number(sum(day.opened for day in days)),
        closed=w.number(sum(day.closed for day in days)),
    )
