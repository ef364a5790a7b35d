"""The embedded broker: a publisher's acknowledgement means that the record is safe."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as paho
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from ingest.broker import EmbeddedBroker
from ingest.broker import packets as mqtt
from ingest.broker import session as broker_session
from ingest.sources.mqtt import MqttSource
from kpis.errors import ConfigError
from tests.servers import free_port
from tests.sources.publisher import Publisher, publish
from tests.sources.recorder import Recorder, Running, eventually, settings_of

TOPIC = "city/v1/service_request/sp4n"
SOURCE = '[[source]]\nname = "city"\ntype = "mqtt"\n'


class Listener:
    """A subscriber that acknowledges only when told to."""

    def __init__(
        self, port: int, client_id: str, topic: str = "#", *, clean: bool = False, ack: bool = True
    ) -> None:
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean, manual_ack=True
        )
        self.got: list[tuple[str, bool]] = []
        self.retained: list[str] = []
        self.pending: list[int] = []
        self.present: bool | None = None
        self._ack = ack
        self._topic = topic
        self._port = port
        self._subscribed = threading.Event()
        self.client.on_message = self._on_message
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self._subscribed.set()

    def _on_connect(self, client: Any, _data: Any, flags: Any, _code: Any, _props: Any) -> None:
        self.present = flags.session_present
        client.subscribe(self._topic, 1)

    def _on_message(self, client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self.got.append((message.payload.decode(), message.dup))
        if message.retain:
            self.retained.append(message.payload.decode())
        if self._ack:
            client.ack(message.mid, message.qos)
        else:
            self.pending.append(message.mid)

    def acknowledge(self) -> None:
        """Everything that has come by now."""
        for _ in range(len(self.pending)):
            self.client.ack(self.pending.pop(0), 1)

    def __enter__(self) -> Self:
        self.client.connect("127.0.0.1", self._port)
        self.client.loop_start()
        assert self._subscribed.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    @property
    def texts(self) -> list[str]:
        return [text for text, _ in self.got]


def embedded(folder: Path, port: int, guarded: str | None = None, login: str = "") -> EmbeddedBroker:
    settings = settings_of(f'[broker]\nurl = "embedded://{login}127.0.0.1:{port}"\n{SOURCE}', folder)
    return EmbeddedBroker(settings.broker, guarded)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A broker that guards nobody."""
    port = free_port()
    broker = embedded(tmp_path, port)
    broker.start()
    yield port
    broker.stop()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[int]:
    """A broker whose guarded client is `pendopo`."""
    port = free_port()
    broker = embedded(tmp_path, port, "pendopo")
    broker.start()
    yield port
    broker.stop()


def numbered(count: int) -> list[str]:
    return [str(n) for n in range(count)]


def test_a_publisher_hears_nothing_until_ingest_has_acknowledged(guarded: int) -> None:
    with Listener(guarded, "pendopo", ack=False) as ingest, Publisher(guarded) as publisher:
        for text in numbered(100):
            publisher.send(TOPIC, text)
        eventually(lambda: ingest.texts == numbered(100))
        assert publisher.acknowledged == 0
        ingest.acknowledge()
        publisher.wait()


def test_what_was_not_acknowledged_is_delivered_again_first_and_in_order(guarded: int) -> None:
    with Listener(guarded, "pendopo", ack=False) as ingest, Publisher(guarded, "sp4n") as publisher:
        for text in numbered(100):
            publisher.send(TOPIC, text)
        eventually(lambda: len(ingest.got) == 100)
        ingest.client.disconnect()
        ingest.client.loop_stop()
        eventually(lambda: not ingest.client.is_connected())
        for text in ("baru-1", "baru-2"):
            publisher.send(TOPIC, text)
        with Listener(guarded, "pendopo") as again:
            eventually(lambda: len(again.got) == 102)
            assert again.present
            assert again.texts == [*numbered(100), "baru-1", "baru-2"]
            assert all(dup for _, dup in again.got[:100])
            assert not any(dup for _, dup in again.got[100:])
        publisher.wait()


def test_nobody_is_let_in_before_ingest_has_subscribed(guarded: int) -> None:
    with Publisher(guarded) as publisher:
        publisher.send(TOPIC, "awal")
        assert not publisher.client.is_connected()
        with Listener(guarded, "pendopo") as ingest:
            eventually(lambda: ingest.texts == ["awal"])
            publisher.wait()


def test_a_publisher_that_leaves_at_once_has_been_heard(port: int) -> None:
    with Listener(port, "a") as listener:
        publish(port, TOPIC, numbered(2_000))
        eventually(lambda: listener.texts == numbered(2_000))


def test_a_session_that_is_away_is_kept(port: int) -> None:
    with Listener(port, "a"):
        pass
    publish(port, TOPIC, numbered(300))
    with Listener(port, "a") as listener:
        eventually(lambda: listener.texts == numbered(300))


def test_a_session_that_is_away_for_long_keeps_the_newest(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_session, "KEPT_MESSAGES", 50)
    with Listener(port, "a"):
        pass
    publish(port, TOPIC, numbered(200))
    with Listener(port, "a") as listener:
        eventually(lambda: listener.texts == numbered(200)[-50:])


def test_a_clean_session_starts_empty(port: int) -> None:
    with Listener(port, "a", clean=True):
        pass
    publish(port, TOPIC, ["lewat"])
    with Listener(port, "a", clean=True) as listener:
        publish(port, TOPIC, ["ada"])
        eventually(lambda: listener.texts == ["ada"])


def test_more_than_the_window_waits_for_acknowledgements(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_session, "WINDOW", 10)
    with Listener(port, "a", ack=False) as listener:
        publish(port, TOPIC, numbered(30))
        eventually(lambda: len(listener.got) == 10)
        listener.acknowledge()
        eventually(lambda: len(listener.got) == 20)
        listener.acknowledge()
        eventually(lambda: listener.texts == numbered(30))


def test_publishers_are_held_back_while_ingest_is_behind(
    guarded: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.broker.core.BACKLOG_HIGH", 100_000)
    monkeypatch.setattr("ingest.broker.core.BACKLOG_LOW", 50_000)
    with Listener(guarded, "pendopo", ack=False) as ingest, Publisher(guarded) as publisher:
        payloads = [f"{n:04}" + "x" * 5_000 for n in range(400)]
        for payload in payloads:
            publisher.send(TOPIC, payload)
        eventually(lambda: len(ingest.got) > 10)
        publisher.client.publish(TOPIC, b"")  # the loop has turned
        held = len(ingest.got)
        assert held < 200
        end = threading.Event()

        def keep_acknowledging() -> None:
            while not end.wait(0.01):
                ingest.acknowledge()

        thread = threading.Thread(target=keep_acknowledging)
        thread.start()
        publisher.wait()
        end.set()
        thread.join()
        assert ingest.texts[:400] == payloads


@pytest.mark.parametrize(
    ("topic_filter", "topic", "matches"),
    [
        ("city/v1/+/+", "city/v1/a/b", True),
        ("city/v1/+/+", "city/v1/a", False),
        ("city/#", "city", True),
        ("#", "$SYS/broker", False),
        ("+/b", "/b", True),
    ],
)
def test_filters(port: int, topic_filter: str, topic: str, matches: bool) -> None:
    with Listener(port, "a", topic_filter) as one, Listener(port, "b", "akhir") as other:
        publish(port, topic, ["x"])
        publish(port, "akhir", ["akhir"])
        eventually(lambda: other.texts == ["akhir"])
        eventually(lambda: ("x" in one.texts) is matches)


def test_retained_messages_wait_for_subscribers(port: int) -> None:
    publish(port, "a/1", ["tetap"], retain=True)
    publish(port, "a/2", ["hapus"], retain=True)
    publish(port, "a/2", [""], retain=True)
    with Listener(port, "a", "a/#") as listener:
        eventually(lambda: listener.retained == ["tetap"])
        publish(port, "a/3", ["biasa"])
        eventually(lambda: listener.texts == ["tetap", "biasa"])


def test_a_will_is_published_when_its_client_is_cut_off(port: int) -> None:
    with Listener(port, "a") as listener:
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.will_set("status", "hilang", 1)
        client.connect("127.0.0.1", port)
        client.loop_start()
        eventually(client.is_connected)
        sock = client.socket()
        assert isinstance(sock, socket.socket)
        sock.shutdown(socket.SHUT_RDWR)
        eventually(lambda: listener.texts == ["hilang"])
        client.disconnect()
        client.loop_stop()
        assert listener.texts == ["hilang"], "a client that says goodbye leaves no will"


def test_qos_2_from_a_publisher_is_delivered_once(guarded: int) -> None:
    with Listener(guarded, "pendopo") as ingest:
        publish(guarded, TOPIC, numbered(50), qos=2)
        eventually(lambda: ingest.texts == numbered(50))


def test_a_second_client_of_the_same_name_takes_over(port: int) -> None:
    with Listener(port, "a") as first:
        first.client.reconnect_delay_set(60, 60)
        with Listener(port, "a") as second:
            publish(port, TOPIC, ["x"])
            eventually(lambda: second.texts == ["x"])
            assert first.texts == []


def test_a_busy_port_is_one_line_that_says_what_would_do(tmp_path: Path, port: int) -> None:
    with pytest.raises(ConfigError) as refused:
        embedded(tmp_path, port).start()
    assert str(refused.value) == (
        f"broker.url: 127.0.0.1:{port} is in use by another program; stop it, write another port, "
        f'or use that broker: "mqtt://127.0.0.1:{port}"'
    )


def test_a_broker_open_to_the_network_needs_a_password(tmp_path: Path) -> None:
    settings = settings_of('[broker]\nurl = "embedded://0.0.0.0:1883"', tmp_path)
    with pytest.raises(ConfigError, match="open to everybody"):
        EmbeddedBroker(settings.broker).start()


def test_a_wrong_password_is_refused_and_loopback_needs_none(tmp_path: Path) -> None:
    port = free_port()
    broker = embedded(tmp_path, port, login="pendopo:rahasia@")
    broker.start()
    codes: list[Any] = []
    for password in ("salah", "rahasia", None):
        codes.clear()
        publisher = Publisher(port)
        if password:
            publisher.client.username_pw_set("pendopo", password)
        publisher.client.on_connect = lambda _c, _d, _f, code, _p: codes.append(str(code))
        with publisher:
            eventually(lambda: bool(codes))
        assert (codes[0] == "Success") is (password != "salah")
    broker.stop()


def test_mqtt_5_is_refused_in_words_its_clients_know(port: int) -> None:
    codes: list[str] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_connect = lambda _c, _d, _f, code, _p: codes.append(str(code))
    client.connect("127.0.0.1", port)
    client.loop_start()
    eventually(lambda: codes[:1] == ["Unsupported protocol version"])
    client.disconnect()
    client.loop_stop()


@pytest.mark.parametrize(
    "nonsense", [b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff\xff\xff\x7f", b"\x30\x02\x00\x00"]
)
def test_what_is_not_mqtt_is_cut_off_and_the_rest_goes_on(port: int, nonsense: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), 5) as stranger:
        stranger.sendall(nonsense)
        stranger.settimeout(5)
        assert stranger.recv(100) == b""
    with Listener(port, "a") as listener:
        publish(port, TOPIC, ["x"])
        eventually(lambda: listener.texts == ["x"])


def test_ingest_and_its_broker_take_everything_through_an_outage_of_the_store(
    tmp_path: Path, guarded: int
) -> None:
    sink = Recorder()
    settings = settings_of(f'[broker]\nurl = "embedded://127.0.0.1:{guarded}"\n{SOURCE}', tmp_path)
    source = MqttSource(settings, sink, lambda: datetime.now(UTC))
    with Running(source), Publisher(guarded) as publisher:
        assert source.ready.wait(5)
        for text in numbered(1_000):
            publisher.send(TOPIC, text)
        eventually(lambda: len(sink.arrivals) > 0)
        sink.away = True
        for text in numbered(1_000):
            publisher.send(TOPIC, f"b{text}")
        eventually(lambda: len(sink.errors) > 0 or sink.tried > len(sink.batches))
        sink.away = False
        publisher.wait()
        expected = [*numbered(1_000), *(f"b{n}" for n in numbered(1_000))]
        assert [payload.decode() for payload in sink.payloads] == expected


@given(st.binary(max_size=200), st.integers(1, 20))
def test_any_bytes_are_packets_or_a_bad_packet(data: bytes, step: int) -> None:
    reader = mqtt.Reader(1_000)
    readers = {
        mqtt.CONNECT: mqtt.read_connect,
        mqtt.PUBLISH: lambda body: mqtt.read_publish(2, body),
        mqtt.SUBSCRIBE: mqtt.read_subscribe,
        mqtt.UNSUBSCRIBE: mqtt.read_unsubscribe,
        mqtt.PUBACK: mqtt.read_mid,
    }
    try:
        for at in range(0, len(data), step):
            for kind, _flags, body in reader.feed(data[at : at + step]):
                if kind in readers:
                    readers[kind](body)
    except mqtt.BadPacket:
        pass


@given(
    st.lists(st.tuples(st.text("abc/é", min_size=1, max_size=20), st.binary(max_size=300)), max_size=10),
    st.integers(1, 50),
)
def test_packets_come_back_however_the_bytes_are_cut(messages: list[tuple[str, bytes]], step: int) -> None:
    data = b"".join(mqtt.publish(t, p, qos=1, retain=False, dup=False, mid=9) for t, p in messages)
    reader = mqtt.Reader(1_000)
    found = [packet for at in range(0, len(data), step) for packet in reader.feed(data[at : at + step])]
    assert [mqtt.read_publish(flags, body) for _, flags, body in found] == [
        mqtt.Publish(topic, payload, 1, False, 9) for topic, payload in messages
    ]
