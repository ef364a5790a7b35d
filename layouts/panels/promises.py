"""What an OPD promised: milestones with their day, and targets that have one."""

from __future__ import annotations

from typing import Any

from dash import html

from kpis.types import Snapshot
from kpis.views import Milestone, OpdView, Promise
from layouts.marks import look, state, target
from layouts.panels.tables import Column, gap, nothing, table, two_lines
from layouts.terms import plain
from layouts.words import MISSING, Words, msg

STATES = {
    Promise.OVERDUE: msg("past its day"),
    Promise.DUE: msg("due within 30 days"),
    Promise.LATER: msg("later"),
    Promise.DONE_LATE: msg("done late"),
    Promise.DONE: msg("done in time"),
}


def promises(snapshot: Snapshot, view: OpdView, w: Words) -> list[Any]:
    """How many promises stand where, the ones that matter, then the dated targets."""
    found = view.promises
    if found.updated_at is None:
        return [nothing(w.t("This OPD has no milestone.")), *_targets(snapshot, view, w)]
    counts = [
        html.Li(
            [html.B(w.number(found.counts[one])), " ", w.t(word)],
            className=f"promise {one.value}" if found.counts[one] else "promise",
        )
        for one, word in STATES.items()
    ]
    columns = [
        Column(w.t("Milestone")),
        Column(w.t("By"), number=True),
        Column(w.t("State")),
        Column(w.t("Progress"), number=True),
    ]
    rows = [_row(one, snapshot, w) for one in found.rows]
    as_of = w.t("as of {time}", time=w.moment(found.updated_at, snapshot.at))
    return [
        html.Ul(counts, className="counts"),
        table(w.t("What you promised"), columns, rows),
        html.P(as_of, className="note"),
        *_targets(snapshot, view, w),
    ]


def _row(one: Milestone, snapshot: Snapshot, w: Words) -> list[Any]:
    today = w.local(snapshot.at).date()
    days = (today - one.due_on).days
    said: Any = w.t(STATES[one.state])
    if one.state is Promise.OVERDUE:
        late = w.t("{n} d", n=w.number(days))
        said = html.Span(w.t("{age} past its day", age=late), className="state overdue")
    elif one.done_on is not None and one.state in (Promise.DONE, Promise.DONE_LATE):
        said = two_lines(said, w.day(one.done_on))
    elif one.state is Promise.DUE:
        said = w.t("in {age}", age=w.t("{n} d", n=w.number(-days)))
    done = one.state in (Promise.DONE, Promise.DONE_LATE)
    progress: Any = (
        MISSING if done else gap(w.t("not told")) if one.progress is None else w.share(one.progress)
    )
    return [two_lines(one.name, plain(one.kind) if one.kind else None), _date(one, w), said, progress]


def _date(one: Milestone, w: Words) -> str:
    return f"{w.day(one.due_on)} {one.due_on.year}"


def _targets(snapshot: Snapshot, view: OpdView, w: Words) -> list[Any]:
    today = w.local(snapshot.at).date()
    found = []
    for key, by in view.targets_by.items():
        reading, kpi = snapshot.readings.get(key), snapshot.kpis.get(key)
        if reading is None or kpi is None or reading.target is None:
            continue
        left = (by - today).days
        when = w.t("in {age}", age=w.t("{n} d", n=w.number(left)))
        if left < 0:
            when = w.t("{age} past its day", age=w.t("{n} d", n=w.number(-left)))
        found.append(
            html.Li(
                [
                    html.B(w.t(kpi.title)),
                    f" {target(reading, w)} · {w.day(by)} {by.year} ({when}) · ",
                    w.t("now {value}", value=w.figure(reading.value, reading.unit)),
                    " ",
                    state(look(reading), snapshot.at, w, timed=False),
                ]
            )
        )
    return [html.H3(w.t("Targets with a day")), html.Ul(found, className="dated")] if found else []
