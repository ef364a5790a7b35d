"""Ninety days of one thing in one small picture, and what each day that was not plain has to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import sqrt
from typing import Any

from dash import html
from dash.development.base_component import Component

from kpis.views import AppDay, SyncDay
from layouts.flat import flat
from layouts.panels.tables import nothing
from layouts.svg import Svg, drawing, element
from layouts.words import Words

STEP, BAR, HEIGHT = 4, 3, 24
TALL = 20
"""How high a day of nothing but downtime stands; below it lies the strip that marks maintenance."""
_LOW = 7.0


@dataclass(frozen=True, slots=True)
class Beat:
    """One day as it is drawn: the share of it that went `bad`, the share `unseen`, `kept` under declared
    maintenance, and whether it is today, which is not over."""

    bad: float
    unseen: float
    kept: bool = False
    now: bool = False

    @property
    def plain(self) -> bool:
        return not self.bad and self.unseen < 1


def heartbeat(days: Sequence[AppDay], now: datetime, w: Words) -> Svg:
    """The days of one application: its bars are the share of the day that was down."""
    today = w.local(now).date()
    beats = [
        Beat(
            bad=min(day.down_s / max(day.passed_s, day.down_s, 1.0), 1.0),
            unseen=unobserved(day),
            kept=day.maintained_s > 0,
            now=day.day == today,
        )
        for day in days
    ]
    return beat_line(beats, _label(days, w))


def beat_line(beats: Sequence[Beat], label: str) -> Svg:
    """A mark per day: a flat one for a plain day, a bar that rises with the share that went bad, a hollow
    box as high as the share that nobody observed, a line under maintenance.

    Today's flat mark is hollow, for it is not over. One path a state, so that a city's inventory is light.
    """
    shapes = [
        element("path", d=path, class_=name)
        for name, path in (
            ("h-flat", _flat(beats)),
            ("h-now", "".join(f"M{STEP * n} 16.5h3v3h-3z" for n, b in enumerate(beats) if b.now and b.plain)),
            ("h-hollow", "".join(_hollow(n, beat) for n, beat in enumerate(beats))),
            ("h-down", "".join(_down(n, beat) for n, beat in enumerate(beats))),
            ("h-kept", "".join(f"M{STEP * n} 23h3" for n, beat in enumerate(beats) if beat.kept)),
        )
        if path
    ]
    wide = max(len(beats), 1) * STEP - 1
    return Svg(drawing(wide, HEIGHT, shapes, label, stretch=True), className="heartbeat")


def sync_heartbeat(days: Sequence[SyncDay], now: datetime, w: Words) -> Svg:
    """The days of one interface: its bars are the share of the day's runs that failed."""
    today = w.local(now).date()
    beats = [
        Beat(
            bad=1 - day.ok / day.runs if day.runs else 0.0, unseen=0.0 if day.runs else 1.0,
            now=day.day == today,
        )
        for day in days
    ]  # fmt: skip
    runs, ok = sum(day.runs for day in days), sum(day.ok for day in days)
    label = w.t(
        "{n} days: {ok} of {runs} runs good, {none} days without a run",
        n=w.number(len(days)), ok=w.number(ok), runs=w.number(runs),
        none=w.number(sum(not day.runs for day in days)),
    )  # fmt: skip
    return beat_line(beats, label)


def sync_wide(days: Sequence[SyncDay], now: datetime, w: Words) -> Component:
    """The heartbeat of one interface alone; the arrow keys lead through its days."""
    if not days:
        return nothing(w.t("No run in these days."))
    return wide(
        sync_heartbeat(days, now, w), days[0].day, len(days), sync_remarks(days, w), w.t("all runs good"), w
    )


def wide(picture: Svg, first: date, count: int, said: str, plain: str, w: Words) -> Component:
    """A heartbeat as wide as the page, with its ends; it takes the keyboard's focus."""
    attributes: dict[str, Any] = {
        "data-first": first.isoformat(), "data-plain": plain, "tabIndex": 0, "role": "group",
        "aria-label": w.t("Ninety days, day by day with the arrow keys"),
    }  # fmt: skip
    told: dict[str, Any] = {"data-days": count, "data-said": said}
    inside = [beat_axis(first, w), html.Div(picture, className="beats", **told)]
    return flat(html.Div(inside, className="beat-wide", **attributes))


def beat_axis(first: date | None, w: Words) -> Any:
    """The ends of a line of heartbeats: its first day and its last."""
    ends = [html.Span(w.day(first)), html.Span(w.t("90 days")), html.Span(w.t("today"))]
    return html.Div(ends, className="beat-ends")


def sync_remarks(days: Sequence[SyncDay], w: Words) -> str:
    """What the browser says of each day of an interface; a day whose runs were all good says nothing."""
    said = {
        place: w.t("no run") if not day.runs
        else w.t("{ok} of {runs} runs good", ok=w.number(day.ok), runs=w.number(day.runs))
        for place, day in enumerate(days)
        if day.ok < day.runs or not day.runs
    }  # fmt: skip
    return "|".join(f"{place}:{text}" for place, text in said.items())


def unobserved(day: AppDay) -> float:
    """The share of the day, as far as it has come, that nobody observed; edges of checks do not count."""
    if day.passed_s <= 0:
        return 0.0
    share = 1 - (day.up_s + day.down_s) / day.passed_s
    return share if share >= 0.02 else 0.0


def uptime(days: Sequence[AppDay]) -> float | None:
    """Seconds up of the seconds observed, None where nothing was."""
    up, seen = sum(day.up_s for day in days), sum(day.up_s + day.down_s for day in days)
    return up / seen if seen else None


def remarks(days: Sequence[AppDay], now: datetime, w: Words) -> str:
    """What the browser says of each day that was not plainly up: `place:text`, `|` between them."""
    today = w.local(now).date()
    return "|".join(f"{place}:{said}" for place, day in enumerate(days) if (said := remark(day, today, w)))


def remark(day: AppDay, today: date, w: Words) -> str:
    """One day's figures, "" for a whole day up."""
    unseen = unobserved(day)
    parts = []
    if day.down_s:
        up = w.share(uptime((day,)))
        parts.append(w.t("{share} up, down {age}", share=up, age=span(day.down_s, w)))
    if unseen and not day.up_s + day.down_s:
        parts.append(w.t("not observed"))
    elif unseen:
        parts.append(w.t("unobserved {age}", age=span(unseen * day.passed_s, w)))
    if day.maintained_s:
        parts.append(w.t("maintenance {age}", age=span(day.maintained_s, w)))
    if day.day == today:
        parts = [*(parts or [w.t("up")]), w.t("so far")]
    return ", ".join(parts)


def span(seconds: float, w: Words) -> str:
    """Hours and minutes of a day: a day's downtime is looked at to the minute."""
    minutes = int(seconds // 60)
    if minutes < 60:
        return w.age(timedelta(seconds=seconds))
    hours, rest = divmod(minutes, 60)
    whole = w.t("{n} h", n=w.number(hours))
    return f"{whole} {w.t('{n} min', n=rest)}" if rest else whole


def _flat(beats: Sequence[Beat]) -> str:
    """Stretches of plain days; the stroke's dashes make days of them."""
    path, open_at = "", -1
    for place, beat in enumerate([*beats, None]):
        plain = beat is not None and beat.plain and not beat.now
        if plain and open_at < 0:
            open_at = place
        elif not plain and open_at >= 0:
            path += f"M{open_at * STEP} 18H{place * STEP - 1}"
            open_at = -1
    return path


def _hollow(place: int, beat: Beat) -> str:
    if not beat.unseen:
        return ""
    high = max(round((TALL - 1) * beat.unseen), 4)
    return f"M{place * STEP}.5 .5h2v{high}h-2z"


def _down(place: int, beat: Beat) -> str:
    if not beat.bad:
        return ""
    # By the root of the share: ten minutes are seen, and a whole day is still the highest.
    high = round(_LOW + (TALL - _LOW) * sqrt(beat.bad))
    return f"M{place * STEP} {TALL}v-{high}h{BAR}v{high}z"


def _label(days: Sequence[AppDay], w: Words) -> str:
    bad = [day for day in days if day.down_s]
    unseen = sum(unobserved(day) >= 0.5 for day in days)
    parts = [w.t("no downtime")]
    if bad:
        down = span(sum(day.down_s for day in bad), w)
        parts = [w.n("{age} of downtime on {n} day", "{age} of downtime on {n} days", len(bad), age=down)]
    if unseen:
        parts.append(w.n("{n} day unobserved", "{n} days unobserved", unseen))
    return f"{w.n('{n} day', '{n} days', len(days))}: {', '.join(parts)}"
