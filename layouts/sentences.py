"""Figures in sentences: what is measured with its counts, its target, and since when it is so."""

from __future__ import annotations

from datetime import datetime

from kpis.ranks import few_cases
from kpis.types import Freshness, Reading, Severity, Snapshot
from layouts.marks import target
from layouts.panels.marks_bar import resting
from layouts.words import Words, msg

# {n} of {all} are the counts behind a share; where they are not counted in heads, {value} alone is told.
FIGURES = {
    "requests_open": msg("{value} requests open"),
    "requests_overdue_share": msg("{n} of {all} requests overdue"),
    "requests_on_time_share_30d": msg("{n} of {all} requests closed on time"),
    "requests_close_days_p50_30d": msg("{value} to close a request"),
    "requests_close_days_p90_30d": msg("1 request in 10 takes over {value}"),
    "requests_first_response_hours_p50_30d": msg("{value} to the first answer"),
    "requests_reopened_share_30d": msg("{n} of {all} requests reopened"),
    "requests_confirmed_share_30d": msg("{n} of {all} answers confirmed by citizens"),
    "apps_down_now": msg("{n} of {all} applications down"),
    "app_uptime_24h": msg("applications up {value} of 24 hours"),
    "app_uptime_30d": msg("applications up {value} of 30 days"),
    "error_budget_left_30d": msg("{value} of the allowed downtime left"),
    "sync_success_share_24h": msg("{n} of {all} syncs succeeded"),
    "data_age_hours_worst": msg("oldest data {value} old"),
    "consistency_breaks": msg("{n} of {all} budget codes broken"),
    "attendance_rate_today": msg("{n} of {all} people at work"),
    "late_share_today": msg("{n} of {all} people late"),
    "doubtful_share_today": msg("{n} of {all} check-ins doubtful"),
}
ANY = msg("{title}: {value}")


def figure(snapshot: Snapshot, reading: Reading, w: Words) -> str:
    """What a reading says, in words: "11 of 40 requests overdue"."""
    title = w.t(snapshot.kpis[reading.kpi].title)
    text = FIGURES.get(reading.kpi, ANY)
    if "{n}" in text and (reading.numerator is None or reading.denominator is None):
        text = ANY
    return w.t(
        text,
        n=w.number(reading.numerator), all=w.number(reading.denominator),
        value=w.figure(reading.value, reading.unit), title=title,
    )  # fmt: skip


def reason(snapshot: Snapshot, reading: Reading, w: Words) -> str:
    """A reading as the reason for a word: the figure, its target, since when.

    "11 of 40 requests overdue, target ≤ 10 %, since Monday".
    """
    parts = [figure(snapshot, reading, w), w.t("target {value}", value=target(reading, w))]
    if reading.since is not None:
        parts.append(w.t("since {time}", time=since(reading.since, snapshot.at, w)))
    if few_cases(reading):
        parts.append(w.t("few cases"))
    return ", ".join(parts)


def since(at: datetime, now: datetime, w: Words) -> str:
    """When something began, as one says it: the time today, the weekday this week, the date before."""
    days = (w.local(now).date() - w.local(at).date()).days
    if days <= 0:
        return w.clock(at)
    return w.weekday(w.local(at).date()) if days < 7 else w.day(w.local(at).date())


def city_line(snapshot: Snapshot, w: Words) -> str:
    """The city in one sentence: "3 figures need action, 2 are watched; the oldest since 08.42"."""
    known = [r for r in snapshot.readings.values() if not resting(snapshot, r)]
    if not known:
        return w.t("No data yet")
    fresh = [r for r in known if r.value is not None and r.freshness in (Freshness.FRESH, Freshness.LATE)]
    loud = [[r for r in fresh if r.severity is severity] for severity in (Severity.ACT, Severity.WATCH)]
    began = [r.since for r in loud[0] or loud[1] if r.since is not None]
    parts = [_actions(len(loud[0]), w), _watched(len(loud[1]), w)]
    text = ", ".join(part for part in parts if part) or w.t("Every current figure is on target")
    if began:
        text += "; " + w.t("the oldest since {time}", time=since(min(began), snapshot.at, w))
    silent = len(known) - len(fresh)
    return text + "." + (" " + _silent(silent, w) if silent else "")


def _actions(count: int, w: Words) -> str:
    return w.n("{n} figure needs action", "{n} figures need action", count) if count else ""


def _watched(count: int, w: Words) -> str:
    return w.n("{n} is watched", "{n} are watched", count) if count else ""


def _silent(count: int, w: Words) -> str:
    return w.n("{n} figure is stale or missing.", "{n} figures are stale or missing.", count)
