"""Every kind of record that cannot be used is kept with its reason, and takes no good one with it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from kpis.app_uptime import app_rows
from kpis.store import micros
from tests.conftest import FrozenClock
from tests.pipeline.world import FEEDS, NOW, World, ago, record

_HUGE = "x" * 1_000_000


def _json(feed: str, old: str, new: str) -> bytes:
    """A good record's JSON with one piece of text replaced, for what json.dumps would not write."""
    text = json.dumps(record(feed))
    assert old in text
    return text.replace(old, new).encode()


# what came in, the reason it is kept under, the field at fault
BROKEN: dict[str, tuple[str, Any, str, str | None]] = {
    "not JSON": ("uptime_check", b'{"id": "c1", "app"', "bad_json", None),
    "nothing at all": ("uptime_check", b"", "bad_json", None),
    "text that is no JSON": ("uptime_check", b"OK 200", "bad_json", None),
    "Latin-1 inside a text": ("message", b'{"id":"p1","text":"caf\xe9"}', "not_utf8", None),
    "UTF-16": ("uptime_check", json.dumps(record("uptime_check")).encode("utf-16"), "not_utf8", None),
    "a surrogate in UTF-8": ("message", b'{"id":"\xed\xa0\x80"}', "not_utf8", None),
    "a lone surrogate": (
        "uptime_check",
        _json("uptime_check", '"web"', '"\\ud800 x"'),
        "control_character",
        "app",
    ),
    "NaN": ("ledger", _json("ledger", "1000", "NaN"), "not_a_number", "amount"),
    "Infinity": ("ledger", _json("ledger", "1000", "-Infinity"), "not_a_number", "amount"),
    "a number beyond every float": ("ledger", _json("ledger", "1000", "1e400"), "not_a_number", "amount"),
    "a number of 5,000 digits": ("ledger", _json("ledger", "1000", "9" * 5000), "bad_json", None),
    "100,000 brackets": ("uptime_check", b"[" * 100_000 + b"]" * 100_000, "bad_json", None),
    "a good record with 100,000 brackets in an unknown field": (
        "uptime_check",
        _json("uptime_check", "{", '{"z":' + "[" * 100_000 + "]" * 100_000 + ","),
        "bad_json",
        None,
    ),
    "text where a record belongs": ("uptime_check", b'"web"', "not_a_record", None),
    "a number": ("uptime_check", b"12", "not_a_record", None),
    "null": ("uptime_check", b"null", "not_a_record", None),
    "an empty list": ("uptime_check", b"[]", "not_a_record", None),
    "a list in a list": ("uptime_check", b"[[]]", "not_a_record", None),
    "an unknown OPD": ("service_request", record("service_request", opd="dinas-lain"), "unknown_opd", "opd"),
    "an empty id": ("service_request", record("service_request", id=""), "missing_field", "id"),
    "an id of a thousand characters": (
        "uptime_check",
        record("uptime_check", id="x" * 1000),
        "too_long",
        "id",
    ),
    "a text of a million characters": ("message", record("message", text=_HUGE), "too_long", "text"),
    "a name with a NUL": ("uptime_check", record("uptime_check", app="we\0b"), "control_character", "app"),
    "a text with a bell": ("message", record("message", text="ding\a"), "control_character", "text"),
    "a naive time": (
        "uptime_check",
        record("uptime_check", observed_at="2026-08-19T10:00:00"),
        "naive_time",
        "observed_at",
    ),
    "a time that is a number": (
        "uptime_check",
        record("uptime_check", observed_at=1755572400),
        "bad_time",
        "observed_at",
    ),
    "a time in words": (
        "uptime_check",
        record("uptime_check", observed_at="kemarin"),
        "bad_time",
        "observed_at",
    ),
    "the 30th of February": (
        "uptime_check",
        record("uptime_check", observed_at="2026-02-30T00:00:00Z"),
        "bad_time",
        "observed_at",
    ),
    "1970": (
        "uptime_check",
        record("uptime_check", observed_at="1970-01-01T00:00:00Z"),
        "too_old",
        "observed_at",
    ),
    "the year 1": (
        "uptime_check",
        record("uptime_check", observed_at="0001-01-01T00:00:00+14:00"),
        "too_old",
        "observed_at",
    ),
    "2090": (
        "uptime_check",
        record("uptime_check", observed_at="2090-01-01T00:00:00Z"),
        "in_future",
        "observed_at",
    ),
    "the year 9999": (
        "uptime_check",
        record("uptime_check", observed_at="9999-12-31T23:59:59-14:00"),
        "in_future",
        "observed_at",
    ),
    "six minutes ahead": (
        "uptime_check",
        record("uptime_check", observed_at=ago(minutes=-6)),
        "in_future",
        "observed_at",
    ),
    "a due time in 2190": (
        "service_request",
        record("service_request", due_at="2190-01-01T00:00:00Z"),
        "in_future",
        "due_at",
    ),
    "an attendance day in 1970": (
        "attendance_day",
        record("attendance_day", day="1970-01-01"),
        "too_old",
        "day",
    ),
    "an attendance day in 2090": (
        "attendance_day",
        record("attendance_day", day="2090-01-01"),
        "in_future",
        "day",
    ),
    "an attendance day with a time": (
        "attendance_day",
        record("attendance_day", day="2026-08-19T00:00:00"),
        "bad_time",
        "day",
    ),
    "a ledger of 1970": ("ledger", record("ledger", year=1970), "out_of_range", "year"),
    "closed before it opened": (
        "service_request",
        record("service_request", status="closed", closed_at=ago(days=4)),
        "closes_before_open",
        "closed_at",
    ),
    "answered before it opened": (
        "service_request",
        record("service_request", answered_at=ago(days=4)),
        "times_out_of_order",
        "answered_at",
    ),
    "finished before it started": (
        "sync_run",
        record("sync_run", finished_at=ago(hours=2)),
        "times_out_of_order",
        "finished_at",
    ),
    "an unknown status": (
        "service_request",
        record("service_request", status="selesai"),
        "bad_value",
        "status",
    ),
    "an unknown stage": ("ledger", record("ledger", stage="dpa"), "bad_value", "stage"),
    "latitude 91": ("service_request", record("service_request", lat=91, lon=0), "out_of_range", "lat"),
    "negative days paused": (
        "service_request",
        record("service_request", paused_days=-1),
        "out_of_range",
        "paused_days",
    ),
    "minus one reopening": (
        "service_request",
        record("service_request", reopened=-1),
        "out_of_range",
        "reopened",
    ),
    "progress of 80 instead of 0.8": (
        "milestone",
        record("milestone", progress=80),
        "out_of_range",
        "progress",
    ),
    "more rows than a store counts": (
        "sync_run",
        record("sync_run", rows_read=10**30),
        "out_of_range",
        "rows_read",
    ),
    "a status code of four digits": (
        "uptime_check",
        record("uptime_check", status_code=2000),
        "out_of_range",
        "status_code",
    ),
    "yes as text": ("uptime_check", record("uptime_check", up="ya"), "wrong_type", "up"),
    "one as a truth": ("uptime_check", record("uptime_check", up=1), "wrong_type", "up"),
    "an amount as text": ("ledger", record("ledger", amount="1.000.000"), "wrong_type", "amount"),
    "an id as a number": ("uptime_check", record("uptime_check", id=5), "wrong_type", "id"),
    "an OPD as a list": ("service_request", record("service_request", opd=["dinkes"]), "wrong_type", "opd"),
    "a half reopening": (
        "service_request",
        record("service_request", reopened=0.5),
        "wrong_type",
        "reopened",
    ),
    "an employee that is a NIK": (
        "attendance",
        record("attendance", employee="3573014101900001"),
        "looks_personal",
        "employee",
    ),
    "an employee that is a NIP": (
        "attendance",
        record("attendance", employee="19800101 200501 1 001"),
        "looks_personal",
        "employee",
    ),
    "an employee that is a name": (
        "attendance",
        record("attendance", employee="Budi Santoso"),
        "looks_personal",
        "employee",
    ),
    "a person in a day's category": (
        "attendance_day",
        record("attendance_day", employee="Siti Aminah"),
        "looks_personal",
        "employee",
    ),
}


@pytest.mark.parametrize(("feed", "payload", "reason", "field"), BROKEN.values(), ids=BROKEN.keys())
def test_a_record_that_cannot_be_used_is_kept_with_reason_and_field(
    embedded: World, feed: str, payload: Any, reason: str, field: str | None
) -> None:
    good = record(feed, id="baik")
    outcome = embedded.take(feed, payload, good)
    assert (outcome.accepted, outcome.known, outcome.rejected) == (1, 0, 1)
    assert [(r.index, r.reason, r.field) for r in outcome.refusals] == [(0, reason, field)]
    (kept,) = embedded.rejects()
    assert (kept.source, kept.feed, kept.reason, kept.field, kept.times) == ("asal", feed, reason, field, 1)
    assert [row.id for row in embedded.facts(feed)] == ["baik"]
    assert embedded.counts() == (1, 0, 1)


def test_the_same_holds_on_both_stores(world: World) -> None:
    """All of them in one batch, so that nothing but the store differs from the table above."""
    arrivals = [world.arrival(feed, payload) for feed, payload, _, _ in BROKEN.values()]
    arrivals += [world.arrival(feed, record(feed)) for feed in FEEDS]
    outcome = world.pipeline.take(arrivals)
    assert (outcome.accepted, outcome.rejected) == (len(FEEDS), len(BROKEN))
    assert [(r.index, r.reason, r.field) for r in outcome.refusals] == [
        (place, reason, field) for place, (_, _, reason, field) in enumerate(BROKEN.values())
    ]
    assert world.counts() == (len(FEEDS), 0, len(BROKEN))
    assert sum(row.times for row in world.rejects()) == len(BROKEN)
    for feed in FEEDS:
        assert len(world.facts(feed)) == 1


REQUIRED = {
    "service_request": ("id", "opd", "opened_at", "updated_at", "status"),
    "uptime_check": ("id", "app", "observed_at", "up"),
    "sync_run": ("id", "opd", "system", "interface", "started_at", "ok"),
    "attendance": ("id", "opd", "employee", "at", "kind"),
    "attendance_day": ("id", "opd", "day", "employee", "category"),
    "ledger": ("id", "opd", "year", "code", "stage", "amount", "updated_at"),
    "milestone": ("id", "opd", "title", "due_on", "updated_at"),
    "message": ("id", "request", "at", "author", "text"),
    "application": ("id",),
}


@pytest.mark.parametrize("feed", REQUIRED)
def test_every_required_field_is_required_and_may_not_be_null(embedded: World, feed: str) -> None:
    for field in REQUIRED[feed]:
        for value in (..., None):
            outcome = embedded.take(feed, record(feed, **{field: value}))
            found = [(r.reason, r.field) for r in outcome.refusals]
            assert found == [("missing_field", field)], f"{field} = {value}"
    assert embedded.facts(feed) == []


@pytest.mark.parametrize("feed", FEEDS)
def test_optional_fields_may_be_null_and_unknown_fields_never_break_a_record(
    embedded: World, feed: str
) -> None:
    from ingest.records import RECORDS

    optional = {f for f in RECORDS[feed].__struct_encode_fields__ if f not in REQUIRED[feed]}
    outcome = embedded.take(
        feed, record(feed, **dict.fromkeys(optional), tidak_dikenal={"x": [1, None]}, z=1e300)
    )
    assert (outcome.accepted, outcome.rejected) == (1, 0), outcome.refusals


@pytest.mark.parametrize(
    "feed", [f for f in FEEDS if f not in ("application", "attendance_day", "milestone")]
)
def test_a_clock_may_run_four_minutes_ahead(embedded: World, feed: str) -> None:
    moment = {"uptime_check": "observed_at", "sync_run": "started_at", "attendance": "at", "message": "at"}
    field = moment.get(feed, "updated_at")
    assert embedded.take(feed, record(feed, **{field: ago(minutes=-4)})).accepted == 1
    assert embedded.take(feed, record(feed, id="x", **{field: ago(minutes=-6)})).rejected == 1


def test_a_text_may_hold_lines_tabs_and_any_script(world: World) -> None:
    text = "baris satu\nbaris dua\t\\N \\. \\t ꦲꦤꦕꦫꦏ 🚧 e\u0301"
    assert world.take("message", record("message", text=text)).accepted == 1
    (kept,) = world.facts("message")
    assert kept.text == text.replace("e\u0301", "\u00e9"), "text is kept in NFC"


def test_an_array_with_one_bad_record_among_good_ones(world: World) -> None:
    array = [record("uptime_check", id=f"c{n}") for n in range(5)]
    array[2]["up"] = "ya"
    outcome = world.take("uptime_check", array)
    assert (outcome.accepted, outcome.known, outcome.rejected) == (4, 0, 1)
    (kept,) = world.rejects()
    assert json.loads(kept.raw) == array[2], "the reject holds its own record, not the whole array"
    assert [row.id for row in world.facts("uptime_check")] == ["c0", "c1", "c3", "c4"]


def test_a_nan_in_an_array_costs_no_other_record(world: World) -> None:
    """json.dumps of Python writes NaN unless it is told not to."""
    array = [record("ledger", id=f"l{n}", amount=float("nan") if n == 1 else n) for n in range(3)]
    outcome = world.take("ledger", json.dumps(array).encode())
    assert (outcome.accepted, outcome.rejected) == (2, 1)
    assert [(r.reason, r.field) for r in outcome.refusals] == [("not_a_number", "amount")]


def test_a_reject_holds_the_whole_record_as_it_came(world: World) -> None:
    payload = b'{ "id":"x", "opd":"dinas-lain", "catatan": "tetap \\u00e9 ada", "angka": 1.50 }'
    world.take("service_request", payload)
    world.take("uptime_check", b'{"id": "caf\xe9"')
    first, second = world.rejects()
    assert json.loads(first.raw) == json.loads(payload)
    assert second.raw == '{"id": "caf\\xe9"'
    assert (first.door, first.place, first.config) == ("mqtt", "city/v1/service_request/asal", "asal")


def test_a_wrong_kind_of_value_is_shown_as_it_came_and_not_in_a_programs_words(embedded: World) -> None:
    embedded.take("uptime_check", record("uptime_check", up="ya"), record("uptime_check", latency_ms="tujuh"))
    assert {kept.field: kept.detail for kept in embedded.rejects()} == {"up": "ya", "latency_ms": "tujuh"}


def test_an_unknown_feed_is_kept_too(world: World) -> None:
    outcome = world.take(None, record("uptime_check"))
    assert [(r.reason, r.field) for r in outcome.refusals] == [("unknown_feed", None)]
    (kept,) = world.rejects()
    assert kept.feed is None
    assert json.loads(kept.raw) == record("uptime_check")


def test_the_same_bad_record_again_is_counted_and_not_kept_twice(world: World, clock: FrozenClock) -> None:
    bad = record("uptime_check", up="ya")
    world.take("uptime_check", bad, bad)
    clock.tick(hours=1)
    world.take("uptime_check", bad)
    (kept,) = world.rejects()
    assert kept.times == 3
    assert kept.last_at - kept.first_at == 3_600_000_000
    assert world.counts() == (0, 0, 3)


# --- the same id with other content ---------------------------------------------------------------

FIXED = {
    "uptime_check": {"up": False},
    "sync_run": {"ok": False},
    "attendance": {"kind": "out"},
    "attendance_day": {"category": "sakit"},
    "message": {"text": "lain"},
}
CHANGING = {
    "service_request": {"status": "verified"},
    "ledger": {"amount": 5},
    "milestone": {"title": "Lain"},
}


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
@pytest.mark.parametrize("feed", FIXED)
def test_an_id_that_never_changes_with_other_content_is_a_conflict(
    embedded: World, feed: str, together: bool
) -> None:
    first, other = record(feed), record(feed, **FIXED[feed])
    if together:
        outcome = embedded.take(feed, first, other)
    else:
        embedded.take(feed, first)
        outcome = embedded.take(feed, other)
    assert [(r.reason, r.field) for r in outcome.refusals] == [("id_conflict", "id")]
    assert embedded.counts() == (1, 0, 1)
    (kept,) = embedded.rejects()
    assert json.loads(kept.raw) == other
    (fact,) = embedded.facts(feed)
    assert {n: getattr(fact, n) for n in FIXED[feed]} == {n: first[n] for n in FIXED[feed]}


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
@pytest.mark.parametrize("feed", CHANGING)
@pytest.mark.parametrize(
    ("hours", "stays", "reasons"),
    [(-1, "second", []), (1, "first", []), (0, "first", ["id_conflict"])],
    ids=["newer", "older", "same time"],
)
def test_the_newest_version_stays(
    embedded: World, feed: str, together: bool, hours: int, stays: str, reasons: list[str]
) -> None:
    first = record(feed)
    second = record(feed, **CHANGING[feed], updated_at=ago(days=1, hours=hours))
    batches = [[first, second]] if together else [[first], [second]]
    outcomes = [embedded.take(feed, *batch) for batch in batches]
    assert [r.reason for o in outcomes for r in o.refusals] == reasons
    assert sum(o.accepted + o.known + o.rejected for o in outcomes) == 2
    (fact,) = embedded.facts(feed)
    wanted = first if stays == "first" else second
    assert {n: getattr(fact, n) for n in CHANGING[feed]} == {n: wanted[n] for n in CHANGING[feed]}


def test_a_conflict_in_an_array_keeps_its_own_record_with_its_unknown_fields(world: World) -> None:
    other = record("uptime_check", up=False, catatan="dari alat kedua")
    world.take("uptime_check", [record("uptime_check"), other])
    (kept,) = world.rejects()
    assert json.loads(kept.raw) == other


def test_the_same_id_of_two_sources_is_two_things(world: World) -> None:
    world.take("uptime_check", record("uptime_check"), source="satu")
    world.take("uptime_check", record("uptime_check", up=False), source="dua")
    assert [row.source for row in world.facts("uptime_check")] == ["dua", "satu"]
    assert world.rejects() == []


def test_a_source_name_no_store_can_index_is_a_reject_and_not_an_outage(world: World) -> None:
    """A topic's last level may be 65,000 characters long."""
    import random

    name = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=9000))
    outcome = world.pipeline.take(
        [
            world.arrival("uptime_check", record("uptime_check"), source=name),
            world.arrival("uptime_check", record("uptime_check")),
        ]
    )
    assert (outcome.accepted, outcome.rejected) == (1, 1)
    (kept,) = world.rejects()
    assert (kept.reason, kept.field) == ("too_long", "source")


# --- CloudEvents 1.0, structured mode --------------------------------------------------------------


def _event(**fields: Any) -> dict[str, Any]:
    event = {
        "specversion": "1.0",
        "type": "id.go.uji.cek",
        "id": "e1",
        "source": "/pemantau/a",
        "time": ago(minutes=2),
        "data": {"app": "web", "up": True},
    }
    return {n: v for n, v in {**event, **fields}.items() if v is not ...}


def test_an_envelope_gives_id_source_and_time(world: World) -> None:
    outcome = world.take("uptime_check", _event())
    assert (outcome.accepted, outcome.rejected) == (1, 0)
    (fact,) = world.facts("uptime_check")
    assert (fact.source, fact.id, fact.app) == ("/pemantau/a", "e1", "web")
    assert fact.observed_at == int((NOW - timedelta(minutes=2)).timestamp() * 1e6)
    assert world.counts("/pemantau/a") == (1, 0, 0)


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"id": ...}, "missing_field", "id"),
        ({"id": ""}, "missing_field", "id"),
        ({"source": ...}, "missing_field", "source"),
        ({"source": 7}, "wrong_type", "source"),
        ({"source": "x" * 300}, "too_long", "source"),
        ({"time": ...}, "missing_field", "observed_at"),
        ({"time": "2026-08-19T10:00:00"}, "naive_time", "observed_at"),
        ({"data": ...}, "missing_field", "data"),
        ({"data": "web"}, "not_a_record", "data"),
        ({"data": {"up": True}}, "missing_field", "app"),
        ({"specversion": "9.1"}, "bad_value", "specversion"),
    ],
)
def test_an_envelope_that_lacks_something_is_kept_whole(
    embedded: World, fields: dict[str, Any], reason: str, field: str
) -> None:
    event = _event(**fields)
    outcome = embedded.take("uptime_check", event)
    assert [(r.reason, r.field) for r in outcome.refusals] == [(reason, field)]
    (kept,) = embedded.rejects()
    assert json.loads(kept.raw) == event


def test_an_array_of_envelopes_counts_each_for_its_own_source(world: World) -> None:
    events = [_event(source="/a"), _event(source="/b"), _event(source="/b", id="e2", data={})]
    assert world.take("uptime_check", events).accepted == 2
    assert world.counts("/a") == (1, 0, 0)
    assert world.counts("/b") == (1, 0, 1)


def test_a_conflict_out_of_an_envelope_keeps_the_envelope(world: World) -> None:
    world.take("uptime_check", _event())
    other = _event(data={"app": "web", "up": False})
    world.take("uptime_check", other)
    (kept,) = world.rejects()
    assert json.loads(kept.raw) == other


# --- personal data in rejects ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("feed", "fields"),
    [
        ("message", {"text": "NIK saya 3573014101900001", "author": "x"}),
        ("attendance", {"employee": "3573014101900001"}),
        ("attendance", {"employee": 3573014101900001}),
        ("attendance", {"employee": "3573019999900001"}),
        ("attendance", {"employee": "Budi Santoso"}),
        ("service_request", {"status": "hubungi 081234567890", "opd": "dinas-lain"}),
        ("service_request", {"opd": "0812-3456-7890"}),
    ],
)
def test_what_is_kept_and_told_of_a_reject_is_masked(
    embedded: World, feed: str, fields: dict[str, Any]
) -> None:
    outcome = embedded.take(feed, record(feed, **fields))
    assert outcome.rejected == 1
    (kept,) = embedded.rejects()
    for secret in ("3573014101900001", "3573019999900001", "Budi Santoso", "081234567890", "0812-3456-7890"):
        assert secret not in kept.raw
        assert secret not in kept.detail
        assert secret not in outcome.refusals[0].detail


def test_a_masked_reject_is_still_the_json_it_was(embedded: World) -> None:
    """A number is masked too, and what is left can be read and replayed."""
    embedded.take(
        "service_request", record("service_request", opd="dinas-lain", hp=6281234567890, lon=112.0812345678)
    )
    (kept,) = embedded.rejects()
    left = json.loads(kept.raw)
    assert left["hp"] == "[telepon disamarkan]"
    assert left["lon"] == 112.0812345678


@pytest.mark.parametrize(
    "said",
    ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2099-01-01T00:00:00+07:00", "9999-12-31T23:59:59Z"],
)
def test_a_far_time_beside_a_check_costs_no_check(world: World, said: str) -> None:
    """A certificate without an end and a server without a clock; the application was up all the same."""
    fields = {"cert_expires_at": said, "content_changed_at": said}
    outcome = world.take("uptime_check", record("uptime_check", **fields))
    assert (outcome.accepted, outcome.rejected) == (1, 0)
    (fact,) = world.facts("uptime_check")
    wanted = micros(datetime.fromisoformat(said))
    assert (fact.cert_expires_at, fact.content_changed_at) == (wanted, wanted)
    with world.store.read() as conn:
        (row,) = app_rows(conn, world.settings, NOW)
    assert row.cert_expires_at == datetime.fromisoformat(said)


@pytest.mark.parametrize("said", ["9999-12-31T23:59:59-07:00", "0001-01-01T00:00:00+07:00"])
def test_a_time_beside_a_check_that_no_calendar_holds_is_told_of(embedded: World, said: str) -> None:
    outcome = embedded.take("uptime_check", record("uptime_check", cert_expires_at=said))
    assert [(r.reason, r.field) for r in outcome.refusals] == [("out_of_range", "cert_expires_at")]
