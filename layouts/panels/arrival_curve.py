"""How the people come in: today solid, the usual day dashed in its band; and the rate day by day."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from typing import Any

from dash import html
from dash.development.base_component import Component

from kpis.views import ArrivalPoint, AttendanceDay
from layouts.panels.chart import HEIGHT, WIDTH, chart
from layouts.panels.tables import Column, behind, nothing, table, two_lines
from layouts.panels.trend import runs
from layouts.svg import Markup, element, line
from layouts.words import MISSING, Words

LEAST_FOR_BAND = 3
"""Usual days without which their middle half says nothing."""


def arrival_curve(
    points: Sequence[ArrivalPoint], late_from: int | None, w: Words, usual_days: Sequence[date] = ()
) -> Component:
    """Share of the people in by each minute of the morning. `late_from` is the minute lateness begins,
    `usual_days` are those the usual curve is made of."""
    if not any(point.today is not None or point.usual is not None for point in points):
        return nothing(w.t("Nobody has clocked in yet, today or on the days before."))
    first, last = points[0].minute, points[-1].minute
    legend = [("l-today", w.t("today"))]
    shapes: list[Markup] = []
    # Of one or two days there is no middle half worth drawing.
    if len(usual_days) >= LEAST_FOR_BAND:
        shapes += _band(points, first, last)
        legend.append(("l-band", w.t("middle half of the usual days")))
    if usual_days:
        legend.append(("l-usual", w.t("usually")))
    shapes += _curve([(p.minute, p.usual) for p in points], first, last, "l-usual")
    shapes += _curve([(p.minute, p.today) for p in points], first, last, "l-today")
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
        Column(w.t("Middle half"), number=True),
    ]
    rows = [[w.minute(p.minute), w.share(p.today), w.share(p.usual), _half(p, w)] for p in points]
    said = html.P(_made_of(usual_days, w), className="note")
    return html.Div([picture, said, behind(table(w.t("Arrivals"), columns, rows), w)])


def _made_of(days: Sequence[date], w: Words) -> str:
    """How many days stand behind the usual curve, and which."""
    if not days:
        return w.t("No day of the weeks before can be compared with this one.")
    weekday, first = w.weekday(days[0]), w.day(days[-1])
    if len(days) == 1:
        return w.t(
            "Usually: {weekday}, {first}, the only day of eight weeks to compare.",
            weekday=weekday,
            first=first,
        )
    return w.t(
        "Usually: the median of {n} days, each a {weekday}, from {first} to {last}; no day off among them.",
        n=w.number(len(days)), weekday=weekday, first=first, last=w.day(days[0]),
    )  # fmt: skip


def _half(point: ArrivalPoint, w: Words) -> str:
    if point.low is None or point.high is None:
        return MISSING
    return f"{w.share(point.low)} – {w.share(point.high)}"


def _band(points: Sequence[ArrivalPoint], first: int, last: int) -> list[Markup]:
    """The area between the quarters, along the top and back along the bottom."""
    known = [(p.minute, p.low, p.high) for p in points if p.low is not None and p.high is not None]
    wide = (last - first) or 1
    top = [((minute - first) / wide * WIDTH, (1 - high) * HEIGHT) for minute, _, high in known]
    bottom = [((minute - first) / wide * WIDTH, (1 - low) * HEIGHT) for minute, low, _ in reversed(known)]
    if len(top) < 2:
        return []
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in [*top, *bottom]) + "z"
    return [element("path", d=path, class_="l-band")]


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


def rate_line(
    days: Sequence[AttendanceDay], today: date, w: Words, ends: tuple[date, date] | None = None
) -> Component:
    """The attendance rate of each worked day: a dot a day, a line through days that follow each other.

    Days off are shaded, and break no line; a worked day nobody was heard of does. `ends` are the first
    and the last day of the field.
    """
    worked = [day for day in days if day.off is None]
    shares = {day.day: rate(day.attended, day.due) for day in worked}
    known = [share for share in shares.values() if share is not None]
    if not known:
        return nothing(w.t("No attendance in these days."))
    # A line, unlike a bar, may begin above zero; the scale says where.
    low = int(min(known) * 10) / 10 if min(known) < 1 else 0.9
    high = max(1.0, *known)
    first, last = ends or (days[0].day, days[-1].day)
    off = {day.day for day in days if day.off is not None}
    count = (last - first).days + 1
    placed = []
    for back in range(count):
        day = first + timedelta(days=back)
        if day in off:
            continue
        share = shares.get(day)
        y = None if share is None else (high - share) / (high - low) * HEIGHT
        placed.append(((back + 0.5) / count * WIDTH, y))
    # Today is not over: it hangs on no line and its dot is hollow.
    now = placed.pop() if today in shares and today == last else (0.0, None)
    dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in placed if y is not None)
    shapes = _shaded(off, first, count)
    shapes += [line(run, class_="l-rate") for run in runs(placed)]
    shapes.append(element("path", d=dots, class_="l-dots" if count <= 100 else "l-dots fine"))
    legend = [("l-rate", w.t("attendance rate, worked days"))]
    if off:
        legend.append(("c-off", w.t("day off")))
    if now[1] is not None:
        shapes += [line([(now[0], now[1])], class_=kind) for kind in ("l-now", "l-now-in")]
        legend.append(("l-now", w.t("today, so far")))
    picture = chart(
        shapes,
        w.t(
            "Attendance from {first} to {last}: between {low} and {high}.",
            first=w.day(first), last=w.day(last), low=w.share(min(known)), high=w.share(max(known)),
        ),
        high=w.share(high),
        low=w.share(low),
        ends=(w.day_year(first), w.day_year(last)),
        legend=legend,
    )  # fmt: skip
    return html.Div([picture, behind(_days(days, today, w), w)])


def _shaded(off: AbstractSet[date], first: date, count: int) -> list[Markup]:
    """Days off as one path of columns over the height of the field."""
    wide = WIDTH / count
    places = sorted((day - first).days for day in off)
    path = "".join(f"M{place * wide:.1f} 0h{wide:.1f}v{HEIGHT:g}h-{wide:.1f}z" for place in places)
    return [element("path", d=path, class_="c-off")] if path else []


def _days(days: Sequence[AttendanceDay], today: date, w: Words) -> Component:
    columns = [
        Column(w.t("Day")),
        Column(w.t("Attendance rate"), number=True),
        Column(w.t("Attended"), number=True),
        Column(w.t("Due"), number=True),
        Column(w.t("Late"), number=True),
    ]
    rows = [_day(day, today, w) for day in reversed(days)]
    return table(w.t("Attendance by day"), columns, rows)


def _day(day: AttendanceDay, today: date, w: Words) -> list[Any]:
    name = w.date(day.day) + (" " + w.t("(so far)") if day.day == today else "")
    if day.off is not None:
        why = w.t("weekend") if day.off == "weekend" else day.off
        return [two_lines(name, why), w.t("day off"), MISSING, MISSING, MISSING]
    return [
        name,
        w.share(rate(day.attended, day.due)),
        w.number(day.attended),
        w.number(day.due),
        w.number(day.late),
    ]
