"""The mayor's page: five OPD that need a word, five that deserve one, what changed, eight figures."""

from __future__ import annotations

from typing import Any

from dash import html

from kpis.types import Snapshot
from kpis.views import MayorView, OpdStanding, StateChange
from layouts.marks import STATE_WORDS, full, href, opd_link, short
from layouts.pages.page import Page, Panels, section, slot, with_shared
from layouts.panels.kpi_tile import kpi_tile
from layouts.words import Words, msg

TILES = (
    "requests_overdue_share",
    "requests_close_days_p50_30d",
    "apps_down_now",
    "app_uptime_30d",
    "opd_integrated",
    "consistency_breaks",
    "attendance_rate_today",
    "late_share_today",
)


def panels(snapshot: Snapshot, w: Words) -> Panels:
    """A panel for each tile and each list."""
    view: MayorView = snapshot.detail
    own: Panels = {f"tile-{key}": kpi_tile(snapshot, key, w) for key in TILES}
    own["need-a-word"] = _people(view.need, snapshot, w, calm=w.t("No OPD misses a target now."))
    own["deserve-a-word"] = _people(
        view.deserve, snapshot, w, calm=w.t("Every OPD has something to act on now.")
    )
    own["changes"] = _changes(view.changes, snapshot, w)
    return with_shared(snapshot, w, own)


def frame(snapshot: Snapshot, w: Words) -> html.Div:
    """Who first, then what changed, then the figures."""
    found = panels(snapshot, w)
    lists = html.Div(
        [
            section(w.t("Five that need a word"), slot(found, "need-a-word")),
            section(w.t("Five that deserve one"), slot(found, "deserve-a-word")),
            section(w.t("What changed in 24 hours"), slot(found, "changes")),
        ],
        className="thirds",
    )
    tiles = html.Div([slot(found, f"tile-{key}", "tile-slot") for key in TILES], className="tiles")
    return html.Div([html.H1(w.t("Mayor")), lists, tiles], className="page mayor-page")


def _people(rows: tuple[OpdStanding, ...], snapshot: Snapshot, w: Words, *, calm: str) -> Any:
    if not rows:
        return html.P(calm, className="calm")
    return html.Ol([_standing(row, snapshot, w) for row in rows], className="standings")


def _standing(row: OpdStanding, snapshot: Snapshot, w: Words) -> html.Li:
    counts = [
        html.Span([html.B(w.number(n)), " ", w.t(STATE_WORDS[kind])], className=f"state {kind}")
        for kind, n in (("act", row.act), ("watch", row.watch), ("on_target", row.on_target))
        if n and (kind != "on_target" or not row.act)
    ]
    worst = snapshot.kpis.get(row.worst_kpi or "")
    about = html.Span(w.t(worst.title), className="about") if worst is not None else ""
    name = html.A(
        [html.B(short(snapshot, row.opd)), html.Span(full(snapshot, row.opd, w), className="full-name")],
        href=href(f"/opd/{row.opd}", w),
        className="who-link",
    )
    return html.Li([name, html.Span(counts, className="marks"), about])


def _changes(rows: tuple[StateChange, ...], snapshot: Snapshot, w: Words) -> Any:
    if not rows:
        return html.P(w.t("Nothing changed in the last 24 hours."), className="calm")
    return html.Ul([_change(row, snapshot, w) for row in rows], className="changes")


def _change(row: StateChange, snapshot: Snapshot, w: Words) -> html.Li:
    kpi = snapshot.kpis.get(row.kpi)
    who: Any = opd_link(snapshot, row.opd, w) if row.opd else w.t("City")
    return html.Li(
        [
            html.Span(w.moment(row.at, snapshot.at), className="when"),
            html.Span(w.t(kpi.title) if kpi else row.kpi, className="what"),
            html.Span(who, className="who"),
            _word(row.after, w),
        ]
    )


def _word(severity: str, w: Words) -> html.Span:
    kind = "no_data" if severity == "unknown" else severity
    return html.Span(w.t(STATE_WORDS[kind]), className=f"state {kind}")


PAGE = Page(
    name="mayor",
    path="/mayor",
    title=msg("Mayor"),
    detail=MayorView,
    scope="city",
    wall=False,
    panels=panels,
    frame=frame,
)
