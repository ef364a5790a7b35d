"""Thirty days of one application in one small picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from kpis.views import AppDay
from layouts.svg import Markup, Svg, drawing, element
from layouts.words import Words

STEP, BAR, HEIGHT = 4, 3, 20
DAY_S = 86_400.0


def heartbeat(days: Sequence[AppDay], now: datetime, w: Words) -> Svg:
    """A mark per day: a flat one for a day without downtime, a bar as high as the day's share of
    downtime, a hollow box where less than half of the day was observed."""
    flat, down, hollow = [], [], []
    for place, day in enumerate(days):
        x = place * STEP
        if not observed(day, now, w):
            hollow.append(f"M{x}.5 .5h2v{HEIGHT - 1}h-2z")
        elif not day.down_s:
            flat.append(f"M{x} {HEIGHT}v-3h{BAR}v3z")
        if day.down_s:
            high = max(4, round(HEIGHT * day.down_s / (day.up_s + day.down_s)))
            down.append(f"M{x} {HEIGHT}v-{high}h{BAR}v{high}z")
    shapes: list[Markup] = [
        element("path", d="".join(paths), class_=name)
        for paths, name in ((flat, "h-flat"), (hollow, "h-hollow"), (down, "h-down"))
        if paths
    ]
    picture = drawing(max(len(days), 1) * STEP, HEIGHT, shapes, _label(days, now, w))
    return Svg(picture, className="heartbeat")


def observed(day: AppDay, now: datetime, w: Words) -> bool:
    """Whether at least half of the day, as far as it has come by `now`, was observed."""
    local = w.local(now)
    passed = DAY_S
    if day.day == local.date():
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        passed = (local - midnight).total_seconds()
    return day.up_s + day.down_s > 0 and day.up_s + day.down_s >= passed / 2


def _label(days: Sequence[AppDay], now: datetime, w: Words) -> str:
    bad = [day for day in days if day.down_s]
    unseen = sum(not observed(day, now, w) for day in days)
    total = timedelta(seconds=sum(day.down_s for day in bad))
    text = w.t("{n} days: no downtime", n=w.number(len(days)))
    if bad:
        text = w.t(
            "{n} days: {age} of downtime on {bad} days",
            n=w.number(len(days)), age=w.age(total), bad=w.number(len(bad)),
        )  # fmt: skip
    return text + (", " + w.t("{n} days unobserved", n=w.number(unseen)) if unseen else "")
