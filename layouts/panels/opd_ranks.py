"""One figure of every OPD, worst first: its bar with the target, its state, and its course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dash import html
from dash.development.base_component import Component

from kpis.charts import Stretch
from kpis.types import Kpi, Reading, Snapshot, TrendPoint
from layouts.flat import flat
from layouts.marks import ago, full, href, look, short, state, target
from layouts.panels.kpi_tile import kpi_path, window
from layouts.panels.tables import nothing
from layouts.panels.trend import trend
from layouts.svg import Svg, drawing, element
from layouts.words import MISSING, Words

WIDTH, HEIGHT = 100.0, 14.0


def opd_ranks(
    snapshot: Snapshot, kpi: Kpi, codes: Sequence[str], courses: Mapping[str, Sequence[Stretch]], w: Words
) -> Component:
    """A row per OPD in the order given; its name leads to this figure of that OPD."""
    readings = snapshot.by_opd.get(kpi.key, {})
    known = [code for code in codes if code in readings and readings[code].value is not None]
    if not known:
        return nothing(w.t("No OPD has this figure yet."))
    most = _most([readings[code] for code in known])
    titles = ("OPD", "", w.t("Value"), w.t("Target"), w.t("State"), w.t("Course"), w.t("As of"))
    head = [
        html.Th(title, scope="col", className="num" if place in (2, 3) else None) if title else html.Td("")
        for place, title in enumerate(titles)
    ]
    rows = [_row(snapshot, kpi, code, readings.get(code), courses.get(code, ()), most, w) for code in codes]
    body = html.Table([html.Thead(html.Tr(head)), html.Tbody(rows)], className="table ranks")
    return flat(body, "scroll", w.t("By OPD, worst first"))


def _row(
    snapshot: Snapshot, kpi: Kpi, code: str, reading: Reading | None, points: Sequence[Stretch],
    most: float, w: Words,
) -> html.Tr:  # fmt: skip
    found = look(reading)
    link = html.A(short(snapshot, code), href=href(kpi_path(kpi.key, code), w), title=full(snapshot, code, w))
    value = w.figure(reading.value, kpi.unit) if reading is not None else MISSING
    line = [TrendPoint(at=one.at, value=one.last) for one in points]
    limit = reading.target if reading is not None else None
    return html.Tr(
        [
            html.Th(link, scope="row"),
            html.Td(_bar(reading, most, found.kind), className="bar"),
            html.Td(value, className="num"),
            html.Td(target(reading, w) if reading is not None else MISSING, className="num"),
            html.Td(state(found, snapshot.at, w)),
            html.Td(trend(line, limit, window=window(snapshot)), className="spark"),
            html.Td(ago(reading.observed_at if reading else None, snapshot.at, w, kind="observed")),
        ],
        className=found.kind,
    )


def _most(readings: Sequence[Reading]) -> float:
    """What a full bar stands for: the largest value or target."""
    values = [value for r in readings for value in (r.value, r.target) if value is not None]
    return max(values, default=0.0) or 1.0


def _bar(reading: Reading | None, most: float, kind: str) -> Svg:
    """The value's bar, and a stroke where its target is; the figures stand beside it."""
    shapes = []
    if reading is not None and reading.value is not None and reading.value > 0:
        solid = "c-solid" if kind in ("act", "watch") else "c-hollow"
        wide = WIDTH * min(1.0, reading.value / most)
        shapes.append(element("rect", x=0, y=2, width=wide, height=HEIGHT - 4, class_=solid))
    if reading is not None and reading.target is not None:
        at = WIDTH * min(1.0, max(0.0, reading.target / most))
        shapes.append(element("path", d=f"M{at:.1f} 0V{HEIGHT:g}", class_="c-mark"))
    return Svg(drawing(WIDTH, HEIGHT, shapes, "", stretch=True), className="bar-plot")
