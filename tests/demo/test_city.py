"""What the pretend city is, and that it only ever says what a real one could."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from ingest.arrivals import Arrival
from ingest.demo import apps, people, requests, shapes, speak, systems, wrong
from ingest.demo.city import City, geojson
from ingest.reading import Kept, Reader, Refused
from kpis.config import Settings
from tests.demo.conftest import NOW, TODAY

HOUR = 3600.0


def said(city: City, start: float, end: float) -> list[tuple[str, bytes]]:
    return sorted(speak.events(city, start, end, NOW))


def read(settings: Settings, records: list[tuple[str, bytes]], at: float) -> list[Kept | Refused]:
    """What the pipeline's reader makes of records at a moment."""
    now = datetime.fromtimestamp(at, UTC)
    arrivals = [
        Arrival(topic.split("/")[3], "city", topic.split("/")[2], payload, now, "mqtt", topic)
        for topic, payload in records
    ]
    return list(Reader(settings, lambda: now).read(arrivals))


def test_the_city_has_the_size_it_claims(city: City) -> None:
    names = [app.app for app in apps.apps(city)]
    places = Counter(place.kecamatan for place in city.places)
    assert len(city.opds) == 30
    assert 8_500 <= len(people.staff(city).codes) <= 9_500
    assert len(names) == len(set(names)) == 120
    assert (sum(places.values()), len(places)) == (30, 5)


def test_about_two_hundred_requests_are_opened_a_day(city: City) -> None:
    days = city.days.span(TODAY - timedelta(days=89), TODAY)
    assert 180 <= sum(len(requests.opened_on(city, day)) for day in days) / len(days) <= 230


def test_the_same_seed_says_the_same_and_another_seed_something_else(
    city: City, other_city: City, settings: Settings
) -> None:
    from ingest.demo.city import found

    again = said(found(settings, TODAY), NOW - HOUR, NOW)
    assert said(city, NOW - HOUR, NOW) == again
    assert said(other_city, NOW - HOUR, NOW) != again


def test_what_is_said_in_two_halves_is_what_is_said_at_once(city: City) -> None:
    start, middle = NOW - 3 * HOUR, NOW - 1.23 * HOUR
    halves = said(city, start, middle) + said(city, middle, NOW)
    assert sorted(halves) == said(city, start, NOW)


def test_every_record_but_the_wrong_ones_can_be_used(city: City, settings: Settings) -> None:
    morning = NOW - 3 * HOUR
    spoiled = set(wrong.records(city, morning, NOW))
    good = [one for one in said(city, morning, NOW) if one not in spoiled]
    assert not [one for one in read(settings, good, NOW) if isinstance(one, Refused)]
    assert {topic.split("/")[2] for topic, _ in good} == {
        "service_request", "uptime_check", "attendance", "sync_run",
    }  # fmt: skip


def test_every_wrong_record_is_refused_and_all_kinds_come(city: City, settings: Settings) -> None:
    spoiled = list(wrong.records(city, NOW - 12 * HOUR, NOW))
    found = read(settings, spoiled, NOW)
    assert len(found) == len(spoiled)
    assert all(isinstance(one, Refused) for one in found)
    reasons = {one.reason for one in found if isinstance(one, Refused)}
    assert reasons == {
        "bad_json",
        "unknown_opd",
        "naive_time",
        "missing_field",
        "closes_before_open",
        "wrong_type",
        "too_old",
        "looks_personal",
    }


def test_a_request_only_moves_forward(city: City) -> None:
    for request in requests.opened_on(city, TODAY - timedelta(days=40)):
        assert list(request.moments) == sorted(request.moments)
        told = [json.loads(record) for m in request.moments if (record := request.record(m))]
        assert [one["updated_at"] for one in told] == sorted(one["updated_at"] for one in told)
        assert told[0]["status"] == "received"


def test_a_day_off_brings_nobody_to_work(city: City) -> None:
    sunday = TODAY + timedelta(days=3)
    assert people.working_day(city, sunday) is None
    assert people.working_day(city, TODAY) is not None


def test_pseudonyms_are_not_personal_numbers(city: City) -> None:
    codes = people.staff(city).codes
    assert len(set(codes)) == len(codes)
    assert all(code.startswith("p-") and len(code) == 8 for code in codes)


def test_the_past_leaves_no_check_unobserved(city: City) -> None:
    moments: dict[str, list[datetime]] = {}
    for record in apps.checks(city, NOW - 24 * HOUR, NOW, apps.ROUGH_S, NOW):
        one = json.loads(record)
        moments.setdefault(one["app"], []).append(datetime.fromisoformat(one["observed_at"]))
    assert len(moments) == 120
    for times in moments.values():
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert max(gaps) <= timedelta(minutes=30)


def test_an_incident_comes_within_a_minute_of_the_start_and_passes(city: City) -> None:
    def down(at: float) -> bool:
        return any(apps.is_down(city, app, at, NOW) for app in apps.apps(city))

    assert down(NOW + 60)
    struck = [app for app in apps.apps(city) if apps.is_down(city, app, NOW + 60, NOW)]
    assert any(not apps.is_down(city, app, NOW + 400, NOW) for app in struck)


def test_kelurahan_fill_the_city_without_overlap(city: City) -> None:
    rings = shapes.cells(city.seed, len(city.places))
    edge = shapes.outline(city.seed)
    assert sum(abs(shapes.area(ring)) for ring in rings) == pytest.approx(abs(shapes.area(edge)), rel=0.02)
    draw = random.Random(5)
    hits = [
        sum(shapes.inside((x, y), ring) for ring in rings)
        for x, y in ((draw.uniform(-1, 1), draw.uniform(-1, 1)) for _ in range(1_500))
        if shapes.inside((x * 1.02, y * 1.02), edge)
    ]
    assert len(hits) > 500
    assert sum(hit == 1 for hit in hits) / len(hits) > 0.99
    assert max(hits) == 1


def test_the_map_is_geojson_with_names_that_requests_use(city: City) -> None:
    features = geojson(city)["features"]
    names = {one["properties"]["name"] for one in features}
    assert all(
        one["geometry"]["coordinates"][0][0] == one["geometry"]["coordinates"][0][-1] for one in features
    )
    assert {request.fields["kelurahan"] for request in requests.opened_on(city, TODAY)} <= names


@pytest.mark.parametrize("stage", ["plan", "budget", "procurement", "contract", "realisation"])
def test_the_budget_chain_has_every_stage(city: City, stage: str) -> None:
    assert any(row[4] == stage for row in systems.ledger(city, 2026))


def test_most_opd_have_interfaces_and_some_have_none(city: City) -> None:
    with_any = {link.opd for link in systems.links(city)}
    assert len(with_any) == 28
    kinds = Counter(link.kind for link in systems.links(city))
    assert kinds["good"] > 40
    assert (kinds["partial"], kinds["silent"]) == (2, 2)
