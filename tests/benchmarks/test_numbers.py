"""A number that cannot be measured with is refused before anything starts."""

from __future__ import annotations

import pytest

from benchmarks.__main__ import main
from benchmarks.numbers import seeds


@pytest.mark.parametrize(
    ("name", "more", "why"),
    [
        ("ingest", ["--rounds", "0"], "--rounds: '0' is not a whole number of 1 or more"),
        ("ingest", ["--events", "many"], "--events: 'many' is not a whole number of 1 or more"),
        ("faults", ["--events", "-1"], "--events: '-1' is not a whole number of 1 or more"),
        ("faults", ["--rate", "nan"], "--rate: 'nan' is not a number above 0"),
        ("faults", ["--seeds", "5-1"], "--seeds: '5-1' is not a range such as 1-20"),
        ("faults", ["--seeds", "abc"], "--seeds: 'abc' is not a range such as 1-20"),
        ("live", ["--viewers", "0"], "--viewers: '0' is not a whole number of 1 or more"),
        ("database", ["--rows", "-5"], "--rows: '-5' is not a whole number of 1 or more"),
    ],
)
def test_a_number_that_cannot_be_is_refused_in_one_line(
    name: str, more: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, *more])
    assert ended.value.code == 2
    assert why in capsys.readouterr().err


def test_seeds_are_a_range_with_both_ends_or_one_number() -> None:
    assert list(seeds("1-3")) == [1, 2, 3]
    assert list(seeds("7")) == [7]


def test_help_lists_the_benchmarks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "ingest,faults,growth,live,database" in capsys.readouterr().out
