"""MQTT: one persistent session for every configured mqtt source; acknowledged after commit.

The thread that calls `run` owns the connection: it reads, judges, keeps alive and acknowledges, and
never touches the store. The committer takes batches off the inbox, gives them to the pipeline and hands the
acknowledgements back. An acknowledgement carries the number of the connection its
message came on and is dropped when that connection is gone: packet identifiers mean nothing on
the next one, and the broker delivers the message again.
"""

from __future__ import annotations

import logging
import selectors
import socket
import ssl
import threading
import time
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes

from ingest.arrivals import Arrival
from ingest.sources.mqtt_commit import Committer
from ingest.sources.mqtt_inbox import Inbox, Parcel
from ingest.sources.mqtt_session import expiry, make_client, session_of
from ingest.sources.mqtt_topics import Topics
from ingest.sources.mqtt_wire import BufferedClient, BufferedSocket, Delivery
from ingest.sources.sink import Backoff, Health, Sink
from kpis.clock import Now
from kpis.config import Settings
from kpis.store import micros

log = logging.getLogger(__name__)

DOOR = "mqtt"
_LEFT_AFTER_S = 3.0
_PAUSE_AT_MOST_S = 20.0
_CONNACK_WITHIN_S = 10.0
_DRAIN_WITHIN_S = 5.0
_TURN_S = 1.0


class MqttSource:
    """All mqtt sources of a configuration behind one client. `ready` is set once subscribed.

    A broker that is away is tried again for ever. Memory is bounded by the inbox: when it is full
    nothing more is read, and a pause that would outlast the keepalive ends in an orderly disconnect;
    the broker keeps the rest in the session.

    With `broker.shared` this is one of several workers, by its own name. `leaving` ends one for good:
    it takes what its session still holds, subscribes to nothing, and lets the broker forget it: `left`
    says that it did. Stopped before that, the session stays with what it holds. `known` says whether the
    broker had a session of that name.
    """

    def __init__(
        self,
        settings: Settings,
        sink: Sink,
        now: Now,
        ready: threading.Event | None = None,
        worker: str | None = None,
        *,
        leaving: bool = False,
    ) -> None:
        self.name = DOOR
        self.ready = ready or threading.Event()
        self._broker = settings.broker
        self._sink = sink
        self._now = now
        self._topics = Topics([s for s in settings.sources if s.type == DOOR])
        self._health = [Health(sink, name, DOOR) for name in self._topics.names]
        self._inbox = Inbox()
        self._committer = Committer(sink, self._inbox, self._wake, self._tell)
        self._session = session_of(settings.broker, self._topics.filters, worker)
        self._leaving = leaving
        self._emptied = False
        self.left = False
        self.known = False
        self._client = make_client(settings.broker, self._session)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._generation = 0
        self._connected = False
        self._outage: str | None = None
        self._refusal: str | None = None
        self._wake_out, self._wake_in = socket.socketpair()

    def run(self, stop: threading.Event) -> None:
        self._committer.start(stop)
        backoff = Backoff()
        try:
            while not stop.is_set() and self._committer.failure is None:
                if self._open():
                    self._serve(stop, backoff)
                if self._committer.failure is None and not stop.is_set():
                    self._rest(backoff.span(), stop)
        finally:
            self._inbox.close()
            self._committer.join(_DRAIN_WITHIN_S)
            self._hang_up()
        if self._committer.failure is not None:
            raise self._committer.failure

    # --- the connection ---

    def _open(self) -> bool:
        """Connects; False when the broker cannot be reached."""
        self._generation += 1
        self._connected = False
        self._refusal = None
        try:
            self._client.reconnect()
        except (OSError, ValueError) as error:
            self._lost(f"cannot be reached: {_reason(error)}")
            return False
        return True

    def _serve(self, stop: threading.Event, backoff: Backoff) -> None:
        """Reads and acknowledges until the connection ends, or `stop` is set and the inbox drained."""
        opened = time.monotonic()
        paused_since: float | None = None
        drain_until: float | None = None
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_out, selectors.EVENT_READ)
            while self._committer.failure is None:
                now = time.monotonic()
                if stop.is_set():
                    self._inbox.close()
                    drain_until = drain_until or now + _DRAIN_WITHIN_S
                    if (self._inbox.idle and not self._committer.acks) or now > drain_until:
                        return
                paused_since = (paused_since or now) if self._inbox.full else None
                if paused_since is not None and now - paused_since > _PAUSE_AT_MOST_S:
                    break
                if self._leaving and self._connected and self._inbox.quiet(_LEFT_AFTER_S):
                    self._emptied = True
                    stop.set()
                if self._connected:
                    backoff.reset()
                elif now - opened > _CONNACK_WITHIN_S:
                    self._lost("does not answer")
                    return
                if not self._turn(selector, reading=paused_since is None and drain_until is None):
                    self._lost("ended the connection")
                    return
        if self._committer.failure is not None:
            return
        log.info("the inbox is full: away from the broker until the store has caught up")
        self._hang_up()
        self._inbox.wait_for_room(stop)

    def _turn(self, selector: selectors.BaseSelector, *, reading: bool) -> bool:
        """Waits, reads, acknowledges, writes, keeps alive; False when the connection has ended."""
        client, wire = self._client, self._client.wire
        if wire is None or client.socket() is None:
            return False
        try:
            blocked = wire.flush()
            _watch(selector, wire, reading * selectors.EVENT_READ | blocked * selectors.EVENT_WRITE)
            readable = reading and wire.ready()
            for key, mask in selector.select(0 if readable or self._committer.acks else _TURN_S):
                if key.fileobj is self._wake_out:
                    self._wake_out.recv(4096)
                elif mask & selectors.EVENT_READ:
                    readable = True
            if readable:
                self._read(client, wire)
            self._acknowledge()
            if client.want_write():
                client.loop_write()
            if client.socket() is not None:
                client.loop_misc()
            if client.socket() is not None:
                wire.flush()
        except OSError:
            return False
        return client.socket() is not None

    def _read(self, client: BufferedClient, wire: BufferedSocket) -> None:
        wire.fill()
        while wire.whole() and client.socket() is not None:
            room = self._inbox.room()
            if room <= 0:
                return
            deliveries = wire.deliveries(room)
            if deliveries:
                self._received(deliveries)
            elif client.loop_read():
                return

    def _acknowledge(self) -> None:
        mids: list[int] = []
        while self._committer.acks:
            generation, those = self._committer.acks.popleft()
            if generation == self._generation:
                mids += those
        wire = self._client.wire
        if mids and wire is not None and self._connected and self._client.socket() is not None:
            wire.acknowledge(mids)

    def _hang_up(self) -> None:
        """Says goodbye on a living connection, after the acknowledgements that are due on it."""
        self._acknowledge()
        if self._client.socket() is not None:
            # Any earlier, at a full inbox or a signal, the broker would throw away what it still holds.
            self.left = self._emptied and self._connected
            self._client.disconnect(properties=expiry(PacketTypes.DISCONNECT, 0) if self.left else None)
            if self._client.socket() is not None:
                self._client.loop_write()
        self._connected = False
        self._generation += 1

    def _lost(self, why: str) -> None:
        self._connected = False
        self._outage = f"the broker {self._broker.host}:{self._broker.port} {self._refusal or why}"
        self._hang_up()

    def _rest(self, span: float, stop: threading.Event) -> None:
        self._inbox.tick()
        stop.wait(span)

    def _received(self, deliveries: list[Delivery]) -> None:
        at = self._now()
        arrivals: list[Arrival] = []
        mids: list[int] = []
        count = size = 0
        for topic, payloads, those in deliveries:
            arrivals += self._topics.arrivals(topic, payloads, at)
            mids += those
            count += len(payloads)
            size += sum(map(len, payloads))
        self._inbox.put(Parcel(self._sink.prepare(arrivals), mids, self._generation, count, size))

    # --- paho's callbacks, all on the connection's thread ---

    def _on_connect(self, client: paho.Client, _data: Any, flags: Any, code: Any, _props: Any) -> None:
        if code.is_failure:
            self._refusal = f"refuses us: {code}"
            return
        self._connected = True
        if self._leaving:
            self.known = self.known or flags.session_present
            client.unsubscribe(list(self._session.subscribe))
            self._inbox.begin()
            self.ready.set()
            return
        if self._session.unsubscribe:
            client.unsubscribe(list(self._session.unsubscribe))
        client.subscribe([(topic, 1) for topic in self._session.subscribe])

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, codes: list[Any], _props: Any) -> None:
        refused = [f for f, code in zip(self._session.subscribe, codes, strict=False) if code.is_failure]
        if refused:
            self._outage = f"the broker refuses the subscription to {', '.join(refused)}"
            self._inbox.tick()
            return
        self._outage = None
        self._inbox.tick()
        self.ready.set()

    def _wake(self) -> None:
        self._wake_in.send(b"\0")

    def _tell(self, newest: int | None) -> None:
        behind = None
        if newest is not None and self._inbox.crowded:
            # At the broker perhaps still more waits.
            behind = max(0, (micros(self._now()) - newest) // 1_000_000)
        for health in self._health:
            if self._outage is None and self._connected:
                health.well(behind)
            elif self._outage is not None:
                health.ill(self._outage)


def _watch(selector: selectors.BaseSelector, wire: BufferedSocket, events: int) -> None:
    """Registers exactly `events`; a selector refuses to watch for nothing."""
    known = selector.get_map().get(wire.fileno())
    if known is None and events:
        selector.register(wire, events)
    elif known is not None and not events:
        selector.unregister(wire)
    elif known is not None and known.events != events:
        selector.modify(wire, events)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not trusted ({error.verify_message}); name its authority in broker.ca_file"
    return getattr(error, "strerror", None) or str(error)
