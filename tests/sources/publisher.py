"""Publishes as a department's system would: paho, QoS 1, waiting for each acknowledgement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion


class Publisher:
    """A client of its own. Unacknowledged messages are sent again after a reconnect, as MQTT asks."""

    def __init__(self, port: int, client_id: str = "", *, clean: bool = True) -> None:
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean)
        self.client.max_inflight_messages_set(2_000)
        self.client.max_queued_messages_set(0)
        self.client.reconnect_delay_set(1, 1)
        self._port = port
        self.sent: list[paho.MQTTMessageInfo] = []

    def __enter__(self) -> Self:
        self.client.connect("127.0.0.1", self._port)
        self.client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def send(self, topic: str, payload: str | bytes, *, qos: int = 1, retain: bool = False) -> None:
        self.sent.append(self.client.publish(topic, payload, qos, retain))

    def wait(self, within_s: float = 20) -> None:
        for info in self.sent:
            info.wait_for_publish(within_s)
        assert self.acknowledged == len(self.sent)

    @property
    def acknowledged(self) -> int:
        return sum(info.is_published() for info in self.sent)


def publish(port: int, topic: str, payloads: Sequence[str | bytes], **how: Any) -> None:
    """Publishes and returns when the broker has acknowledged everything."""
    with Publisher(port) as publisher:
        for payload in payloads:
            publisher.send(topic, payload, **how)
        publisher.wait()
