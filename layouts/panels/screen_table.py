"""The wall's screens as devices: what each does, when it was last heard, and whose matter it is."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from kpis.screens.state import ScreenRow, ScreenState
from kpis.types import Freshness, Snapshot
from layouts.marks import STATE_WORDS, Look, ago, classes, opd_link, state
from layouts.panels.tables import Column, gap, table, two_lines
from layouts.words import MISSING, Words, msg

# The look and the word of each state. Whatever makes somebody go there is loud.
STATES = {
    ScreenState.SILENT: ("act", msg("Silent")),
    ScreenState.FROZEN: ("act", msg("Picture stands still")),
    ScreenState.LATE: ("late", STATE_WORDS["late"]),
    ScreenState.CUT: ("watch", msg("Without a stream")),
    ScreenState.BLANK: ("on_target", msg("Dark hours")),
    ScreenState.SHOWING: ("on_target", msg("Showing")),
    ScreenState.REVOKED: ("never", msg("Revoked")),
    ScreenState.NEVER: ("never", msg("Not enrolled")),
}
_FRESHNESS = {Freshness.LATE: STATE_WORDS["late"], Freshness.STALE: STATE_WORDS["stale"]}


def screen_table(snapshot: Snapshot, w: Words) -> Component:
    """Every configured screen, worst first."""
    columns = [
        Column(w.t("Screen")),
        Column(w.t("State")),
        Column(w.t("Owner")),
        Column(w.t("Last heard"), number=True),
        Column(w.t("Last picture"), number=True),
        Column(w.t("Page")),
        Column(w.t("Memory"), number=True),
        Column(w.t("Elements"), number=True),
        Column(w.t("Size"), number=True),
        Column(w.t("Build")),
    ]
    cells = [_cells(snapshot, row, w) for row in snapshot.screens]
    kinds = [f"screen {STATES[row.state][0]}" for row in snapshot.screens]
    return table(w.t("Screens"), columns, cells, kinds=kinds)


def monitored_screens(snapshot: Snapshot, w: Words) -> Any:
    """The enrolled screens among the applications: shown there, counted in no figure of theirs."""
    rows = [
        row for row in snapshot.screens if row.device is not None and row.state is not ScreenState.REVOKED
    ]
    if not rows:
        return ""
    columns = [
        Column(w.t("State")),
        Column(w.t("Application")),
        Column(w.t("Owner")),
        Column(w.t("Last heard"), number=True),
    ]
    cells = [
        [
            _state(row, snapshot, w),
            _name(_monitor(row, w), row.title, row),
            _owner(snapshot, row, w),
            _heard(row, snapshot, w),
        ]
        for row in rows
    ]
    kinds = [f"screen {STATES[row.state][0]}" for row in rows]
    return table(w.t("Screens"), columns, cells, kinds=kinds, first=1)


def screen_alarm(snapshot: Snapshot, row: ScreenRow, w: Words) -> html.Li:
    """A silent screen's line in the list of what needs attention."""
    said = w.t("heard {age} ago") if row.state is ScreenState.SILENT else w.t("picture {age} ago")
    at = row.heard_at if row.state is ScreenState.SILENT else row.painted_at
    return html.Li(
        [
            state(Look("act", row.since), snapshot.at, w),
            html.Span(_monitor(row, w), className="what"),
            html.Span(_owner(snapshot, row, w), className="who"),
            html.Span(ago(at or row.enrolled_at, snapshot.at, w, said, kind="observed"), className="far"),
        ],
        className="act screen",
    )


def _monitor(row: ScreenRow, w: Words) -> str:
    """The name under which a screen is an application that is watched: "layar: lobi"."""
    return w.t("screen: {name}", name=row.name)


def _cells(snapshot: Snapshot, row: ScreenRow, w: Words) -> list[Any]:
    megabytes = MISSING if row.heap_bytes is None else f"{w.number(row.heap_bytes / 1e6)}\u00a0MB"
    size = MISSING if row.width is None else f"{row.width}\u00a0×\u00a0{row.height}"
    zoomed = row.scale is not None and row.scale != 1
    return [
        _name(row.title, row.name, row),
        _state(row, snapshot, w),
        _owner(snapshot, row, w),
        _heard(row, snapshot, w),
        ago(row.painted_at, snapshot.at, w, kind="observed"),
        row.page or MISSING,
        megabytes,
        MISSING if row.nodes is None else w.number(row.nodes),
        two_lines(size, f"×\u00a0{w.number(row.scale, 2)}" if zoomed else None),
        two_lines(row.build or MISSING, row.device),
    ]


def _name(first: str, second: str, row: ScreenRow) -> Any:
    """Two names of a screen, where they differ, and where it hangs."""
    below = [one for one in (second if row.title != row.name else None, row.place) if one]
    return two_lines(first, " · ".join(below) or None)


def _state(row: ScreenRow, snapshot: Snapshot, w: Words) -> Any:
    look, word = STATES[row.state]
    shown = html.Span(w.t(word), className=classes("state", look))
    since = None if row.since is None else ago(row.since, snapshot.at, w, w.t("for {age}"))
    return two_lines(shown, since)


def _owner(snapshot: Snapshot, row: ScreenRow, w: Words) -> Any:
    return gap(w.t("no OPD")) if row.owner is None else opd_link(snapshot, row.owner, w)


def _heard(row: ScreenRow, snapshot: Snapshot, w: Words) -> Any:
    """How long ago, and whether that is later than it should be, by the one judge."""
    late = _FRESHNESS.get(row.freshness) if row.device and row.state is not ScreenState.REVOKED else None
    word = None if late is None else html.Span(w.t(late), className=f"state {row.freshness.value}")
    return two_lines(ago(row.heard_at, snapshot.at, w, kind="observed"), word)
