"""One figure by itself, of the city or of one OPD: its course, the OPD behind it, the rows behind it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from dash import html

from kpis.charts import Behind, KpiView
from kpis.types import Snapshot
from layouts.marks import full, href
from layouts.pages.page import Page, Panels, section, slot, with_shared
from layouts.panels.app_table import status_grid
from layouts.panels.course import course_chart
from layouts.panels.interface_table import interface_table
from layouts.panels.kpi_tile import PAGES, kpi_path, kpi_tile
from layouts.panels.opd_matrix import DOMAIN_WORDS
from layouts.panels.opd_ranks import opd_ranks
from layouts.panels.range_switch import range_text
from layouts.panels.request_table import request_table
from layouts.panels.tables import nothing
from layouts.words import Words, msg

# What `kpis.figure` and `kpis.service_requests.behind` say the rows are.
ROWS = (
    msg("Open, longest first"),
    msg("Open past the deadline, longest first"),
    msg("Closed after the deadline in 30 days, latest first"),
    msg("Closed in 30 days, longest first"),
    msg("First answered in 30 days, longest wait first"),
    msg("Closed in 30 days and reopened, most often first"),
    msg("Closed in 30 days without the citizen's word, newest first"),
    msg("Applications, worst first"),
    msg("Interfaces, worst first"),
)


def panels(snapshot: Snapshot, w: Words) -> Panels:
    """The tile, the course, and what stands behind the figure."""
    view: KpiView = snapshot.detail
    kpi = snapshot.kpis[view.kpi]
    own: Panels = {
        "kpi-tile": kpi_tile(snapshot, view.kpi, w),
        "kpi-course": course_chart(kpi, view.trend, view.target, w),
        "kpi-rows": _behind(snapshot, view, w),
    }
    if snapshot.opd is None:
        own["kpi-opd"] = opd_ranks(snapshot, kpi, view.opds, view.courses, w)
    return with_shared(snapshot, w, own)


def frame(snapshot: Snapshot, w: Words) -> html.Div:
    """Where one is, the figure and its course, then what is behind it."""
    found = panels(snapshot, w)
    view: KpiView = snapshot.detail
    kpi = snapshot.kpis[view.kpi]
    title = w.t(kpi.title)
    course = section(w.t("Course, {days}", days=_days(snapshot, w)), slot(found, "kpi-course"))
    inside: list[Any] = [
        html.Div([_path(snapshot, w), html.H1(title)], className="title"),
        html.Div([slot(found, "kpi-tile", "tile-slot"), course], className="figure-top"),
    ]
    if snapshot.opd is None:
        inside.append(section(w.t("By OPD, worst first"), slot(found, "kpi-opd")))
    inside.append(section(_rows_title(view.behind, w), slot(found, "kpi-rows")))
    return html.Div(inside, className="page figure-page")


def _days(snapshot: Snapshot, w: Words) -> str:
    return w.t("24 hours") if snapshot.span.days == 1 and snapshot.span.now else range_text(snapshot.span, w)


def _path(snapshot: Snapshot, w: Words) -> html.Nav:
    """From the city down to here, each step a link."""
    view: KpiView = snapshot.detail
    kpi = snapshot.kpis[view.kpi]
    steps: list[Any] = [html.A(w.t(DOMAIN_WORDS[kpi.domain]), href=href(PAGES[kpi.domain], w))]
    if snapshot.opd is not None:
        steps += [
            html.A(w.t("City"), href=href(kpi_path(kpi.key, None), w)),
            html.A(full(snapshot, snapshot.opd, w), href=href(f"/opd/{quote(snapshot.opd)}", w)),
        ]
    label: dict[str, Any] = {"aria-label": w.t("Where this is")}
    return html.Nav(html.Ol([html.Li(step) for step in steps]), className="path", **label)


def _rows_title(behind: Behind | None, w: Words) -> str:
    return w.t("The rows behind it") if behind is None else w.t(behind.word)


def _behind(snapshot: Snapshot, view: KpiView, w: Words) -> Any:
    if view.kept_back:
        return nothing(w.t("You may see this figure, but not the rows behind it."))
    if view.behind is None:
        return html.P(_instead(snapshot, view, w), className="nothing")
    rows = view.behind
    shown = len(rows.requests or rows.apps or rows.interfaces)
    inside: list[Any] = [_rows(snapshot, rows, w)]
    if rows.total > shown:
        text = w.t("{n} of {all}; {more} more.", n=w.number(shown), all=w.number(rows.total),
                   more=w.number(rows.total - shown))  # fmt: skip
        inside.insert(0, html.P(text, className="note"))
    return html.Div(inside, className="behind-rows")


def _rows(snapshot: Snapshot, rows: Behind, w: Words) -> Any:
    if rows.apps:
        return status_grid(snapshot, rows.apps, w)
    if rows.interfaces:
        return interface_table(snapshot, rows.interfaces, w)
    if rows.requests:
        return request_table(snapshot, rows.requests, w)
    return nothing(w.t("No rows stand behind this figure now."))


def _instead(snapshot: Snapshot, view: KpiView, w: Words) -> list[Any]:
    """Attendance is people, and a ledger's chain stands on its own page: both lead there."""
    domain = snapshot.kpis[view.kpi].domain
    link = html.A(w.t(DOMAIN_WORDS[domain]), href=href(PAGES[domain], w))
    return [w.t("This figure is made of counts alone. More of it:"), " ", link]


def _page(name: str, path: str, scope: str) -> Page:
    return Page(
        name=name, path=path, title=msg("Figure"), detail=KpiView, scope=scope, wall=False,
        panels=panels, frame=frame,
    )  # fmt: skip


PAGE = _page("kpi", "/kpi/<key>", "city")
OF_OPD = _page("opd_kpi", "/opd/<code>/kpi/<key>", "opd")
