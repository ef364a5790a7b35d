"""Ninety days of one thing in one small picture, and what each day that was not plain has to say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import sqrt

from kpis.views import AppDay
from layouts.svg import Svg, drawing, element
from layouts.words import Words

STEP, BAR, HEIGHT = 4, 3, 24
TALL = 20
"""How high a day of nothing but downtime stands; below it lies the strip that marks maintenance."""
_LOW = 7.0


def heartbeat(days: Sequence[AppDay], now: datetime, w: Words) -> Svg:
    """A mark per day: a flat one for a day without downtime, a bar that rises with the share of the day
    that was down, a hollow box as high as the share that nobody observed, a line under maintenance.

    Today's flat mark is hollow, for it is not over. One path a state, so that a city's inventory is light.
    """
    today = w.local(now).date()
    shapes = [
        element("path", d=path, class_=name)
        for name, path in (
            ("h-flat", _flat(days, today)),
            ("h-now", "".join(f"M{STEP * n} 16.5h3v3h-3z" for n, d in enumerate(days) if _is_now(d, today))),
            ("h-hollow", "".join(_hollow(n, d) for n, d in enumerate(days))),
            ("h-down", "".join(_down(n, d) for n, d in enumerate(days))),
            ("h-kept", "".join(f"M{STEP * n} 23h3" for n, d in enumerate(days) if d.maintained_s)),
        )
        if path
    ]
    wide = max(len(days), 1) * STEP - 1
    return Svg(drawing(wide, HEIGHT, shapes, _label(days, w), stretch=True), className="heartbeat")


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
    return "|".join(f"{place}:{said}" for place, day in enumerate(days) if (said := remark(day, now, w)))


def remark(day: AppDay, now: datetime, w: Words) -> str:
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
    if day.day == w.local(now).date():
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


def _is_now(day: AppDay, today: object) -> bool:
    return day.day == today and not day.down_s and unobserved(day) < 1


def _flat(days: Sequence[AppDay], today: object) -> str:
    """Stretches of days that saw something and no downtime; the stroke's dashes make days of them."""
    path, open_at = "", -1
    for place, day in enumerate([*days, None]):
        plain = day is not None and day.day != today and not day.down_s and unobserved(day) < 1
        if plain and open_at < 0:
            open_at = place
        elif not plain and open_at >= 0:
            path += f"M{open_at * STEP} 18H{place * STEP - 1}"
            open_at = -1
    return path


def _hollow(place: int, day: AppDay) -> str:
    share = unobserved(day)
    if not share:
        return ""
    high = max(round((TALL - 1) * share), 4)
    return f"M{place * STEP}.5 .5h2v{high}h-2z"


def _down(place: int, day: AppDay) -> str:
    if not day.down_s:
        return ""
    # By the root of the share: ten minutes are seen, and a whole day is still the highest.
    high = round(_LOW + (TALL - _LOW) * sqrt(day.down_s / max(day.passed_s, day.down_s)))
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
