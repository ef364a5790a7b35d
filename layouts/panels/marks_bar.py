"""What the head of every page says about its data: how old, how much of it stale, store in reach."""

from __future__ import annotations

from typing import Any

from dash import html

from kpis.types import Domain, Freshness, Reading, Snapshot
from layouts.marks import STATE_WORDS, ago, look
from layouts.words import Words


def resting(snapshot: Snapshot, reading: Reading) -> bool:
    """Whether a figure is away because nobody works today: that is no gap in the data."""
    kpi = snapshot.kpis.get(reading.kpi)
    at_work = kpi is not None and kpi.domain is Domain.E_ATTENDANCE
    return at_work and snapshot.day_off is not None and reading.value is None


def data_age(snapshot: Snapshot, w: Words) -> Any:
    """The age of the newest observation on the page and how many of its figures are stale."""
    readings = [one for one in snapshot.readings.values() if not resting(snapshot, one)]
    newest = max((r.observed_at for r in readings if r.observed_at is not None), default=None)
    if newest is None:
        return html.Span(w.t("No data yet"))
    form = w.t("Data {age}") if snapshot.page == "wall" else w.t("Newest data {age}")
    inside = [ago(newest, snapshot.at, w, form, kind="observed")]
    stale = sum(
        reading.freshness is Freshness.STALE for reading in readings if not resting(snapshot, reading)
    )
    if stale:
        inside.append(html.Span(w.t("{n} stale", n=w.number(stale)), className="state stale"))
    return html.Span(inside, className="data-age")


def notice(snapshot: Snapshot, w: Words) -> Any:
    """A line while the store is out of reach, else nothing."""
    if snapshot.store_ok:
        return ""
    text = w.t("The database cannot be reached. Figures are those of {time}.", time=w.moment(snapshot.at))
    return html.Div(text, className="notice", role="alert")


def live_line(snapshot: Snapshot, w: Words) -> str:
    """One sentence that sums the page up for a screen reader; it changes only when a count does."""
    if not snapshot.readings:
        return w.t("No data yet")
    kinds = [look(one).kind for one in snapshot.readings.values() if not resting(snapshot, one)]
    parts = [
        f"{w.number(kinds.count(kind))} {w.t(STATE_WORDS[kind])}"
        for kind in ("act", "watch", "stale", "no_data")
        if kind in kinds
    ]
    return w.list(parts) if parts else w.t("All figures are on target.")
