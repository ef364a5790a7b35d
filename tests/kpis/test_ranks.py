"""Places among the OPD: ties share one, and what is stale, missing or few leaves the count."""

from __future__ import annotations

from typing import Any

import pytest

from kpis.ranks import FEW_CASES, FEW_FIGURES, Place, best, counts, most_improved, ranked
from kpis.types import Freshness, Reading, Severity, Unit
from tests.dashboard.fakes import reading

G, W, A, U = Severity.ON_TARGET, Severity.WATCH, Severity.ACT, Severity.UNKNOWN


def figures(*severities: Severity, **changes: Any) -> list[Reading]:
    return [reading(f"k{n}", severity=severity, **changes) for n, severity in enumerate(severities)]


def judged(*severities: Severity) -> dict[str, Severity]:
    return {f"k{n}": severity for n, severity in enumerate(severities)}


def places(**by_opd: list[Reading]) -> dict[str, Place]:
    return {place.opd: place for place in ranked(by_opd)}


@pytest.mark.parametrize(
    ("changes", "counted"),
    [
        ({}, True),
        ({"severity": A}, True),
        ({"freshness": Freshness.LATE}, True),
        ({"freshness": Freshness.STALE}, False),
        ({"freshness": Freshness.NEVER, "value": None}, False),
        ({"severity": U}, False),
        ({"unit": Unit.SHARE, "denominator": FEW_CASES - 1}, False),
        ({"unit": Unit.SHARE, "denominator": FEW_CASES}, True),
        ({"unit": Unit.DAYS, "denominator": 1}, False),
        ({"unit": Unit.COUNT, "denominator": 1}, True),
        ({"unit": Unit.HOURS, "denominator": None}, True),
    ],
)
def test_only_a_current_figure_of_enough_cases_is_compared(changes: dict[str, Any], counted: bool) -> None:
    assert counts(reading(**changes)) is counted


def test_those_who_meet_the_same_share_have_the_same_place_and_the_next_is_left_free() -> None:
    found = places(
        a=figures(*[G] * 9, A), b=figures(*[G] * 10), c=figures(*[G] * 5), d=figures(*[G] * 18, W, W),
        e=figures(*[W] * 6),
    )  # fmt: skip
    assert {opd: (p.place, p.tied) for opd, p in found.items()} == {
        "b": (1, 1), "c": (1, 1), "a": (3, 1), "d": (3, 1), "e": (5, 0),
    }  # fmt: skip
    assert {p.of for p in found.values()} == {5}
    assert [p.quarter for p in found.values()] == [1, 1, 2, 2, 4]


def test_an_opd_of_which_too_little_is_known_has_no_place() -> None:
    silent = figures(*[G] * 12, freshness=Freshness.STALE)
    few = figures(*[G] * (FEW_FIGURES - 1))
    found = places(a=figures(*[W] * FEW_FIGURES), silent=silent, few=few, nobody=[])
    assert {opd: (p.place, p.of, p.quarter) for opd, p in found.items()} == {
        "a": (1, 1, 1), "few": (None, 0, None), "nobody": (None, 0, None), "silent": (None, 0, None),
    }  # fmt: skip
    assert (found["silent"].met, found["silent"].judged) == (0, 0)


def test_the_quarters_part_thirty_opd_evenly() -> None:
    found = ranked({f"o{n:02d}": figures(*[G] * n, *[A] * (40 - n)) for n in range(30)})
    assert [sum(p.quarter == quarter for p in found) for quarter in (1, 2, 3, 4)] == [8, 7, 8, 7]


def test_only_figures_judged_then_and_now_say_who_improved() -> None:
    now = {
        "up": figures(*[G] * 6), "down": figures(*[G] * 4, A, A), "new": figures(*[G] * 6),
        "gap": figures(*[G] * 6),
    }  # fmt: skip
    before = {
        "up": judged(A, W, W, G, G, G), "down": judged(*[G] * 6), "gap": judged(*[U] * 3, *[A] * 3),
    }  # fmt: skip
    found = {p.opd: p for p in ranked(now, before)}
    assert {opd: (p.gained, p.compared) for opd, p in found.items()} == {
        "up": (3, 6), "down": (-2, 6), "new": (None, 0), "gap": (None, 3),
    }  # fmt: skip
    assert [p.opd for p in most_improved(tuple(found.values()))] == ["up"]
    assert {p.opd for p in best(tuple(found.values()))} == {"up", "new", "gap"}


def test_nobody_is_most_improved_when_nobody_gained() -> None:
    before = {"a": judged(*[G] * 6), "b": judged(*[G] * 6)}
    found = ranked({"a": figures(*[G] * 6), "b": figures(*[G] * 5, A)}, before)
    assert most_improved(found) == ()
    assert best(()) == ()


def test_all_who_gained_as_much_are_named() -> None:
    before = {opd: judged(A, A, *[G] * 4) for opd in ("a", "b", "c")}
    found = ranked({"a": figures(*[G] * 6), "b": figures(*[G] * 6), "c": figures(A, *[G] * 5)}, before)
    assert [p.opd for p in most_improved(found)] == ["a", "b"]
