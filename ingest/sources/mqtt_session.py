"""Under which name the broker keeps ingest's messages, and what it is asked to deliver.

One ingest has a plain session of MQTT 3.1.1, which every broker knows. Several that share the
messages have one session each and subscribe to `$share/<client_id>/<filter>`: the broker hands each
message to one of them (MQTT 5, section 4.8.2). Neither session ever expires, so that what arrives
while its ingest is away is kept.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.sources.mqtt_wire import BufferedClient
from kpis.config import BrokerSettings
from kpis.errors import ConfigError

KEEPALIVE_S = 60
_FOR_EVER = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Session:
    """`subscribe` are its filters; `unsubscribe` those it may have had before it came to share."""

    client_id: str
    shared: bool
    subscribe: tuple[str, ...]
    unsubscribe: tuple[str, ...]


def session_of(broker: BrokerSettings, filters: Sequence[str], worker: str | None) -> Session:
    """The session of an ingest, or of one of its workers. Raises ConfigError if it cannot be."""
    plain = tuple(filters)
    shared = tuple(f"$share/{broker.client_id}/{topic}" for topic in filters)
    if not broker.shared:
        if worker is not None:
            raise ConfigError("broker.shared", "is not set, so workers would each take all", "set it to true")
        return Session(broker.client_id, False, plain, ())
    if broker.embedded:
        raise ConfigError(
            "broker.shared", "is set, and the embedded broker serves one ingest", "leave it out"
        )
    if any(sign in broker.client_id for sign in "/+#"):
        raise ConfigError("broker.client_id", f"{broker.client_id!r} names the share", "leave out / + and #")
    name = broker.client_id if worker is None else f"{broker.client_id}-{worker}"
    return Session(name, True, shared, plain)


def make_client(broker: BrokerSettings, session: Session) -> BufferedClient:
    """A client that resumes the session at every connection. Raises ConfigError for a bad `ca_file`."""
    client = BufferedClient(
        CallbackAPIVersion.VERSION2,
        client_id=session.client_id,
        clean_session=None if session.shared else False,
        protocol=paho.MQTTv5 if session.shared else paho.MQTTv311,
        manual_ack=True,
        reconnect_on_failure=False,
    )
    if broker.username is not None:
        client.username_pw_set(broker.username, broker.password)
    if broker.tls:
        try:
            client.tls_set_context(ssl.create_default_context(cafile=broker.ca_file))
        except (OSError, ssl.SSLError) as error:
            raise ConfigError("broker.ca_file", f"cannot be used: {error}", "name a PEM file") from None
    client.connect_timeout = 5.0
    host = _reachable(broker)
    if session.shared:
        kept = expiry(PacketTypes.CONNECT, _FOR_EVER)
        client.connect_async(host, broker.port, KEEPALIVE_S, clean_start=False, properties=kept)
    else:
        client.connect_async(host, broker.port, KEEPALIVE_S)
    return client


def expiry(packet: int, seconds: int) -> Properties:
    """How long the broker keeps the session after the connection has ended (MQTT 5, 3.1.2.11.2)."""
    properties = Properties(packet)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = seconds
    return properties


def _reachable(broker: BrokerSettings) -> str:
    """An embedded broker that listens on every address is reached on loopback."""
    if broker.embedded and broker.host == "::":
        return "::1"
    return "127.0.0.1" if broker.embedded and broker.host == "0.0.0.0" else broker.host  # noqa: S104
