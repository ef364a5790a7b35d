"""What the mayor's and an OPD's page say, and what they never say."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from dash import html

from dashboard.render import to_json
from kpis.types import Better, City, Freshness, Severity, Snapshot
from kpis.views import OpdView, Praise, Promise
from layouts.pages import PAGES, mayor, opd
from layouts.panels.change_list import look_line
from layouts.panels.figure_list import course, figure_list
from layouts.panels.place import place_panel
from layouts.sentences import city_line, reason, since
from layouts.shell import shell
from layouts.words import Words, words_for
from tests.layouts import sample, tree, views
from tests.layouts import views_people as people

EN, ID = words_for("en", "Asia/Jakarta"), words_for("id", "Asia/Jakarta")
NOW = sample.NOW
# Brysbaert (2019): adults read English silently at 238 words a minute.
TWO_MINUTES = 2 * 238


def said(panel: str, snapshot: Snapshot, w: Words = EN) -> str:
    page = mayor if snapshot.page == "mayor" else opd
    return tree.text(page.panels(snapshot, w)[panel])


def with_reading(snapshot: Snapshot, kpi: str, **changes: Any) -> Snapshot:
    return replace(snapshot, readings={**snapshot.readings, kpi: replace(snapshot.readings[kpi], **changes)})


# --- the city in one sentence ------------------------------------------------------------------------


def city(*states: tuple[str, str], minutes: int = 190) -> Snapshot:
    """A city of as many figures as there are states: (severity, freshness)."""
    keys = list(sample.KPIS)[: len(states)]
    shown = people.mayor()
    readings = {
        key: replace(
            shown.readings[key], value=1.0, severity=Severity(severity), freshness=Freshness(fresh),
            since=NOW - timedelta(minutes=minutes + n),
        )
        for n, (key, (severity, fresh)) in enumerate(zip(keys, states, strict=True))
    }  # fmt: skip
    return replace(shown, readings=readings)


@pytest.mark.parametrize(
    ("states", "text"),
    [
        ((("act", "fresh"),) * 3 + (("watch", "late"),) * 2,
         "3 figures need action, 2 are watched; the oldest since 05:30."),
        ((("act", "fresh"), ("on_target", "fresh")), "1 figure needs action; the oldest since 05:32."),
        ((("watch", "fresh"), ("on_target", "fresh")), "1 is watched; the oldest since 05:32."),
        ((("on_target", "fresh"),) * 2, "Every current figure is on target."),
        # A stale figure is not counted as what it was, and is not passed over either.
        ((("act", "stale"), ("on_target", "fresh")),
         "Every current figure is on target. 1 figure is stale or missing."),
        ((("act", "stale"), ("watch", "fresh"), ("on_target", "stale")),
         "1 is watched; the oldest since 05:31. 2 figures are stale or missing."),
        ((), "No data yet"),
    ],
)  # fmt: skip
def test_the_city_stands_in_one_sentence(states: tuple[tuple[str, str], ...], text: str) -> None:
    assert city_line(city(*states), EN) == text


def test_the_sentence_is_said_in_indonesian() -> None:
    assert city_line(city(("act", "fresh"), ("watch", "fresh")), ID) == (
        "1 angka perlu tindakan, 1 diwaspadai; yang terlama sejak 05.32."
    )


@pytest.mark.parametrize(
    ("hours", "text"),
    [(1, "07:42"), (8.6, "00:06"), (9, "Sunday"), (6.2 * 24, "Tuesday"), (9 * 24, "7\u00a0Nov")],
)
def test_when_it_began_is_told_as_one_says_it(hours: float, text: str) -> None:
    assert since(NOW - timedelta(hours=hours), NOW, EN) == text


# --- reasons -------------------------------------------------------------------------------------------


def test_a_reason_is_a_figure_with_its_counts_its_target_and_since_when() -> None:
    shown = people.mayor()
    late = replace(
        shown.by_opd["requests_overdue_share"]["dlh"], value=11 / 40, numerator=11, denominator=40,
        target=0.10, severity=Severity.ACT, since=NOW - timedelta(days=3),
    )  # fmt: skip
    assert reason(shown, late, EN) == "11 of 40 requests overdue, target ≤\u00a010\u00a0%, since Friday"
    assert reason(shown, late, ID) == "11 dari 40 laporan lewat tenggat, target ≤\u00a010\u00a0%, sejak Jumat"
    assert reason(shown, replace(late, numerator=2, denominator=4), EN).endswith("since Friday, few cases")
    assert reason(shown, replace(late, numerator=None), EN).startswith(
        "Overdue requests: 27.5\u00a0%, target"
    )


@pytest.mark.parametrize("key", [*sample.KPIS])
@pytest.mark.parametrize("w", [EN, ID], ids=["en", "id"])
def test_every_figure_can_be_a_reason(key: str, w: Words) -> None:
    shown = people.mayor()
    text = reason(shown, replace(shown.readings[key], value=0.5, numerator=20, denominator=40), w)
    assert "{" not in text
    assert re.search(r"\d", text)
    assert len(text.split()) <= 16, "one sentence that is read at a glance"


# --- the mayor's page ------------------------------------------------------------------------------------


@pytest.mark.parametrize("w", [EN, ID], ids=["en", "id"])
def test_the_mayors_page_is_read_in_two_minutes(w: Words) -> None:
    text = tree.text(mayor.frame(people.mayor(), w))
    assert 200 < sum(any(letter.isalnum() for letter in word) for word in text.split()) < TWO_MINUTES


def test_the_mayors_page_is_light_on_the_wire() -> None:
    shown = people.mayor()
    frame = shell(mayor.PAGE, shown, ID, mayor.frame(shown, ID), language="id", theme="light")
    assert len(gzip.compress(to_json(frame), 5)) < 12_000


def test_an_opd_in_need_is_one_tap_away_with_the_figure() -> None:
    shown = people.mayor()
    rows = tree.of(mayor.panels(shown, EN)["need-a-word"], "Li")
    assert len(rows) == 5
    links = [[a.href for a in tree.of(row, "A")] for row in rows]
    assert links[0] == ["/opd/diskominfo?lang=en", "tel:+62-000-0010"]
    assert all(found[0].startswith("/opd/") for found in links)
    assert "more" not in tree.text(rows[0])
    assert "+4 more" in tree.text(rows[4])


def test_what_improved_is_told_from_what_to_what() -> None:
    text = said("deserve-a-word", people.mayor())
    assert re.search(r"Overdue requests from 24\.1 % to [\d.]+ % in 30 days, target ≤ 10 %", text)
    assert "place 1 of 28" in text
    assert "28 of 30 OPD reporting enough to be compared." in text


def test_nobody_is_praised_without_a_past_that_is_not_told() -> None:
    shown = people.mayor()
    view = replace(shown.detail, compared=False, deserve=(), need=())
    assert "No figures of 30 days ago yet" in said("deserve-a-word", replace(shown, detail=view))
    assert said("need-a-word", replace(shown, detail=view)) == "No OPD misses a target now."


def test_changes_come_as_lines_and_the_rest_as_counts() -> None:
    shown = people.mayor()
    lines = [tree.text(row) for row in tree.of(mayor.panels(shown, EN)["changes"], "Li")]
    assert len(lines) == 7
    assert lines[0].startswith("ACT Overdue requests · City")
    assert "changed 5 times" in lines[1]
    assert "STALE" in lines[3]
    assert "changed 6 times" in lines[4]
    assert lines[5].startswith("no longer ACT")
    assert lines[6].startswith("back on target")
    assert "4 more got worse, 2 more got better." in said("changes", shown)
    quiet = replace(shown.detail, look=people.look(worse=(), better=(), worse_all=0, better_all=0))
    assert said("changes", replace(shown, detail=quiet)) == "Nothing changed."


def test_a_span_of_changes_can_be_sent_on() -> None:
    shown = people.mayor()
    line = look_line(shown, shown.detail.look, EN)
    assert "Since the last look, Sun 19:40" in tree.text(line)
    assert [a.href for a in tree.of(line, "A")] == [
        "/mayor?lang=en",
        "/mayor?since=2026-11-15T08%3A40&lang=en",
        "/mayor?since=2026-11-09T08%3A40&lang=en",
    ]
    first = look_line(shown, replace(shown.detail.look, first=True), EN)
    assert tree.text(first).startswith("The last 24 hours")


def _of_heads() -> City:
    heads = tuple(replace(one, head="Kepala Rahasia", contact="tel:+62999") for one in sample.CITY.opds)
    return replace(sample.CITY, opds=heads)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_only_the_mayors_page_names_the_heads_of_opd(page: Any) -> None:
    if page.name not in views.SNAPSHOTS:
        pytest.fail(f"{page.name} has no sample")
    shown = replace(views.SNAPSHOTS[page.name](), city=_of_heads())
    frame = shell(page, shown, EN, page.frame(shown, EN), language="en", theme="light")
    text = to_json(frame).decode() + to_json(page.panels(shown, EN)).decode()
    assert ("Kepala Rahasia" in text, "+62999" in text) == (page.name == "mayor",) * 2


def test_a_link_that_is_no_contact_is_not_shown() -> None:
    heads = tuple(replace(one, contact="javascript:alert(1)") for one in sample.CITY.opds)
    text = to_json(mayor.frame(replace(people.mayor(), city=replace(sample.CITY, opds=heads)), EN)).decode()
    assert "javascript:" not in text


# --- an OPD's page ---------------------------------------------------------------------------------------


def shown_opd(**changes: Any) -> Snapshot:
    shown = people.opd()
    return replace(shown, detail=replace(shown.detail, **changes))


def test_what_to_do_is_counted_first() -> None:
    text = said("opd-todo", people.opd())
    for part in (
        "Overdue now 31",
        "Due by Tue 17\u00a0Nov 4",
        "11 within 3 working days",
        "Interfaces failed or late 2",
    ):
        assert " ".join(part.split()) in " ".join(text.split()), part
    assert "5 of 30" not in text


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"overdue_all": None}, "Overdue now"),
        ({"apps": ()}, "Applications down"),
        ({"interfaces": (), "troubles": ()}, "Interfaces failed or late"),
        ({"attendance": None}, "Unexplained absences today"),
    ],
)
def test_a_count_that_is_not_known_is_no_nought(changes: dict[str, Any], title: str) -> None:
    card = next(
        row
        for row in tree.of(opd.panels(shown_opd(**changes), EN)["opd-todo"], "Li", "todo-card")
        if title in tree.text(row)
    )
    assert f"{title} —" in tree.text(card)
    assert "no_data" in card.className


def test_an_overdue_request_says_how_long_and_of_what() -> None:
    rows = [tree.text(row) for row in tree.of(opd.panels(people.opd(), EN)["opd-overdue"], "Tr")]
    assert rows[0] == "Number Overdue for About Kelurahan Status Opened Deadline"
    assert rows[1].startswith("2026000000 sms 50 d Jalan rusak Karangmulya Received")
    assert "23 more are overdue" in said("opd-overdue", people.opd())
    assert said("opd-overdue", shown_opd(overdue=(), overdue_all=0)) == "Nothing is overdue."
    assert said("opd-overdue", shown_opd(overdue=(), overdue_all=None)).startswith(
        "No request was ever reported"
    )


def test_trouble_says_what_is_wrong_and_the_rejects_why() -> None:
    text = said("opd-troubles", people.opd())
    assert "never sent" in text
    assert "15 records of this OPD could not be used: 12 Field missing 3 Not a time" in text
    calm = said("opd-troubles", shown_opd(troubles=(), rejects=()))
    assert "All 6 interfaces sent what they should." in calm
    assert "No record of this OPD waits for mending." in calm


@pytest.mark.parametrize(
    ("now", "then", "better", "found"),
    [
        (2.0, 1.0, Better.LOWER, ("worse", 1)),
        (1.0, 2.0, Better.LOWER, ("better", -1)),
        (2.0, 1.0, Better.HIGHER, ("better", 1)),
        (1.0, 2.0, Better.HIGHER, ("worse", -1)),
        (1.0, 1.0, Better.HIGHER, ("same", 0)),
    ],
)
def test_better_is_the_figures_own_direction(
    now: float, then: float, better: Better, found: tuple[str, int]
) -> None:
    assert course(now, then, better) == found


def figure(snapshot: Snapshot, title: str) -> str:
    view: OpdView = snapshot.detail
    rows = tree.of(figure_list(snapshot, view.before, EN), "Tr")
    return next(tree.text(row) for row in rows if tree.text(row).startswith(title + " "))


def test_a_figure_stands_against_its_target_and_its_own_past() -> None:
    shown = with_reading(people.opd(), "requests_overdue_share", value=0.24, numerator=24, denominator=100,
                         freshness=Freshness.FRESH, severity=Severity.ACT)  # fmt: skip
    text = figure(shown, "Overdue requests")
    assert re.search(r"24\.0\s% 24 of 100 data .* old ≤\s10\s% ACT .* 31\.0\s% ↓ better", text), text


def test_what_is_missing_or_stale_is_not_compared() -> None:
    assert "no figure —" in figure(people.opd(), "Closed on time, 30 days")
    stale = with_reading(people.opd(), "requests_open", freshness=Freshness.STALE)
    assert re.search(r"STALE .* 2,011 —$", figure(stale, "Open requests"))
    few = with_reading(people.opd(), "requests_overdue_share", denominator=3, numerator=1,
                       freshness=Freshness.FRESH, value=1 / 3)  # fmt: skip
    assert "few cases" in figure(few, "Overdue requests")


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        (
            {},
            (
                "Place 12 of 28 , in the second quarter , with 2 others",
                "2 more than 30 days ago, of 17 compared.",
            ),
        ),
        ({"gained": -1}, ("1 fewer than 30 days ago",)),
        ({"gained": 0}, ("As many as 30 days ago",)),
        ({"gained": None}, ("No figures of 30 days ago yet to compare with.",)),
        ({"place": None}, ("No place: fewer than 5 current figures to judge by.",)),
    ],
)
def test_a_place_is_told_without_a_list_of_the_last(changes: dict[str, Any], parts: tuple[str, ...]) -> None:
    shown = people.opd()
    view = replace(shown.detail, place=replace(shown.detail.place, **changes))
    text = tree.text(html.Div(place_panel(shown, view, EN)))
    for part in (*parts, "Most targets met Setda, Bappeda : 17 of 18 targets met", "5 more targets met",
                 "28 of 30 OPD reporting enough to be compared."):  # fmt: skip
        assert part in text, text


def test_promises_are_told_by_their_day() -> None:
    text = said("opd-promises", people.opd())
    for part in (
        "3 past its day",
        "21 d past its day",
        "in 9 d",
        "not told",
        "done late",
        "Targets with a day",
        "(in 45 d)",
    ):
        assert part in text, part
    assert set(people.promised().counts) == set(Promise)
    empty = replace(people.promised(), rows=(), updated_at=None)
    assert "This OPD has no milestone." in said("opd-promises", shown_opd(promises=empty))


@pytest.mark.parametrize("build", [people.mayor, people.opd], ids=["mayor", "opd"])
def test_a_stale_figure_never_looks_fresh(build: Callable[[], Snapshot]) -> None:
    shown = build()
    stale = {key: replace(r, freshness=Freshness.STALE, value=1.0) for key, r in shown.readings.items()}
    shown = replace(shown, readings=stale)
    page = mayor if shown.page == "mayor" else opd
    marked = to_json(page.panels(shown, EN)).decode()
    assert marked.count("STALE") >= 8
    if shown.page == "mayor":
        assert len(re.findall(r'class=\\"tile (stale|no_data)', marked)) == 8
    else:
        cards = tree.of(opd.panels(shown, EN)["opd-todo"], "Li", "stale")
        assert len(cards) >= 3


def test_a_place_that_is_shared_is_praised_by_its_figure() -> None:
    praise = Praise(place=people._place(1, 0, tied=3))
    shown = people.mayor()
    view = replace(shown.detail, deserve=(praise,))
    assert "17 of 18 targets met" in said("deserve-a-word", replace(shown, detail=view))
