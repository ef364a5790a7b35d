"""How the people come in: today solid, the usual day dashed; and the rate of the last thirty days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from dash import html
from dash.development.base_component import Component

from kpis.views import ArrivalPoint, AttendanceDay
from layouts.panels.chart import HEIGHT, WIDTH, chart
from layouts.panels.tables import Column, behind, nothing, table
from layouts.panels.trend import runs
from layouts.svg import Markup, element, line
from layouts.words import Words


def arrival_curve(points: Sequence[ArrivalPoint], late_from: int | None, w: Words) -> Component:
    """Share of the people in by each minute of the morning. `late_from` is the minute lateness begins."""
    if not any(point.today is not None or point.usual is not None for point in points):
        return nothing(w.t("Nobody has clocked in yet, today or on the days before."))
    first, last = points[0].minute, points[-1].minute
    legend = [("l-today", w.t("today")), ("l-usual", w.t("usually"))]
    shapes = [
        *_curve([(p.minute, p.usual) for p in points], first, last, "l-usual"),
        *_curve([(p.minute, p.today) for p in points], first, last, "l-today"),
    ]
    if late_from is not None and first <= late_from <= last:
        x = (late_from - first) / (last - first) * WIDTH
        shapes.insert(0, element("path", d=f"M{x:.1f} 0V{HEIGHT:g}", class_="c-limit"))
        legend.append(("c-limit", w.t("late from {time}", time=w.minute(late_from))))
    picture = chart(
        shapes,
        _label(points, w),
        high=w.share(1.0),
        low=w.share(0.0),
        ends=(w.minute(first), w.minute((first + last) // 2), w.minute(last)),
        legend=legend,
    )
    columns = [
        Column(w.t("Time")),
        Column(w.t("Today"), number=True),
        Column(w.t("Usually"), number=True),
    ]
    rows = [[w.minute(p.minute), w.share(p.today), w.share(p.usual)] for p in points]
    return html.Div([picture, behind(table(w.t("Arrivals"), columns, rows), w)])


def _curve(points: Sequence[tuple[int, float | None]], first: int, last: int, kind: str) -> list[Markup]:
    wide = (last - first) or 1
    placed = [
        ((minute - first) / wide * WIDTH, None if share is None else (1 - share) * HEIGHT)
        for minute, share in points
    ]
    return [line(run, class_=kind) for run in runs(placed)]


def _label(points: Sequence[ArrivalPoint], w: Words) -> str:
    known = [point for point in points if point.today is not None]
    if not known:
        usual = [point for point in points if point.usual is not None][-1]
        return w.t(
            "Nobody has clocked in today. Usually {usual} are in by {time}.",
            usual=w.share(usual.usual), time=w.minute(usual.minute),
        )  # fmt: skip
    newest = known[-1]
    return w.t(
        "Today {today} were in by {time}, usually {usual}.",
        today=w.share(newest.today), time=w.minute(newest.minute), usual=w.share(newest.usual),
    )  # fmt: skip


def rate(attended: int, due: int) -> float | None:
    """The attendance rate, or None where nobody was due."""
    return attended / due if due > 0 else None


def rate_line(days: Sequence[AttendanceDay], today: date, w: Words) -> Component:
    """The attendance rate of each worked day: a dot a day, a line through days that follow each other."""
    shares = {day.day: rate(day.attended, day.due) for day in days}
    known = [share for share in shares.values() if share is not None]
    if not known:
        return nothing(w.t("No attendance in the last 30 days."))
    # A line, unlike a bar, may begin above zero; the scale says where.
    low = int(min(known) * 10) / 10 if min(known) < 1 else 0.9
    high = max(1.0, *known)
    first = days[0].day
    count = max((days[-1].day - first).days, 1)
    placed = []
    for back in range(count + 1):
        share = shares.get(first + timedelta(days=back))
        y = None if share is None else (high - share) / (high - low) * HEIGHT
        placed.append((back / count * WIDTH, y))
    # Today is not over: it hangs on no line and its dot is hollow.
    now = placed.pop() if today in shares else (0.0, None)
    dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in placed if y is not None)
    shapes = [line(run, class_="l-rate") for run in runs(placed)]
    shapes.append(element("path", d=dots, class_="l-dots"))
    legend = [("l-rate", w.t("attendance rate, worked days"))]
    if now[1] is not None:
        shapes += [line([(now[0], now[1])], class_=kind) for kind in ("l-now", "l-now-in")]
        legend.append(("l-now", w.t("today, so far")))
    picture = chart(
        shapes,
        w.t(
            "Attendance from {first} to {last}: between {low} and {high}.",
            first=w.day(first), last=w.day(days[-1].day), low=w.share(min(known)), high=w.share(max(known)),
        ),
        high=w.share(high),
        low=w.share(low),
        ends=(w.day(first), w.day(days[-1].day)),
        legend=legend,
    )  # fmt: skip
    return html.Div([picture, behind(_days(days, today, w), w)])


def _days(days: Sequence[AttendanceDay], today: date, w: Words) -> Component:
    columns = [
        Column(w.t("Day")),
        Column(w.t("Attendance rate"), number=True),
        Column(w.t("Attended"), number=True),
        Column(w.t("Due"), number=True),
        Column(w.t("Late"), number=True),
    ]
    rows = [
        [
            w.date(day.day) + (" " + w.t("(so far)") if day.day == today else ""),
            w.share(rate(day.attended, day.due)),
            w.number(day.attended),
            w.number(day.due),
            w.number(day.late),
        ]
        for day in reversed(days)
    ]
    return table(w.t("Attendance by day"), columns, rows)
