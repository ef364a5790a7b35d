"""A reject goes in once its cause is mended, and stays exactly once while it is not."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingest.arrivals import Outcome
from ingest.replay import main, replay
from kpis import sources
from tests.conftest import ROOT, FrozenClock
from tests.pipeline.world import World, ago, configuration, record

MAPPED = {"nomor": 7, "dinas": "dinkes", "dibuat": ago(days=2), "diubah": ago(days=1), "keadaan": "received"}
WRONG = {
    "id": "to_string(nomor)",
    "opd": "opd",
    "opened_at": "dibuat",
    "updated_at": "diubah",
    "status": "keadaan",
}
RIGHT = {**WRONG, "opd": "dinas"}


def source(mapping: dict[str, str], **more: Any) -> list[dict[str, Any]]:
    return [
        {"name": "sp4n", "type": "mqtt", "topic": "sp4n/#", "feed": "service_request", "map": mapping, **more}
    ]


def again(world: World, name: str | None = None) -> Outcome:
    return replay(world.store, world.settings, world.now, name)


def counts(outcome: Outcome) -> tuple[int, int, int]:
    return outcome.accepted, outcome.known, outcome.rejected


def test_a_mended_mapping_brings_its_rejects_in_and_marks_them(world: World, clock: FrozenClock) -> None:
    world.with_settings(source=source(WRONG))
    payloads = [{**MAPPED, "nomor": n} for n in range(3)]
    assert counts(world.take("service_request", *payloads, source="sp4n")) == (0, 0, 3)
    world.with_settings(source=source(RIGHT))
    clock.tick(hours=1)
    assert counts(again(world)) == (3, 0, 0)
    assert [row.id for row in world.facts("service_request")] == ["0", "1", "2"]
    assert {row.replayed_at - row.first_at for row in world.rejects()} == {3_600_000_000}
    assert counts(again(world)) == (0, 0, 0), "what was replayed does not wait any more"


def test_what_still_cannot_be_used_stays_once_with_todays_reason(world: World, clock: FrozenClock) -> None:
    world.with_settings(source=source(WRONG))
    world.take("service_request", {**MAPPED, "keadaan": "baru"}, source="sp4n")
    world.with_settings(source=source(RIGHT))
    for _ in range(3):
        clock.tick(hours=1)
        assert counts(again(world)) == (0, 0, 1)
    (kept,) = world.rejects()
    assert (kept.reason, kept.field, kept.times, kept.replayed_at) == ("bad_value", "status", 1, None)
    assert world.counts("sp4n") == (0, 0, 1), "a replay is not another arrival"


def test_a_conflict_that_is_still_one_stays_waiting_once(world: World, clock: FrozenClock) -> None:
    world.take(
        "uptime_check", record("uptime_check"), record("uptime_check", up=False, error="HP 081234567890")
    )
    for _ in range(2):
        clock.tick(hours=1)
        assert counts(again(world)) == (0, 0, 1)
    (kept,) = world.rejects()
    assert (kept.reason, kept.times, kept.replayed_at) == ("id_conflict", 1, None)
    assert world.counts() == (1, 0, 1)
    assert [row.up for row in world.facts("uptime_check")] == [True]


def test_a_conflict_behind_a_mapping_can_be_replayed(world: World) -> None:
    world.with_settings(source=source(RIGHT))
    world.take("service_request", MAPPED, {**MAPPED, "keadaan": "closed"}, source="sp4n")
    (kept,) = world.rejects()
    assert json.loads(kept.raw) == {**MAPPED, "keadaan": "closed"}
    world.with_settings(source=source({**RIGHT, "id": "join('-', [to_string(nomor), keadaan])"}))
    assert counts(again(world)) == (1, 0, 0)
    assert [row.id for row in world.facts("service_request")] == ["7", "7-closed"]


def test_an_opd_that_was_added_lets_its_rejects_in(world: World) -> None:
    world.take(
        "service_request", record("service_request", opd="dlh", text="HP 081234567890", nik=3573010101900001)
    )
    opd = [*configuration("x")["city"]["opd"], {"code": "dlh", "name": "Lingkungan Hidup"}]
    world.with_settings(city={"opd": opd})
    assert counts(again(world)) == (1, 0, 0)
    assert [(row.opd, row.text) for row in world.facts("service_request")] == [
        ("dlh", "HP [telepon disamarkan]")
    ]


def test_only_the_named_source_is_replayed(world: World) -> None:
    bad = record("service_request", opd="dlh")
    world.take("service_request", bad, source="satu")
    world.take("service_request", bad, source="dua")
    opd = [*configuration("x")["city"]["opd"], {"code": "dlh", "name": "Lingkungan Hidup"}]
    world.with_settings(city={"opd": opd})
    assert counts(again(world, "dua")) == (1, 0, 0)
    assert [row.source for row in world.facts("service_request")] == ["dua"]
    assert [row.replayed_at is None for row in world.rejects()] == [True, False]


def test_a_row_of_a_database_can_be_replayed(world: World) -> None:
    """Its naive times are in the source's zone, its numbers are Decimals, its key is a number."""
    at = datetime(2026, 8, 18, 9, 30)  # noqa: DTZ001  as a driver gives it
    row = {
        "nomor": 12,
        "dinas": "dinkes",
        "dibuat": at,
        "diubah": at,
        "keadaan": "received",
        "lat": Decimal("-7.63"),
    }
    settings = {"source": source({**WRONG, "lat": "lat"}, timezone="Asia/Makassar")}
    world.with_settings(**settings)
    assert counts(world.pipeline.take([world.row("service_request", row, "sp4n")])) == (0, 0, 1)
    world.with_settings(source=source({**RIGHT, "lat": "lat"}, timezone="Asia/Makassar"))
    assert counts(again(world)) == (1, 0, 0)
    (fact,) = world.facts("service_request")
    assert (fact.id, fact.lat) == ("12", -7.63)
    assert fact.opened_at == int(datetime.fromisoformat("2026-08-18T09:30:00+08:00").timestamp()) * 1_000_000


def test_a_record_that_came_in_by_itself_meanwhile_is_known(world: World) -> None:
    world.with_settings(source=source(WRONG))
    world.take("service_request", MAPPED, source="sp4n")
    world.with_settings(source=source(RIGHT))
    world.take("service_request", MAPPED, source="sp4n")
    assert counts(again(world)) == (0, 1, 0)
    (kept,) = world.rejects()
    assert kept.replayed_at is not None


def test_a_person_in_a_reject_never_comes_in_as_a_pseudonym(world: World) -> None:
    for number, who in enumerate(["Budi Santoso", "3573010101900001", "198001012005011001"]):
        world.take("attendance", record("attendance", id=str(number), employee=who))
    assert counts(again(world)) == (0, 0, 3)
    assert world.facts("attendance") == []


def test_many_rejects_are_replayed_page_by_page(embedded: World) -> None:
    embedded.with_settings(source=source(WRONG))
    embedded.take("service_request", *({**MAPPED, "nomor": n} for n in range(1100)), source="sp4n")
    embedded.with_settings(source=source(RIGHT))
    assert counts(again(embedded)) == (1100, 0, 0)


def test_a_bad_record_that_arrives_again_after_its_replay_waits_again(world: World) -> None:
    world.with_settings(source=source(WRONG))
    world.take("service_request", MAPPED, source="sp4n")
    world.with_settings(source=source(RIGHT))
    again(world)
    world.with_settings(source=source(WRONG))
    world.take("service_request", MAPPED, source="sp4n")
    (kept,) = world.rejects()
    assert (kept.times, kept.replayed_at) == (2, None)


def test_a_source_nothing_came_from_is_an_error_and_no_empty_answer(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = world.settings.store.url
    world.take("service_request", {"id": "1"}, source="sp4n")
    config = tmp_path / "config.toml"
    config.write_text(f'extends = "{ROOT / "config.toml"}"\nstore.url = "{url}"\n')
    assert main(["--source", "sp4m", "--config", str(config)]) == 2
    assert capsys.readouterr().err == "--source: nothing came from 'sp4m'; sources: sp4n\n"
    assert main(["--source", "sp4n", "--config", str(config)]) == 0


def test_a_link_to_a_reject_that_is_not_there_is_told(embedded: World) -> None:
    with embedded.store.read() as conn:
        found = sources.view(conn, embedded.settings, embedded.now(), 999_999)
    assert (found.chosen, found.asked) == (None, 999_999)


def test_a_source_is_named_by_the_door_it_came_through_last(embedded: World) -> None:
    for door in ("file", "mqtt"):
        entry = record("uptime_check", id=f"c-{door}")
        embedded.pipeline.take([embedded.arrival("uptime_check", entry, "pemantau", door=door)])
    with embedded.store.read() as conn:
        (row,) = sources.source_rows(conn, embedded.settings, embedded.now())
    assert row.door == "mqtt"
