"""One figure by itself: what is drawn, what is said of it, and where its links lead."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from kpis.charts import Behind, KpiView, Stretch
from kpis.types import Target, TrendPoint
from layouts.pages import PAGES
from layouts.panels.chart import steps
from layouts.panels.course import course_chart, sentence
from layouts.panels.trend import POINTS, thin
from layouts.words import words_for
from tests.layouts import sample, views
from tests.layouts.tree import markups, of, text
from tests.layouts.views_figure import DAYS, HOLE, TODAY, figure, of_opd, trend

EN = words_for("en", "Asia/Jakarta")
KPI = sample.KPIS["requests_open"]
TARGET = Target(target=1700, act=1900)


def path(markup: str, kind: str) -> list[str]:
    return re.findall(rf'<path d="([^"]*)" class="{kind}"', markup)


def drawn(**changes: object) -> str:
    (markup,) = (one for one in markups(course_chart(KPI, replace(trend(), **changes), TARGET, EN)) if "l-end" in one)  # type: ignore[arg-type]  # fmt: skip  # noqa: E501
    return markup


def test_a_gap_breaks_the_line_and_no_stroke_stands_in_it() -> None:
    markup = drawn()
    assert len(path(markup, "l-course")) == 2
    (strokes,) = path(markup, "l-range")
    assert strokes.count("M") == DAYS - len(HOLE)


def test_the_highest_of_a_stretch_is_drawn_although_the_line_passes_below_it() -> None:
    top = max(one.high for one in trend().points if one.high is not None)
    (strokes,) = path(drawn(), "l-range")
    heights = [float(y) for y in re.findall(r"M[\d.]+ ([\d.]+)V", strokes)]
    line = " ".join(path(drawn(), "l-course"))
    assert min(heights) < min(float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", line))
    assert f"highest {EN.figure(top, KPI.unit)}" in sentence(KPI, trend(), TARGET, EN)


def test_the_chart_says_latest_lowest_highest_and_how_often_the_target_was_missed() -> None:
    known = [one for one in trend().points if one.last is not None]
    missed = sum(one.last > 1700 for one in known if one.last is not None)
    said = sentence(KPI, trend(), TARGET, EN)
    assert said.startswith(f"Open requests: {EN.figure(known[-1].last, KPI.unit)}")
    assert said.endswith(f"missed by {missed} of {len(known)} values.")
    assert said.split(".")[0] in drawn(), "it is the drawing's text equivalent too"


def test_the_band_says_how_many_weeks_stand_behind_it_and_is_left_out_without_them() -> None:
    assert "c-band" in drawn()
    assert "same weekday of 8 other weeks" in text(course_chart(KPI, trend(), TARGET, EN))
    without = replace(trend(), usual=(), weeks=0)
    assert "c-band" not in drawn(usual=())
    assert "at least three weeks" in text(course_chart(KPI, without, TARGET, EN))


def test_an_act_line_far_away_does_not_flatten_the_course() -> None:
    far = course_chart(KPI, trend(), Target(target=1700, act=90_000), EN)
    assert not any(path(one, "l-act") for one in markups(far))
    assert "beyond the chart, at 90,000" in text(far)
    assert any(path(one, "l-act") for one in markups(course_chart(KPI, trend(), TARGET, EN)))


def test_the_table_behind_the_chart_holds_every_stretch() -> None:
    (details,) = of(course_chart(KPI, trend(), TARGET, EN), "Details")
    assert len(of(details, "Tr")) == DAYS + 1


def test_without_a_value_the_chart_says_so() -> None:
    nothing = replace(trend(), points=(Stretch(at=TODAY, last=None, low=None, high=None),))
    assert text(course_chart(KPI, nothing, TARGET, EN)) == "No value of these days is kept."


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (0, 1400, [0, 500, 1000, 1500]),
        (0.02, 0.11, [0, 0.05, 0.1, 0.15]),
        (5, 5, [4, 6]),
        (-0.35, 0.25, [-0.4, -0.2, 0, 0.2, 0.4]),
        (1222, 1700, [1200, 1400, 1600, 1800]),
    ],
)
def test_a_scale_is_of_round_figures_around_what_is_drawn(
    low: float, high: float, marks: list[float]
) -> None:
    found = steps(low, high)
    assert (found[0] <= low, found[-1] >= high, len(found) <= 6) == (True, True, True)
    if low != high:
        assert found == marks


def test_a_small_line_of_many_points_keeps_every_extreme_and_the_last() -> None:
    points = [
        TrendPoint(at=TODAY + timedelta(minutes=15 * n), value=9.0 if n == 333 else -9.0 if n == 334 else 1.0)
        for n in range(700)
    ]
    kept = thin(points)
    assert len(kept) <= POINTS + 1
    assert {9.0, -9.0} <= {one.value for one in kept}
    assert kept[-1] is points[-1]
    assert kept == sorted(kept, key=lambda one: one.at)


def test_every_tile_leads_to_its_figure_and_keeps_the_scope() -> None:
    for name in ("service_requests", "mayor"):
        snapshot = views.SNAPSHOTS[name]()
        page = next(page for page in PAGES if page.name == name)
        whole = page.frame(snapshot, EN)
        tiles = of(whole, "Div", "tile-slot")
        links = [a.href for a in of(whole, "A", "tile-link")]
        assert len(links) == len(tiles) > 0
        assert all(link.startswith("/kpi/") for link in links)


def test_an_opds_figures_lead_to_the_same_figure_of_that_opd() -> None:
    snapshot = views.SNAPSHOTS["opd"]()
    page = next(page for page in PAGES if page.name == "opd")
    own = f"/opd/{snapshot.opd}/kpi/"
    links = [a.href for a in of(page.panels(snapshot, EN)["opd-figures"], "A")]
    assert len(links) > 10
    assert all(link.startswith(own) for link in links)


def test_the_opd_stand_in_the_order_given_and_lead_to_the_same_figure_of_theirs() -> None:
    page = next(page for page in PAGES if page.name == "kpi")
    (ranks,) = of(page.frame(figure(), EN), "Table", "ranks")
    links = [a.href for a in of(ranks, "A")]
    assert [link.split("?")[0] for link in links] == [
        f"/opd/{code}/kpi/requests_open" for code in figure().detail.opds
    ]


def test_more_rows_than_are_shown_are_counted() -> None:
    page = next(page for page in PAGES if page.name == "opd_kpi")
    shown = of_opd()
    rows = len(shown.detail.behind.requests)
    assert f"{rows} of 2,341; {EN.number(2341 - rows)} more." in text(page.frame(shown, EN))


def test_rows_that_may_not_be_seen_are_not_there_and_the_page_says_so() -> None:
    page = next(page for page in PAGES if page.name == "kpi")
    shown = figure()
    view: KpiView = shown.detail
    assert isinstance(view.behind, Behind)
    kept = replace(shown, detail=replace(view, behind=None, kept_back=True))
    told = text(page.frame(kept, EN))
    assert "but not the rows behind it" in told
    assert view.behind.requests[0].id not in told
