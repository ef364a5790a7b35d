"""The MQTT door: acknowledged after commit, nothing lost, memory bounded."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.arrivals import Arrival, Outcome, Position
from ingest.broker import packets as mqtt
from ingest.sources import mqtt_inbox
from ingest.sources.mqtt import MqttSource
from ingest.sources.mqtt_topics import Topics
from kpis.config import Settings
from kpis.store import micros
from tests.servers import Mosquitto, free_port
from tests.sources.publisher import Publisher, publish
from tests.sources.recorder import Recorder, Running, eventually, settings_of

CITY = '[[source]]\nname = "city"\ntype = "mqtt"\n'
TOPIC = "city/v1/service_request/sp4n"
AT = datetime(2026, 8, 19, 3, 0, tzinfo=UTC)


def settings_for(url: str, folder: Path, sources: str = CITY, more: str = "") -> Settings:
    return settings_of(f'[broker]\nurl = "{url}"\n{more}\n{sources}', folder)


def source_for(broker: Mosquitto, sink: Recorder, folder: Path) -> MqttSource:
    return MqttSource(settings_for(broker.url, folder), sink, lambda: AT)


def numbered(count: int, mark: str = "") -> list[str]:
    return [f'{{"id":"{mark}{n}"}}' for n in range(count)]


def texts(sink: Recorder) -> list[str]:
    return [payload.decode() for payload in sink.payloads]


class Gate(Recorder):
    """A recorder whose `take` waits until `open` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.waiting = threading.Event()

    def take(self, arrivals: Sequence[Arrival], position: Position | None = None) -> Outcome:
        self.waiting.set()
        assert self.open.wait(20)
        return super().take(arrivals, position)


class Broken(Recorder):
    """A recorder that fails as no sink should."""

    def take(self, arrivals: Sequence[Arrival], position: Position | None = None) -> Outcome:
        raise RuntimeError("a mistake in the code")


def test_feed_and_source_come_from_the_topic(mosquitto: Mosquitto, tmp_path: Path) -> None:
    sink = Recorder()
    source = source_for(mosquitto, sink, tmp_path)
    with Running(source):
        assert source.ready.wait(10)
        publish(mosquitto.port, TOPIC, ['{"id":"1"}'])
        publish(mosquitto.port, "city/v1/tidak_dikenal/sp4n", [b"\xff\x00"])
        eventually(lambda: len(sink.arrivals) == 2)
    first, second = sink.arrivals
    assert first == Arrival("sp4n", "city", "service_request", b'{"id":"1"}', AT, "mqtt", TOPIC)
    assert (second.source, second.feed, second.payload) == ("sp4n", None, b"\xff\x00")


def test_what_was_published_while_ingest_was_away_comes_later(mosquitto: Mosquitto, tmp_path: Path) -> None:
    sink = Recorder()
    source = source_for(mosquitto, sink, tmp_path)
    with Running(source):
        assert source.ready.wait(10)
    publish(mosquitto.port, TOPIC, numbered(500))
    with Running(source_for(mosquitto, sink, tmp_path)):
        eventually(lambda: len(sink.arrivals) == 500)
    assert texts(sink) == numbered(500)
    again = Recorder()
    source = source_for(mosquitto, again, tmp_path)
    with Running(source):
        assert source.ready.wait(10)
        publish(mosquitto.port, TOPIC, ["{}"])
        eventually(lambda: texts(again) == ["{}"], "everything before was acknowledged")


def test_nothing_is_acknowledged_before_it_is_taken(mosquitto: Mosquitto, tmp_path: Path) -> None:
    source = source_for(mosquitto, Broken(), tmp_path)
    dying = Running(source)
    dying.__enter__()
    assert source.ready.wait(10)
    publish(mosquitto.port, TOPIC, numbered(200))
    with pytest.raises(RuntimeError, match="a mistake"):
        dying.__exit__()
    sink = Recorder()
    with Running(source_for(mosquitto, sink, tmp_path)):
        eventually(lambda: len(sink.arrivals) == 200)
    assert sorted(texts(sink)) == sorted(numbered(200))


def test_many_messages_make_few_batches(mosquitto: Mosquitto, tmp_path: Path) -> None:
    sink = Recorder()
    source = source_for(mosquitto, sink, tmp_path)
    with Running(source):
        assert source.ready.wait(10)
        publish(mosquitto.port, TOPIC, numbered(20_000))
        eventually(lambda: len(sink.arrivals) == 20_000)
    assert texts(sink) == numbered(20_000)
    assert len(sink.batches) < 2_000
    assert max(sink.batches) <= mqtt_inbox.BATCH


def test_memory_is_bounded_while_the_store_is_away_and_nothing_is_lost(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_inbox, "FULL", 300)
    sink = Recorder()
    sink.away = True
    source = source_for(mosquitto, sink, tmp_path)
    with Running(source):
        assert source.ready.wait(10)
        publish(mosquitto.port, TOPIC, numbered(5_000))
        eventually(lambda: source._inbox.full and sink.tried > 1)
        assert source._inbox.held <= 300
        sink.away = False
        eventually(lambda: len(sink.arrivals) >= 5_000)
    assert texts(sink) == numbered(5_000)


def test_it_says_how_far_behind_it_is_while_more_waits_and_when_that_is_over(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_inbox, "BATCH", 100)
    sink = Recorder()
    sink.away = True
    sink.newest = micros(AT) - 90_000_000
    source = source_for(mosquitto, sink, tmp_path)
    with Running(source):
        assert source.ready.wait(10)
        publish(mosquitto.port, TOPIC, numbered(5_000))
        eventually(lambda: source._inbox.held >= 1_000 and sink.tried > 1)
        sink.away = False
        eventually(lambda: len(sink.arrivals) == 5_000)
        eventually(lambda: sink.behind[-1:] == [None])
    assert 90 in sink.behind


def test_a_pause_that_outlasts_the_keepalive_leaves_the_broker_and_comes_back(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mqtt_inbox, "FULL", 100)
    monkeypatch.setattr("ingest.sources.mqtt._PAUSE_AT_MOST_S", 0.3)
    caplog.set_level(logging.INFO)
    sink = Recorder()
    sink.away = True
    source = source_for(mosquitto, sink, tmp_path)
    with Running(source):
        assert source.ready.wait(10)
        publish(mosquitto.port, TOPIC, numbered(1_000))
        eventually(lambda: "away from the broker until the store has caught up" in caplog.text)
        assert source._client.socket() is None
        sink.away = False
        eventually(lambda: set(texts(sink)) == set(numbered(1_000)))


def test_a_broker_that_restarts_is_an_outage_told_once_and_nothing_is_lost(
    mosquitto: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sink = Recorder()
    source = source_for(mosquitto, sink, tmp_path)
    with Running(source):
        assert source.ready.wait(10)
        publish(mosquitto.port, TOPIC, numbered(50, "a"))
        mosquitto.stop()
        eventually(lambda: bool(sink.errors))
        mosquitto.start()
        publish(mosquitto.port, TOPIC, numbered(50, "b"))
        eventually(lambda: set(texts(sink)) == {*numbered(50, "a"), *numbered(50, "b")})
        eventually(lambda: sink.notes[-1][2] is None)
    outages = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert len(outages) == 1
    assert caplog.text.count("well again") == 1


def test_a_broker_that_is_absent_is_tried_until_it_is_there(mosquitto: Mosquitto, tmp_path: Path) -> None:
    mosquitto.kill()
    sink = Recorder()
    source = source_for(mosquitto, sink, tmp_path)
    with Running(source):
        eventually(lambda: bool(sink.errors))
        assert sink.notes[0][:2] == ("city", "mqtt")
        assert f"127.0.0.1:{mosquitto.port} cannot be reached" in sink.errors[0]
        mosquitto.start()
        assert source.ready.wait(15)


def test_tls_and_password(secured_mosquitto: Mosquitto, tmp_path: Path) -> None:
    sink = Recorder()
    port = secured_mosquitto.port
    settings = settings_for(
        f"mqtts://pendopo:rahasia@127.0.0.1:{port}", tmp_path, more=f'ca_file = "{secured_mosquitto.ca_file}"'
    )
    source = MqttSource(settings, sink, lambda: AT)
    with Running(source):
        assert source.ready.wait(10)
        with_tls = Publisher(port)
        with_tls.client.username_pw_set("pendopo", "rahasia")
        with_tls.client.tls_set(str(secured_mosquitto.ca_file))
        with with_tls as publisher:
            for payload in numbered(3_000):
                publisher.send(TOPIC, payload)
            publisher.wait()
        eventually(lambda: len(sink.arrivals) == 3_000)
    assert texts(sink) == numbered(3_000)


@pytest.mark.parametrize(
    ("login", "trusted", "why"),
    [("pendopo:salah", True, "refuses us"), ("pendopo:rahasia", False, "certificate not trusted")],
)
def test_a_refusal_is_told_and_tried_again(
    secured_mosquitto: Mosquitto, tmp_path: Path, login: str, trusted: bool, why: str
) -> None:
    sink = Recorder()
    more = f'ca_file = "{secured_mosquitto.ca_file}"' if trusted else ""
    url = f"mqtts://{login}@127.0.0.1:{secured_mosquitto.port}"
    with Running(MqttSource(settings_for(url, tmp_path, more=more), sink, lambda: AT)) as it:
        eventually(lambda: any(why in error for error in sink.errors))
        assert it.error is None


def test_stopping_commits_what_is_queued(mosquitto: Mosquitto, tmp_path: Path) -> None:
    sink = Gate()
    source = source_for(mosquitto, sink, tmp_path)
    with Running(source) as it:
        assert source.ready.wait(10)
        publish(mosquitto.port, TOPIC, numbered(100))
        eventually(lambda: source._inbox.held == 100)
        it.stop.set()
        sink.open.set()
    assert texts(sink) == numbered(100)
    again = Recorder()
    source = source_for(mosquitto, again, tmp_path)
    with Running(source):
        assert source.ready.wait(10)
        publish(mosquitto.port, TOPIC, ["{}"])
        eventually(lambda: texts(again) == ["{}"], "they were acknowledged too")


def test_stopping_while_the_store_is_away_loses_nothing(mosquitto: Mosquitto, tmp_path: Path) -> None:
    sink = Recorder()
    sink.away = True
    source = source_for(mosquitto, sink, tmp_path)
    with Running(source):
        assert source.ready.wait(10)
        publish(mosquitto.port, TOPIC, numbered(100))
        eventually(lambda: sink.tried > 0)
    sink.away = False
    with Running(source_for(mosquitto, sink, tmp_path)):
        eventually(lambda: set(texts(sink)) == set(numbered(100)))


class ScriptedBroker:
    """A broker that does what one test needs: speaks MQTT to one client, connection by connection."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._reader = mqtt.Reader(1 << 20)
        self._packets: list[tuple[int, int, bytes]] = []

    def accept(self) -> socket.socket:
        """Takes the next connection as far as its subscription."""
        client, _ = self._server.accept()
        client.settimeout(0.3)
        self._reader, self._packets = mqtt.Reader(1 << 20), []
        assert self.read(client, 5)[0] == mqtt.CONNECT
        client.sendall(mqtt.connack(True, 0))
        kind, body = self.read(client, 5)
        assert kind == mqtt.SUBSCRIBE
        client.sendall(mqtt.answer(mqtt.SUBACK, mqtt.read_mid(body), b"\x01"))
        return client

    def read(self, client: socket.socket, within_s: float) -> tuple[int, bytes]:
        """The next packet, or (0, b"") when none comes."""
        client.settimeout(within_s)
        while not self._packets:
            try:
                data = client.recv(65536)
            except TimeoutError:
                return 0, b""
            self._packets.extend(self._reader.feed(data))
        kind, _, body = self._packets.pop(0)
        return kind, body

    def close(self) -> None:
        self._server.close()


def test_an_acknowledgement_is_never_sent_on_another_connection(tmp_path: Path) -> None:
    """Both connections use packet identifier 7, for different messages."""
    broker, sink = ScriptedBroker(), Gate()
    url = f"mqtt://127.0.0.1:{broker.port}"
    with Running(MqttSource(settings_for(url, tmp_path), sink, lambda: AT)):
        first = broker.accept()
        first.sendall(mqtt.publish(TOPIC, b'{"id":"A"}', qos=1, retain=False, dup=False, mid=7))
        assert sink.waiting.wait(5)
        first.close()
        second = broker.accept()
        sink.open.set()
        eventually(lambda: texts(sink) == ['{"id":"A"}'])
        assert broker.read(second, 1.5) == (0, b""), "A was acknowledged on a connection that knows it not"
        second.sendall(mqtt.publish(TOPIC, b'{"id":"B"}', qos=1, retain=False, dup=False, mid=7))
        assert broker.read(second, 5) == (mqtt.PUBACK, b"\x00\x07")
        assert texts(sink)[-1] == '{"id":"B"}'
        second.close()
    broker.close()


def test_a_broker_that_is_silent_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.sources.mqtt._CONNACK_WITHIN_S", 0.5)
    sink = Recorder()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"mqtt://127.0.0.1:{silent.getsockname()[1]}"
        with Running(MqttSource(settings_for(url, tmp_path), sink, lambda: AT)):
            eventually(lambda: any("does not answer" in error for error in sink.errors))


def test_retained_messages_and_qos_0_are_taken(mosquitto: Mosquitto, tmp_path: Path) -> None:
    publish(mosquitto.port, TOPIC, ['{"id":"lama"}'], retain=True)
    sink = Recorder()
    source = source_for(mosquitto, sink, tmp_path)
    with Running(source):
        assert source.ready.wait(10)
        with Publisher(mosquitto.port) as publisher:
            publisher.send(TOPIC, '{"id":"nol"}', qos=0)
            eventually(lambda: set(texts(sink)) == {'{"id":"lama"}', '{"id":"nol"}'})


SEVERAL = (
    CITY
    + '[[source]]\nname = "dinkes"\ntype = "mqtt"\ntopic = "dinkes/antrian/#"\nfeed = "service_request"\n'
    + '[[source]]\nname = "sp4n-lama"\ntype = "mqtt"\ntopic = "city/v1/service_request/sp4n"\n'
    + 'feed = "service_request"\nmap = { id = "nomor" }\n'
)


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("city/v1/sync_run/splp", [("splp", "city", "sync_run")]),
        ("city/v1/rahasia/splp", [("splp", "city", None)]),
        ("dinkes/antrian/igd", [("dinkes", "dinkes", "service_request")]),
        ("city/v1/service_request/sp4n", [("sp4n", "sp4n-lama", "service_request")]),
        ("lain/sama/sekali", [("city", "city", None)]),
    ],
)
def test_a_topic_leads_to_its_source(
    tmp_path: Path, topic: str, expected: list[tuple[str, str, str | None]]
) -> None:
    settings = settings_for(f"mqtt://127.0.0.1:{free_port()}", tmp_path, SEVERAL)
    topics = Topics(settings.sources)
    assert [(a.source, a.config, a.feed) for a in topics.arrivals(topic.encode(), [b"{}"], AT)] == expected
    assert topics.filters == ("city/v1/+/+", "dinkes/antrian/#", "city/v1/service_request/sp4n")


def test_messages_are_never_held_by_nobody_while_a_batch_is_handed_out() -> None:
    seen: list[int] = []

    class Watched(mqtt_inbox.Inbox):
        """Looks without the lock, as the connection's thread does, at every moment it could."""

        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)
            if name in ("_waiting", "_out") and hasattr(self, "_out"):
                seen.append(self.held)

    inbox = Watched()
    inbox.put(mqtt_inbox.Parcel([], [1, 2], 1, 2, 10))
    seen.clear()
    inbox.batch()
    assert seen
    assert min(seen) >= 2, "an inbox that looks idle lets the connection go"
