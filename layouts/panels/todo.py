"""What an OPD has to do now, in five counts, and the rows behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from kpis.types import Reading, Snapshot
from kpis.views import AppState, OpdView, RequestRow
from layouts.marks import Look, ago, classes, look, target
from layouts.panels.attendance_table import heard
from layouts.panels.marks_bar import resting
from layouts.panels.tables import Column, nothing, table
from layouts.terms import STATUSES, plain, term
from layouts.words import MISSING, Words


def todo(snapshot: Snapshot, w: Words) -> html.Ol:
    """The counts in the order in which they want doing; each leads to its rows on the page."""
    view: OpdView = snapshot.detail
    return html.Ol(
        [_overdue(view, snapshot, w), _due(view, snapshot, w), _down(view, snapshot, w),
         _failing(view, snapshot, w), _absent(view, snapshot, w)],
        className="todo",
    )  # fmt: skip


def _card(
    title: str, value: str, about: Sequence[Any], as_of: Any, *, kind: str = "", to: str = "", w: Words
) -> html.Li:
    name: Any = html.A(title, href=to) if to else title
    return html.Li(
        [
            html.Div(name, className="todo-title"),
            html.Div(value, className="todo-value"),
            html.Div(list(about), className="todo-about"),
            html.Div(as_of, className="todo-foot"),
        ],
        className=classes("todo-card", kind, value == MISSING and "no_data"),
    )


def _judged(found: Look) -> str:
    """The edge of a card: that of its figure, and none while there is nothing to do."""
    return found.kind if found.kind in ("act", "watch", "stale", "no_data") else ""


def _as_of(reading: Reading | None, snapshot: Snapshot, w: Words) -> Any:
    if reading is None or reading.observed_at is None:
        return w.t("no data")
    return ago(reading.observed_at, snapshot.at, w, w.t("data {age} old"), kind="observed")


def _overdue(view: OpdView, snapshot: Snapshot, w: Words) -> html.Li:
    reading = snapshot.readings.get("requests_overdue_share")
    if reading is None or view.overdue_all is None:
        return _card(w.t("Overdue now"), MISSING, [w.t("no data")], "", w=w)
    about = w.t(
        "of {all} with a deadline, target {limit}",
        all=w.number(reading.denominator),
        limit=target(reading, w),
    )
    return _card(
        w.t("Overdue now"), w.number(view.overdue_all), [about], _as_of(reading, snapshot, w),
        kind=_judged(look(reading)) if view.overdue_all else "", to="#opd-overdue", w=w,
    )  # fmt: skip


def _due(view: OpdView, snapshot: Snapshot, w: Words) -> html.Li:
    reading = snapshot.readings.get("requests_open")
    first = view.due[0]
    rows = [
        html.Li(
            w.t(
                "{n} within {days} working days, by {day}",
                n=w.number(one.count),
                days=one.days,
                day=_day(one.by, w),
            )
        )
        for one in view.due[1:]
    ]
    known = reading is not None and reading.value is not None
    title = w.t("Due by {day}", day=_day(first.by, w))
    return _card(
        title, w.number(first.count) if known else MISSING, [html.Ul(rows)] if known else [w.t("no data")],
        _as_of(reading, snapshot, w), w=w,
    )  # fmt: skip


def _day(day: Any, w: Words) -> str:
    return f"{w.weekday(day, short=True)} {w.day(day)}"


def _down(view: OpdView, snapshot: Snapshot, w: Words) -> html.Li:
    reading = snapshot.readings.get("apps_down_now")
    title = w.t("Applications down")
    if not view.apps:
        return _card(title, MISSING, [w.t("no application of yours is in the inventory")], "", w=w)
    down = sum(app.state is AppState.DOWN for app in view.apps)
    unheard = sum(app.state in (AppState.UNKNOWN, AppState.NEVER) for app in view.apps)
    about: list[Any] = [
        w.t(
            "of {all}, target {limit}",
            all=w.number(len(view.apps)),
            limit=target(reading, w) if reading else MISSING,
        )
    ]
    if unheard:
        about.append(html.Div(w.t("{n} not heard", n=w.number(unheard))))
    kind = _judged(look(reading)) if down or unheard else ""
    value = MISSING if unheard == len(view.apps) else w.number(down)
    return _card(title, value, about, _as_of(reading, snapshot, w), kind=kind, to="#opd-apps", w=w)


def _failing(view: OpdView, snapshot: Snapshot, w: Words) -> html.Li:
    reading = snapshot.readings.get("sync_success_share_24h")
    title = w.t("Interfaces failed or late")
    if not view.interfaces:
        return _card(title, MISSING, [w.t("no interface of yours is registered")], "", w=w)
    about = w.t("of {all} registered", all=w.number(len(view.interfaces)))
    return _card(
        title, w.number(len(view.troubles)), [about], _as_of(reading, snapshot, w),
        kind=_judged(look(reading)) if view.troubles else "", to="#opd-troubles", w=w,
    )  # fmt: skip


def _absent(view: OpdView, snapshot: Snapshot, w: Words) -> html.Li:
    reading = snapshot.readings.get("attendance_rate_today")
    title, day = w.t("Unexplained absences today"), view.attendance
    if reading is not None and resting(snapshot, reading):
        return _card(title, MISSING, [w.t("Nobody is expected today.")], "", w=w)
    if day is None or not heard(day):
        return _card(title, MISSING, [w.t("no data")], _as_of(reading, snapshot, w), w=w)
    about = w.t("of {all} expected", all=w.number(day.expected))
    return _card(
        title, w.number(day.unexplained), [about], _as_of(reading, snapshot, w), to="#opd-people", w=w
    )


def overdue_table(snapshot: Snapshot, view: OpdView, w: Words) -> Any:
    """The longest overdue requests, one row each, and how many more there are."""
    if view.overdue_all is None:
        return nothing(w.t("No request was ever reported for this OPD."))
    if not view.overdue:
        return nothing(w.t("Nothing is overdue."))
    columns = [
        Column(w.t("Number")),
        Column(w.t("Overdue for"), number=True),
        Column(w.t("About")),
        Column(w.t("Kelurahan")),
        Column(w.t("Status")),
        Column(w.t("Opened"), number=True),
        Column(w.t("Deadline"), number=True),
    ]
    rows = table(w.t("Overdue requests"), columns, [_row(snapshot, row, w) for row in view.overdue])
    more = view.overdue_all - len(view.overdue)
    if more <= 0:
        return rows
    return [
        rows,
        html.P(w.t("{n} more are overdue, each for a shorter time.", n=w.number(more)), className="note"),
    ]


def _row(snapshot: Snapshot, row: RequestRow, w: Words) -> list[Any]:
    return [
        html.Div([html.Div(row.id), html.Div(row.source, className="small-print")]),
        html.B(ago(row.due_at, snapshot.at, w)),
        plain(row.category) if row.category else MISSING,
        row.kelurahan or MISSING,
        term(STATUSES, row.status, w),
        w.moment(row.opened_at, snapshot.at),
        w.moment(row.due_at, snapshot.at),
    ]
