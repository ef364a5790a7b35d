"""The course of one figure: its line, the lowest and highest of each stretch, its target dashed, its act
line, and as a band what is usual at the same hour of other weeks. Gaps are left open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from dash import html
from dash.development.base_component import Component

from kpis.charts import KpiTrend, Step, Stretch, Usual
from kpis.types import Better, Kpi, Target, Unit
from layouts.marks import direction
from layouts.panels.chart import HEIGHT, WIDTH, chart, steps
from layouts.panels.tables import Column, behind, nothing, table
from layouts.panels.trend import runs
from layouts.svg import Markup, element, line
from layouts.words import MISSING, Words, msg

STEPS = {
    Step.QUARTER: msg("One value each quarter of an hour."),
    Step.HOUR: msg("One value an hour, the last; the strokes reach from its lowest to its highest."),
    Step.DAY: msg("One value a day, the last; the strokes reach from its lowest to its highest."),
}
USUAL = {
    Step.QUARTER: msg("same hour of {n} other weeks"),
    Step.HOUR: msg("same hour of {n} other weeks"),
    Step.DAY: msg("same weekday of {n} other weeks"),
}


@dataclass(frozen=True, slots=True)
class _Field:
    """Where a moment and a value lie in the drawing."""

    trend: KpiTrend
    low: float
    high: float

    def x(self, at: datetime) -> float:
        """The middle of the stretch that begins at `at`."""
        begin, end = self.trend.begin, self.trend.end
        middle = min(max(at + self.trend.step.length / 2, begin), end)
        return round((middle - begin) / ((end - begin) or self.trend.step.length) * WIDTH, 1)

    def y(self, value: float) -> float:
        return round((self.high - value) / (self.high - self.low) * HEIGHT, 1)


def course_chart(kpi: Kpi, trend: KpiTrend, target: Target | None, w: Words) -> Component:
    """The chart with what it says in words under it and its figures as a table behind it."""
    known = [one for one in trend.points if one.last is not None]
    if not known:
        return nothing(w.t("No value of these days is kept."))
    shown, beyond = _act_shown(trend, target)
    marks = steps(*_reach(trend, target, shown))
    field = _Field(trend, marks[0], marks[-1])
    said = sentence(kpi, trend, target, w)
    picture = chart(
        [_grid(field, marks), *_shapes(field, trend, target, shown)],
        said,
        high=w.figure(marks[-1], kpi.unit),
        low=w.figure(marks[0], kpi.unit),
        between=[w.figure(mark, kpi.unit) for mark in reversed(marks[1:-1])],
        ends=_ends(trend, w),
        legend=_legend(kpi, trend, target, shown, w),
    )
    notes = [w.t(STEPS[trend.step])]
    if target is not None and beyond:
        notes.append(
            w.t("The act line lies beyond the chart, at {value}.", value=w.limit(target.act, kpi.unit))
        )
    if not trend.usual:
        notes.append(w.t("What is usual needs the same hour of at least three weeks."))
    return html.Figure(
        [
            picture,
            html.Figcaption([html.P(said, className="said"), html.P(" ".join(notes), className="note")]),
            behind(_table(kpi, trend, w), w),
        ],
        className="course",
    )


def sentence(kpi: Kpi, trend: KpiTrend, target: Target | None, w: Words) -> str:
    """The chart in one sentence: latest, lowest, highest, and how it stands against the target."""
    known = [one for one in trend.points if one.last is not None]
    lowest = min(known, key=_low)
    highest = max(known, key=_high)
    text = w.t(
        "{title}: {latest} at {now}; lowest {low} ({low_at}), highest {high} ({high_at}).",
        title=w.t(kpi.title),
        latest=w.figure(known[-1].last, kpi.unit), now=when(known[-1].at, trend.step, w),
        low=w.figure(lowest.low, kpi.unit), low_at=when(lowest.at, trend.step, w),
        high=w.figure(highest.high, kpi.unit), high_at=when(highest.at, trend.step, w),
    )  # fmt: skip
    if target is None:
        return text
    missed = sum(_missed(one.last, target, kpi.better) for one in known)
    limit = f"{direction(kpi.better)}\u00a0{w.limit(target.target, kpi.unit)}"
    counts = {"missed": w.number(missed), "all": w.number(len(known)), "target": limit}
    return text + " " + w.t("Target {target}: missed by {missed} of {all} values.", **counts)


def when(at: datetime, step: Step, w: Words) -> str:
    """A stretch by name: its time within days, its date beyond."""
    if step is Step.DAY:
        return w.day(w.local(at).date())
    clock = w.clock(at)
    return (
        f"{w.weekday(w.local(at).date(), short=True)} {clock}"
        if step is Step.QUARTER
        else (f"{w.day(w.local(at).date())} {clock}")
    )


def _missed(value: float | None, target: Target, better: Better) -> bool:
    if value is None:
        return False
    return value > target.target if better is Better.LOWER else value < target.target


def _low(one: Stretch) -> float:
    return one.low if one.low is not None else float("inf")


def _high(one: Stretch) -> float:
    return one.high if one.high is not None else float("-inf")


def _values(trend: KpiTrend) -> list[float]:
    found = [value for one in trend.points for value in (one.low, one.high) if value is not None]
    return found + [value for one in trend.usual for value in (one.low, one.high)]


def _act_shown(trend: KpiTrend, target: Target | None) -> tuple[bool, bool]:
    """Whether the act line is drawn, and whether it lies beyond the chart: it must not flatten the line."""
    if target is None:
        return False, False
    values = [*_values(trend), target.target]
    room = max(values) - min(values)
    near = min(values) - room <= target.act <= max(values) + room
    return near and target.act != target.target, not near


def _reach(trend: KpiTrend, target: Target | None, act: bool) -> tuple[float, float]:
    values = _values(trend)
    if target is not None:
        values += [target.target, *([target.act] if act else [])]
    low, high = min(values), max(values)
    # A line may begin above zero, the scale says where; close to zero it begins there.
    return (0.0 if 0 < low < high / 2 else low), high


def _grid(field: _Field, marks: Sequence[float]) -> Markup:
    return element("path", d="".join(f"M0 {field.y(one):g}H{WIDTH:g}" for one in marks), class_="c-axis")


def _shapes(field: _Field, trend: KpiTrend, target: Target | None, act: bool) -> Iterator[Markup]:
    yield from _band(field, trend.usual, trend)
    if target is not None:
        yield element("path", d=f"M0 {field.y(target.target):g}H{WIDTH:g}", class_="l-target")
        if act:
            yield element("path", d=f"M0 {field.y(target.act):g}H{WIDTH:g}", class_="l-act")
    strokes = "".join(
        f"M{field.x(one.at):g} {field.y(one.high):g}V{field.y(one.low):g}"
        for one in trend.points
        if one.low is not None and one.high is not None and one.low != one.high
    )
    if strokes:
        yield element("path", d=strokes, class_="l-range")
    placed = [(field.x(one.at), None if one.last is None else field.y(one.last)) for one in trend.points]
    yield from (line(run, class_="l-course") for run in runs(placed))
    if trend.points and trend.points[-1].last is not None:
        yield line([(field.x(trend.points[-1].at), field.y(trend.points[-1].last))], class_="l-end")


def _band(field: _Field, usual: Sequence[Usual], trend: KpiTrend) -> Iterator[Markup]:
    """One area for each unbroken run of hours or days."""
    length = max(trend.step.length, Step.HOUR.length)
    groups: list[list[Usual]] = []
    for one in usual:
        if groups and one.at - groups[-1][-1].at <= length * 1.1:
            groups[-1].append(one)
        else:
            groups.append([one])
    # An hour's band is drawn at the hour's middle, whatever finer step the line has.
    shift = length / 2 - trend.step.length / 2
    for group in groups:
        above = [(field.x(one.at + shift), field.y(one.high)) for one in group]
        below = [(field.x(one.at + shift), field.y(one.low)) for one in reversed(group)]
        path = "L".join(f"{x:g} {y:g}" for x, y in above + below)
        yield element("path", d=f"M{path}z", class_="c-band")


def _legend(kpi: Kpi, trend: KpiTrend, target: Target | None, act: bool, w: Words) -> list[tuple[str, str]]:
    found = [("l-course", w.t(kpi.title))]
    if any(one.low != one.high for one in trend.points):
        found.append(("l-range", w.t("lowest to highest")))
    if target is not None:
        limit = f"{direction(kpi.better)}\u00a0{w.limit(target.target, kpi.unit)}"
        found.append(("l-target", w.t("target {value}", value=limit)))
        if act:
            found.append(("l-act", w.t("act from {value}", value=w.limit(target.act, kpi.unit))))
    if trend.usual:
        found.append(("c-band", w.t(USUAL[trend.step], n=w.number(trend.weeks))))
    return found


def _ends(trend: KpiTrend, w: Words) -> list[str]:
    middle = trend.begin + (trend.end - trend.begin) / 2
    return [when(at, trend.step, w) for at in (trend.begin, middle, trend.end)]


def _table(kpi: Kpi, trend: KpiTrend, w: Words) -> Component:
    columns = [
        Column(w.t("Time")),
        Column(w.t("Last"), number=True),
        Column(w.t("Lowest"), number=True),
        Column(w.t("Highest"), number=True),
        Column(w.t("Usually"), number=True),
    ]
    usual = {_slot(one.at, trend.step): one for one in trend.usual}
    rows = [
        [
            when(one.at, trend.step, w),
            *(w.figure(value, kpi.unit) for value in (one.last, one.low, one.high)),
            _between(usual.get(_slot(one.at, trend.step)), kpi.unit, w),
        ]
        for one in reversed(trend.points)
    ]
    return table(w.t(kpi.title), columns, rows)


def _slot(at: datetime, step: Step) -> datetime:
    return at if step is Step.DAY else at.replace(minute=0, second=0, microsecond=0)


def _between(usual: Usual | None, unit: Unit, w: Words) -> str:
    if usual is None:
        return MISSING
    return f"{w.figure(usual.low, unit)} – {w.figure(usual.high, unit)}"
