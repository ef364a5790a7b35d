"""A month of real gate events over MQTT as attendance: first in and last out against pandas.

The events carry UTC times, no id and no OPD, and spell the same kind in two ways. The mapping gives
them an id of their own (person, time, kind), so that a repeat is known as one however it is spelled.
A day is the city's day: the same events are read by a city on UTC, whose midnight lies outside the
office's hours, and by one on WIB, whose midnight falls into the afternoon shift and parts it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from ingest.sources.mqtt import MqttSource
from kpis import readings
from kpis.e_attendance import attendance_person
from kpis.store import micros
from tests.real.world import World, city, now, open_world, publish
from tests.servers import Mosquitto
from tests.sources.recorder import Running, eventually

TOPIC = "gate/lobby/events"
SOURCE = "gerbang"
CONFIG = """
[broker]
url = "{broker}"

[[source]]
name = "gerbang"
type = "mqtt"
topic = "gate/+/events"
feed = "attendance"

[source.map]
id = "join('/', [user_id, event_time, {kind}])"
opd = "'setda'"
employee = "user_id"
at = "event_time"
kind = "{kind}"
"""
# JMESPath has no lower-casing, so each spelling that is known is named and another is refused.
KIND = (
    "(contains(['GATE_IN', 'gate_in'], event_type) && 'in')"
    " || (contains(['GATE_OUT', 'gate_out'], event_type) && 'out') || event_type"
)

Event = dict[str, str]
Day = tuple[date, str, int | None, int | None]


@pytest.fixture(scope="module")
def gate(shared: Path) -> pd.DataFrame:
    frame = pd.read_csv(shared / "attendance" / "office_gate_in_out_2023-02.csv")
    assert (len(frame), frame["user_id"].nunique()) == (2_350, 25)
    assert set(frame["event_type"]) == {"GATE_IN", "GATE_OUT", "gate_in", "gate_out"}
    return frame


@pytest.fixture
def events(gate: pd.DataFrame) -> list[Event]:
    found: list[Event] = gate.to_dict("records")  # type: ignore[assignment]
    return found


@pytest.fixture(params=["Etc/UTC", "Asia/Jakarta"])
def zone(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def _opened(folder: Path, zone: str, store_url: str, mosquitto: Mosquitto) -> World:
    config = CONFIG.format(broker=mosquitto.url, kind=KIND)
    return open_world(folder, city(store_url, zone, ["setda"]) + config)


@pytest.fixture
def world(tmp_path: Path, zone: str, store_url: str, mosquitto: Mosquitto) -> Iterator[World]:
    opened = _opened(tmp_path, zone, store_url, mosquitto)
    yield opened
    opened.store.close()


def _by_pandas(gate: pd.DataFrame, zone: str) -> list[Day]:
    """First in and last out per day and person, in microseconds; None where there was none."""
    at = pd.to_datetime(gate["event_time"], utc=True)
    frame = pd.DataFrame(
        {
            "day": at.dt.tz_convert(zone).dt.date,
            "person": gate["user_id"],
            "kind": gate["event_type"].str.lower(),
            "us": at.map(lambda t: micros(t.to_pydatetime())),
        }
    )
    first = frame[frame["kind"] == "gate_in"].groupby(["day", "person"])["us"].min()
    last = frame[frame["kind"] == "gate_out"].groupby(["day", "person"])["us"].max()
    both = pd.concat({"first": first, "last": last}, axis=1).sort_index()
    return [
        (day, person, None if pd.isna(f) else int(f), None if pd.isna(o) else int(o))
        for (day, person), f, o in zip(both.index, both["first"], both["last"], strict=True)
    ]


def _kept(world: World) -> list[Day]:
    p = attendance_person.c
    query = sa.select(p.day, p.employee, p.first_in, p.last_out).order_by(p.day, p.employee)
    with world.store.read() as conn:
        return [(day, person, first, last) for day, person, first, last in conn.execute(query)]


def _send(world: World, port: int, events: list[Event]) -> tuple[int, int, int]:
    """Publishes events and waits until each is counted; gives what they added to the counts."""
    before = world.counts(SOURCE)
    publish(port, [(TOPIC, event) for event in events])
    eventually(lambda: sum(world.counts(SOURCE)) == sum(before) + len(events), "every event is counted")
    after = world.counts(SOURCE)
    return after[0] - before[0], after[1] - before[1], after[2] - before[2]


def test_first_in_and_last_out_agree_with_pandas_in_any_order_and_twice(
    world: World, mosquitto: Mosquitto, gate: pd.DataFrame, events: list[Event]
) -> None:
    lots = random.Random(2023)
    expected = _by_pandas(gate, world.settings.city.timezone)
    assert len(expected) > 400
    source = MqttSource(world.settings, world.pipeline, now)
    with Running(source):
        assert source.ready.wait(15)
        # each event once, some of them twice within the same minute, in no order
        repeats = lots.sample(events, 200)
        sent = lots.sample(events + repeats, len(events) + len(repeats))
        assert _send(world, mosquitto.port, sent) == (len(events), len(repeats), 0), world.rejects()
        assert _kept(world) == expected
        facts = world.facts()

        otherwise_spelled = [{**e, "event_type": e["event_type"].swapcase()} for e in events]
        assert _send(world, mosquitto.port, otherwise_spelled) == (0, len(events), 0)
        assert world.facts() == facts

        unknown = [{**events[0], "event_type": "Gate_In"}]
        assert _send(world, mosquitto.port, unknown) == (0, 0, 1)
        assert world.rejects() == [("bad_value", "kind", 1)]
        assert world.facts() == facts


def test_check_ins_and_late_people_of_a_day_agree_with_pandas(
    tmp_path: Path, zone: str, mosquitto: Mosquitto, gate: pd.DataFrame, events: list[Event]
) -> None:
    world = _opened(tmp_path, zone, f"sqlite:///{tmp_path / 'pendopo.db'}", mosquitto)
    source = MqttSource(world.settings, world.pipeline, now)
    with Running(source):
        assert source.ready.wait(15)
        _send(world, mosquitto.port, events)
    at = pd.to_datetime(gate["event_time"], utc=True).dt.tz_convert(zone)
    is_in = gate["event_type"].str.lower() == "gate_in"
    for moment in ("2023-02-14T09:30:00+00:00", "2023-02-14T16:59:00+00:00", "2023-02-20T21:00:00+00:00"):
        t = datetime.fromisoformat(moment).astimezone(at.dt.tz)
        begun = pd.Timestamp(t).normalize()
        seen = is_in & (at >= begun) & (at <= t)
        first = at[seen].groupby(gate["user_id"]).min()
        late = first > begun + pd.Timedelta(hours=7, minutes=30)
        with world.store.read() as conn:
            found = readings.as_of(conn, world.settings, t)
        assert len(first) > 0
        assert found["doubtful_share_today", "setda"].denominator == int(seen.sum())
        for opd in ("setda", None):
            assert found["late_share_today", opd].denominator == len(first)
            assert found["late_share_today", opd].numerator == int(late.sum())
    world.store.close()
