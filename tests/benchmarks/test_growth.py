"""The growth benchmark measures what it says, on a past small enough for a test."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from benchmarks import growth
from benchmarks.growth_city import grow
from benchmarks.growth_shape import NOW, longer
from ingest.rebuild import differing
from kpis.readings import measure

_KEYS = {
    "facts", "page_ms", "evaluate_ms", "growth", "growth_of_quickest", "extrapolated", "store", "pages",
    "evaluator", "raw",
}  # fmt: skip


def test_the_result_has_the_keys_of_the_contract() -> None:
    sizes = "12000,20000,50000000"
    found = growth.run(["--store", "sqlite", "--facts", sizes, "--rounds", "1", "--dense", ""])
    assert set(found) >= _KEYS
    facts, pages, evaluates = found["facts"], found["page_ms"], found["evaluate_ms"]
    assert isinstance(facts, list)
    assert facts[2] == 50_000_000
    assert found["extrapolated"] == [50_000_000]
    assert facts[0] == pytest.approx(12_000, rel=0.2)
    assert facts[1] == pytest.approx(20_000, rel=0.2)
    for times in (pages, evaluates):
        assert isinstance(times, list)
        assert len(times) == 3
        assert all(ms > 0 for ms in times)


def test_growth_is_the_worst_ratio_of_any_page_or_the_cycle() -> None:
    pages = [{"wall": 10.0, "opd": 20.0}, {"wall": 50.0, "opd": 50.0}, {"wall": 12.0, "opd": 30.0}]
    cycles = [{"cycle": 100.0}, {"cycle": 500.0}, {"cycle": 110.0}]
    assert growth.growth(pages, cycles) == 1.5
    assert growth.growth(pages[::2], [{"cycle": 100.0}, {"cycle": 190.0}]) == 1.9


def test_what_was_not_filled_goes_on_as_it_grew() -> None:
    before, last = (
        {"flat": 10.0, "linear": 10.0, "sinking": 10.0},
        {"flat": 10.0, "linear": 100.0, "sinking": 8.0},
    )
    found = growth.further(before, last, 10**6, 10**7, 10**8)
    assert found == {"flat": 10.0, "linear": 1000.0, "sinking": 8.0}


def test_a_filled_past_is_whole_and_of_every_domain(store_url: str) -> None:
    city = grow(longer(12_000), store_url, lambda _: None)
    try:
        assert all(city.facts.values())
        assert not any(differing(city.store, city.settings).values())
        with city.store.read() as conn:
            found = {kpi: m for (kpi, opd), m in measure(conn, city.settings, NOW).items() if opd is None}
            for feed in ("uptime_check", "sync_run", "attendance", "attendance_day"):
                facts, keys = (
                    conn.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar()
                    for name in (feed, f"{feed}_key")
                )
                assert facts == keys == city.facts[feed]
        assert {kpi for kpi, m in found.items() if m.value is None} == set()
        assert found["consistency_breaks"].value == 20
    finally:
        city.store.close()
