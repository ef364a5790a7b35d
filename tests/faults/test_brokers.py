"""What the fault benchmark stands on: its publisher, its network and the brokers deploy/ ships."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.brokers import (
    READER,
    READER_PASSWORD,
    WRITER,
    WRITER_PASSWORD,
    Mosquitto,
    NatsAlone,
    shipped,
)
from benchmarks.lane import GaveUp
from benchmarks.proxy import Proxy
from benchmarks.publisher import publish
from tests import servers
from tests.keeper import Keeper

_STILL = 50  # as many turns of the publisher in a row without an acknowledgement
OWN, FOREIGN = f"city/v1/attendance/{WRITER}", "city/v1/attendance/tetangga"


@pytest.fixture
def proxy(mosquitto: servers.Mosquitto) -> Iterator[Proxy]:
    proxy = Proxy([("127.0.0.1", mosquitto.port)])
    yield proxy
    proxy.close()


def test_what_was_not_acknowledged_is_sent_again_on_the_next_connection(proxy: Proxy) -> None:
    flags = bytearray(20_000)
    cut = threading.Event()
    quiet = list[int]()

    def released() -> int:
        """Everything may go; in the middle the network stands still until nothing more is acknowledged,
        while the publisher goes on sending, and then it is cut."""
        acknowledged = sum(flags)
        if acknowledged > 5_000 and not cut.is_set():
            proxy.freeze()
            quiet.append(acknowledged)
            if len(quiet) > _STILL and len(set(quiet[-_STILL:])) == 1:
                cut.set()
                proxy.cut()
                proxy.mend()
        return len(flags)

    done = publish(
        "127.0.0.1", proxy.port, OWN, [b"{}"] * len(flags), rate=40_000, flags=flags, released=released
    )
    assert cut.is_set()
    assert done.connects == 2
    assert done.acknowledged == sum(flags) == 20_000
    assert 0 < done.again <= 2_000


def test_several_connections_share_the_events(mosquitto: servers.Mosquitto) -> None:
    done = publish("127.0.0.1", mosquitto.port, OWN, [b"{}"] * 1_001, lanes=4)
    assert done.connects == 4
    assert done.acknowledged == sum(done.flags[:]) == 1_001


def test_a_publisher_whom_the_broker_refuses_says_so(keeper: Keeper) -> None:
    broker = Mosquitto(keeper)
    try:
        with pytest.raises(GaveUp, match="refuses"):
            publish(*broker.doors[0], OWN, [b"{}"], username=WRITER, password="salah")
    finally:
        broker.strike("mosquitto")


def test_what_is_to_be_exchanged_has_to_stand_in_the_shipped_file() -> None:
    assert "127.0.0.1:1999" in shipped("nats/alone.conf", {"127.0.0.1:1883": "127.0.0.1:1999"})
    with pytest.raises(ValueError, match=r"does not say 127\.0\.0\.1:1884"):
        shipped("nats/alone.conf", {"127.0.0.1:1884": "127.0.0.1:1999"})


@pytest.mark.parametrize("kind", [NatsAlone, Mosquitto])
def test_on_a_shipped_broker_a_source_writes_its_own_records_only(
    kind: type[NatsAlone | Mosquitto], keeper: Keeper
) -> None:
    broker = kind(keeper)
    subscribed, came, last = threading.Event(), list[str](), threading.Event()

    def heard(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        came.append(message.topic)
        if message.payload == b"last":
            last.set()

    reader = paho.Client(CallbackAPIVersion.VERSION2, client_id="pendopo", clean_session=False)
    reader.username_pw_set(READER, READER_PASSWORD)
    reader.on_connect = lambda *_: reader.subscribe("city/#", 1)
    reader.on_subscribe = lambda *_: subscribed.set()
    reader.on_message = heard
    reader.connect(*broker.doors[0])
    reader.loop_start()
    try:
        assert subscribed.wait(10)
        publish(
            *broker.doors[0],
            [OWN, FOREIGN, OWN],
            [b"first", b"foreign", b"last"],
            username=WRITER,
            password=WRITER_PASSWORD,
        )
        assert last.wait(10)
    finally:
        reader.disconnect()
        reader.loop_stop()
        broker.strike(broker.nodes[0])
    assert came == [OWN, OWN]
