"""The pages of the pretend city's real store speak one language at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dashboard.snapshot import Key
from dashboard.tables import Tables
from kpis.config import load
from kpis.store import open_store
from layouts.pages import PAGES, Page
from tests.demo.test_demo import Demo
from tests.layouts.test_languages import strange


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """The store of a running demo with a day of history."""
    folder = tmp_path_factory.mktemp("demo")
    demo = Demo(folder, "--history-days", "1")
    try:
        demo.address()
        demo.figures("requests_open", "app_uptime_24h", "consistency_breaks", "attendance_rate_today")
        settings = load(folder / "config.toml")
        with open_store(settings) as store:
            yield Tables(settings, store)
    finally:
        demo.stop()


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_word_of_a_real_page_is_one_of_its_language(tables: Tables, page: Page, language: str) -> None:
    opd = "dlh" if page.scope == "opd" else None
    assert not strange(page, tables.read(Key(page.name, opd)), language)
