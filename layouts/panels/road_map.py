"""The road map as a burn-up: what was due and is done, in milestones and in budget; and OPD connected."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from dash import html
from dash.development.base_component import Component

from kpis.types import Snapshot
from kpis.views import ConnectedDay, MilestoneRow, RoadMap, RoadPoint
from layouts.marks import opd_link
from layouts.panels.chart import HEIGHT, WIDTH, chart, round_up
from layouts.panels.tables import Column, behind, nothing, table, two_lines
from layouts.panels.trend import runs
from layouts.svg import Markup, element, line
from layouts.words import MISSING, Words


def burn_up(found: RoadMap | None, today: date, w: Words) -> Component:
    """Milestones due dashed, done solid, today's line between what was and what is to come."""
    if found is None or not found.points:
        return nothing(w.t("No milestone of the road map is known yet."))
    high = round_up(max(found.total, 1))
    due = [(point.day, float(point.due)) for point in found.points]
    done = [(point.day, None if point.done is None else float(point.done)) for point in found.points]
    now = _now(found.points, today)
    picture = chart(
        [_today(due, today), *_steps(due, high, "l-usual"), *_steps(done, high, "l-today")],
        _label(found, now, w),
        high=w.number(high),
        low="0",
        ends=(w.day_year(due[0][0]), w.t("today {day}", day=w.day(today)), w.day_year(due[-1][0])),
        legend=(("l-usual", w.t("due")), ("l-today", w.t("done"))),
    )
    return html.Div([_sentence(found, now, w), picture, behind(_table(found, today, w), w)])


def budget_burn_up(found: RoadMap | None, today: date, w: Words) -> Component:
    """The budget of milestones due and of those done, in rupiah, and how far the work is on the whole."""
    if found is None or not found.budget:
        return nothing(w.t("No milestone names its budget."))
    high = round_up(found.budget)
    due = [(point.day, point.budget_due) for point in found.points]
    done = [(point.day, point.budget_done) for point in found.points]
    said = w.t(
        "Progress weighted by budget: {done} of {all}; {due} was to be done by today.",
        done=w.share(found.budget_done / found.budget), all=w.rupiah(found.budget),
        due=w.share(found.budget_due / found.budget),
    )  # fmt: skip
    picture = chart(
        [_today(due, today), *_steps(due, high, "l-usual"), *_steps(done, high, "l-today")],
        said,
        high=w.rupiah(high),
        low="0",
        ends=(w.day_year(due[0][0]), w.t("today {day}", day=w.day(today)), w.day_year(due[-1][0])),
        legend=(("l-usual", w.t("budget due")), ("l-today", w.t("budget of what is done"))),
    )
    return html.Div([html.P(said, className="sentence"), picture])


def connected_line(days: Sequence[ConnectedDay], opds: int, w: Words) -> Component:
    """OPD connected on each day, and dashed how many were to be by then."""
    if not any(day.connected or day.target for day in days):
        return nothing(w.t("No OPD was connected in these days."))
    high = float(max(opds, *(day.connected for day in days), *(day.target or 0 for day in days), 1))
    placed = [(day.day, float(day.connected)) for day in days]
    target = [(day.day, None if day.target is None else float(day.target)) for day in days]
    newest = days[-1]
    said = w.t("{n} of {all} OPD connected.", n=w.number(newest.connected), all=w.number(opds))
    legend = [("l-today", w.t("connected"))]
    if newest.target is not None:
        said += " " + w.t("{n} were to be by then.", n=w.number(newest.target))
        legend.append(("l-usual", w.t("to be connected by then")))
    picture = chart(
        [*_steps(target, high, "l-usual"), *_steps(placed, high, "l-today")],
        said,
        high=w.number(high),
        low="0",
        ends=(w.day_year(days[0].day), w.day_year(newest.day)),
        legend=legend,
    )
    columns = [
        Column(w.t("Day")),
        Column(w.t("Connected"), number=True),
        Column(w.t("Target"), number=True),
    ]
    rows = [[w.date(day.day), w.number(day.connected), w.number(day.target)] for day in reversed(days)]
    inside = table(w.t("OPD connected by day"), columns, rows)
    return html.Div([html.P(said, className="sentence"), picture, behind(inside, w)])


def milestone_tables(snapshot: Snapshot, found: RoadMap | None, w: Words) -> Component:
    """What is late, the longest first, and what comes next."""
    if found is None or not found.points:
        return html.Div()
    today = w.local(snapshot.at).date()
    late: list[Any] = [html.H3(w.t("Late, the longest first: {n}", n=w.number(found.late_count)))]
    late.append(
        _milestones(snapshot, w.t("Late milestones"), found.late, today, w)
        if found.late
        else nothing(w.t("Nothing is late."))
    )
    if found.late_count > len(found.late):
        late.append(
            html.P(w.t("+{n} more", n=w.number(found.late_count - len(found.late))), className="more")
        )
    coming: list[Any] = [html.H3(w.t("Due next"))]
    coming.append(
        _milestones(snapshot, w.t("Milestones due next"), found.coming, today, w)
        if found.coming
        else nothing(w.t("Nothing is due any more."))
    )
    return html.Div([html.Div(late), html.Div(coming)], className="milestones")


def _milestones(
    snapshot: Snapshot, label: str, rows: Sequence[MilestoneRow], today: date, w: Words
) -> Component:
    columns = [
        Column(w.t("Milestone")),
        Column("OPD"),
        Column(w.t("Due")),
        Column(w.t("Progress"), number=True),
        Column(w.t("Budget"), number=True),
    ]
    cells = [
        [
            two_lines(row.title, row.programme),
            opd_link(snapshot, row.opd, w),
            _due(row.due_on, today, w),
            w.share(row.progress),
            w.rupiah(row.budget) if row.budget else MISSING,
        ]
        for row in rows
    ]
    return table(label, columns, cells)


def _due(due: date, today: date, w: Words) -> Any:
    days = (today - due).days
    if days <= 0:
        return w.day_year(due)
    return two_lines(w.day_year(due), w.n("{n} day late", "{n} days late", days))


def _now(points: Sequence[RoadPoint], today: date) -> RoadPoint:
    return max(
        (point for point in points if point.day <= today), key=lambda point: point.day, default=points[0]
    )


def _sentence(found: RoadMap, now: RoadPoint, w: Words) -> html.P:
    return html.P(_label(found, now, w), className="sentence")


def _label(found: RoadMap, now: RoadPoint, w: Words) -> str:
    return w.t(
        "{done} of {all} milestones done; {due} were due by today, {late} of them are not done.",
        done=w.number(now.done), all=w.number(found.total), due=w.number(now.due),
        late=w.number(found.late_count),
    )  # fmt: skip


def _x(day: date, first: date, last: date) -> float:
    return (day - first).days / max((last - first).days, 1) * WIDTH


def _today(points: Sequence[tuple[date, Any]], today: date) -> Markup:
    x = _x(today, points[0][0], points[-1][0])
    return element("path", d=f"M{x:.1f} 0V{HEIGHT:g}", class_="c-limit")


def _steps(points: Sequence[tuple[date, float | None]], high: float, kind: str) -> list[Markup]:
    """A line that stays until the next day it is known for, and then rises at once."""
    first, last = points[0][0], points[-1][0]
    placed: list[tuple[float, float | None]] = []
    before: float | None = None
    for day, value in points:
        x, y = _x(day, first, last), None if value is None else (1 - value / high) * HEIGHT
        if before is not None and y is not None and y != before:
            placed.append((x, before))
        placed.append((x, y))
        before = y
    return [line(run, class_=kind) for run in runs(placed)]


def _table(found: RoadMap, today: date, w: Words) -> Component:
    """The end of each month, and today."""
    columns = [
        Column(w.t("Day")),
        Column(w.t("Milestones due"), number=True),
        Column(w.t("Milestones done"), number=True),
        Column(w.t("Budget due"), number=True),
        Column(w.t("Budget of what is done"), number=True),
    ]
    last: dict[tuple[int, int], RoadPoint] = {(p.day.year, p.day.month): p for p in found.points}
    shown = sorted({point.day: point for point in (*last.values(), _now(found.points, today))}.items())
    rows = [
        [
            w.day_year(day),
            w.number(point.due),
            w.number(point.done),
            w.rupiah(point.budget_due),
            w.rupiah(point.budget_done),
        ]
        for day, point in shown
    ]
    return table(w.t("Road map by month"), columns, rows)
