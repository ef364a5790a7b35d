"""What the head of every page says about its data: how old, how much of it stale, store in reach."""

from __future__ import annotations

from typing import Any

from dash import html

from kpis.types import Freshness, Snapshot
from layouts.marks import STATE_WORDS, ago, look
from layouts.words import Words


def data_age(snapshot: Snapshot, w: Words) -> Any:
    """The age of the newest observation on the page and how many of its figures are stale."""
    readings = snapshot.readings.values()
    newest = max((r.observed_at for r in readings if r.observed_at is not None), default=None)
    if newest is None:
        return html.Span(w.t("No data yet"))
    inside = [ago(newest, snapshot.at, w, w.t("Newest data") + " {age}", kind="observed")]
    stale = sum(reading.freshness is Freshness.STALE for reading in readings)
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
    kinds = [look(reading).kind for reading in snapshot.readings.values()]
    parts = [
        f"{w.number(kinds.count(kind))} {w.t(STATE_WORDS[kind])}"
        for kind in ("act", "watch", "stale", "no_data")
        if kind in kinds
    ]
    return ", ".join(parts) if parts else w.t("All figures are on target.")
