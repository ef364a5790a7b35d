"""A province's real list of websites and applications, imported as the inventory, gaps and all."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from kpis import app_uptime
from kpis.views import AppRow, AppState
from tests.real.world import World, city, now, open_world, run

ROWS = 100


@pytest.fixture
def file(shared: Path) -> Path:
    return shared / "opd" / "banten_2017_daftar_website_aplikasi.csv"


@pytest.fixture
def lines(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as rows:
        return [{name: value.strip() for name, value in row.items()} for row in csv.DictReader(rows)]


@pytest.fixture
def world(tmp_path: Path, store_url: str) -> Iterator[World]:
    opened = open_world(tmp_path, city(store_url, "Asia/Jakarta", ["diskominfo"]))
    yield opened
    opened.store.close()


def _import(world: World, file: Path) -> list[str]:
    return run(world, "ingest.load", "application", file, "--map", "banten").splitlines()


def _shown(world: World) -> tuple[AppRow, ...]:
    with world.store.read() as conn:
        view = app_uptime.view(conn, world.settings, now())
    assert (view.without_owner, view.never_checked) == (0, ROWS)
    return view.apps


def test_all_hundred_are_shown_with_their_owners_and_gaps_and_again_changes_nothing(
    world: World, file: Path, lines: list[dict[str, str]]
) -> None:
    assert len(lines) == ROWS
    assert _import(world, file) == ["accepted 100", "already known 0", "rejected 0"]
    facts, shown = world.facts(), _shown(world)

    by_url = {row.url: row for row in shown if row.url}
    without_url = [row for row in shown if row.url is None]
    for line in lines:
        row = by_url[line["URL"]] if line["URL"] else without_url.pop()
        assert row.owner == line["OPD / Lembaga"]
        assert row.hosting == (line["Posisi Server"] or None)
        assert row.name.strip()
        assert (row.opd, row.state, row.uptime_30d) == (None, AppState.NEVER, None)
    assert without_url == []
    gaps = [line for line in lines if not line["URL"] or not line["Posisi Server"]]
    assert len(gaps) == 2, "the list's own gaps: one entry has no address, one no place"

    assert _import(world, file) == ["accepted 0", "already known 100", "rejected 0"]
    assert world.facts() == facts
    assert _shown(world) == shown


def test_the_list_in_another_order_is_the_same_inventory(world: World, file: Path, tmp_path: Path) -> None:
    _import(world, file)
    facts = world.facts()
    head, *rest = file.read_text(encoding="utf-8-sig").splitlines()
    turned = tmp_path / "terbalik.csv"
    turned.write_text("\n".join([head, *reversed(rest)]) + "\n", encoding="utf-8")
    assert _import(world, turned) == ["accepted 0", "already known 100", "rejected 0"]
    assert world.facts() == facts
