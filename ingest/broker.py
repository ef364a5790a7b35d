"""The embedded broker: MQTT 3.1.1, QoS 0 and 1, in a thread of ingest; nothing is kept on disk.

It makes up for its memory being lost with the process: a publisher gets its PUBACK only after the
guarded client (ingest) has acknowledged the message, that is after the record is committed. What
is unacknowledged when the process dies is still with its publisher, who sends it again. QoS 2 is
taken from publishers in the same way and delivered as QoS 1.
"""

from __future__ import annotations

import asyncio
import errno
import hmac
import ipaddress
import logging
import threading
from collections import deque
from collections.abc import Callable

from paho.mqtt.client import topic_matches_sub

from ingest import mqtt_packets as mqtt
from ingest.broker_session import Message, Receipt, Session
from kpis.config import BrokerSettings
from kpis.errors import ConfigError

log = logging.getLogger(__name__)

MAX_PACKET = 8 * 1024 * 1024
BACKLOG_HIGH = 64 * 1024 * 1024
BACKLOG_LOW = BACKLOG_HIGH // 2
_CONNECT_WITHIN_S = 10.0
_ROUTES_KEPT = 10_000


class EmbeddedBroker:
    """`start` returns when connections are accepted; `stop` closes them all. Loopback may be anonymous.

    `guarded` is the client whose acknowledgement a publisher waits for, and without whose first
    subscription nobody else is let in: what is published while ingest is still starting is not lost.
    None (no MQTT source is configured) guards nothing.
    """

    def __init__(self, settings: BrokerSettings, guarded: str | None = None) -> None:
        self._settings = settings
        self._core: _Core | None = None
        self._guarded = guarded
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)
        self._started = threading.Event()
        self._stop = asyncio.Event()
        self._failure: OSError | None = None

    def start(self) -> None:
        """Raises ConfigError when the address is taken, not ours, or open to strangers without a password."""
        settings = self._settings
        if not _is_loopback(settings.host) and not (settings.username and settings.password):
            raise ConfigError(
                "broker.url",
                f"the embedded broker on {settings.host} would be open to everybody",
                f'write "embedded://user@{settings.host}:{settings.port}" and set PENDOPO_BROKER_PASSWORD',
            )
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            self._thread.join()
            raise _why(settings, self._failure) from self._failure

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(5)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._started.set()
            self._loop.close()

    async def _serve(self) -> None:
        core = self._core = _Core(self._settings, self._guarded)
        try:
            server = await self._loop.create_server(
                lambda: _Link(core), self._settings.host, self._settings.port, backlog=512
            )
        except OSError as error:
            self._failure = error
            return
        self._started.set()
        sweeper = self._loop.create_task(core.sweep())
        await self._stop.wait()
        sweeper.cancel()
        server.close()
        core.close()
        await asyncio.sleep(0.05)


def _why(settings: BrokerSettings, error: OSError) -> ConfigError:
    where = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return ConfigError(
            "broker.url",
            f"{where} is in use by another program",
            f'stop it, write another port, or use that broker: "mqtt://{where}"',
        )
    return ConfigError(
        "broker.url",
        f"{where}: {error.strerror}",
        'use an address of this machine: "embedded://127.0.0.1:1883"',
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Core:
    """Sessions, routes and retained messages; used by the broker's loop alone."""

    def __init__(self, settings: BrokerSettings, guarded: str | None) -> None:
        self._settings = settings
        self._guarded = guarded
        self._open = guarded is None
        self._waiting: list[tuple[_Link, mqtt.Connect]] = []
        self._paused: set[_Link] = set()
        self._routes: dict[str, tuple[tuple[Session, int], ...]] = {}
        self._retained: dict[str, Message] = {}
        self.sessions: dict[str, Session] = {}
        self.links: set[_Link] = set()

    def close(self) -> None:
        for link in list(self.links):
            link.close()

    async def sweep(self) -> None:
        """Closes connections that fell silent (section 3.1.2.10: one and a half keepalives)."""
        while True:
            await asyncio.sleep(1)
            now = asyncio.get_running_loop().time()
            for link in list(self.links):
                if link.patience and now - link.heard_at > link.patience and link not in self._paused:
                    link.close()

    # --- connections ---

    def connect(self, link: _Link, connect: mqtt.Connect) -> None:
        """Lets a client in once ingest listens; until then it waits for its CONNACK."""
        link.patience = connect.keepalive * 1.5
        if not self._open and connect.client_id != self._guarded:
            self._waiting.append((link, connect))
            return
        code = self._refusal(link, connect)
        if code:
            link.refuse(connect.level, code)
            return
        client_id = connect.client_id or f"anonymous-{id(link):x}"
        old = self.sessions.get(client_id)
        if old is not None and old.link is not None:
            old.link.close()
        session = old
        if old is None or old.clean or connect.clean:
            self._forget(old)
            session = self.sessions[client_id] = Session(client_id, connect.clean, client_id == self._guarded)
        assert session is not None
        link.write(mqtt.connack(session is old, mqtt.ACCEPTED))
        link.session, link.will = session, connect.will
        session.resume(link)

    def _refusal(self, link: _Link, connect: mqtt.Connect) -> int:
        if connect.level not in (3, 4):
            return mqtt.BAD_PROTOCOL
        if not connect.client_id and not connect.clean:
            return mqtt.BAD_CLIENT_ID
        settings = self._settings
        if _is_loopback(link.peer) and connect.username is None:
            return 0
        if settings.username is None:
            return 0 if _is_loopback(link.peer) else mqtt.BAD_PASSWORD
        known = connect.username == settings.username and hmac.compare_digest(
            connect.password or b"", (settings.password or "").encode()
        )
        return 0 if known else mqtt.BAD_PASSWORD

    def lost(self, link: _Link) -> None:
        """A connection ended; its will is published unless it said goodbye."""
        self.links.discard(link)
        self._paused.discard(link)
        session = link.session
        if session is None or session.link is not link:
            return
        session.link = None
        if session.clean:
            self.sessions.pop(session.client_id, None)
            self._forget(session)
        if link.will is not None:
            will = link.will
            self.publish(link, mqtt.Publish(will.topic, will.payload, will.qos, will.retain, 0), None)

    def _forget(self, session: Session | None) -> None:
        if session is not None:
            session.filters.clear()
            self._routes.clear()

    # --- messages ---

    def subscribe(self, session: Session, filters: list[tuple[str, int]]) -> bytes:
        """The SUBACK's codes; retained messages follow, and the broker opens once ingest subscribed."""
        codes = bytearray()
        for topic_filter, qos in filters:
            if not mqtt.valid_filter(topic_filter):
                codes.append(mqtt.REFUSED_FILTER)
                continue
            session.filters[topic_filter] = min(qos, 1)
            codes.append(min(qos, 1))
        self._routes.clear()
        return bytes(codes)

    def subscribed(self, session: Session, filters: list[tuple[str, int]]) -> None:
        for topic_filter, qos in filters:
            for message in list(self._retained.values()):
                if topic_matches_sub(topic_filter, message.topic):
                    session.put(Message(message.topic, message.payload, min(qos, message.qos), True))
        if session.client_id == self._guarded and not self._open:
            self._open = True
            waiting, self._waiting = self._waiting, []
            for link, connect in waiting:
                if link in self.links:
                    self.connect(link, connect)

    def unsubscribe(self, session: Session, filters: list[str]) -> None:
        for topic_filter in filters:
            session.filters.pop(topic_filter, None)
        self._routes.clear()

    def publish(self, link: _Link, found: mqtt.Publish, receipt: Receipt | None) -> None:
        """Hands a message to every session that wants it. The receipt is settled by the guarded one."""
        qos = min(found.qos, 1)
        if found.retain:
            self._retain(found, qos)
        guarded = False
        for session, granted in self._matching(found.topic):
            message = Message(found.topic, found.payload, min(qos, granted), False)
            if session.guarded and receipt is not None and message.qos:
                message.receipt, guarded = receipt, True
            session.put(message)
            if session.guarded and session.backlog > BACKLOG_HIGH:
                link.pause()
                self._paused.add(link)
        if receipt is not None and not guarded:
            receipt.settle()

    def acknowledged(self, session: Session, mid: int) -> None:
        session.acknowledged(mid)
        if session.guarded and self._paused and session.backlog < BACKLOG_LOW:
            for link in self._paused:
                link.go_on()
            self._paused.clear()

    def _retain(self, found: mqtt.Publish, qos: int) -> None:
        if found.payload:
            self._retained[found.topic] = Message(found.topic, found.payload, qos, True)
        else:
            self._retained.pop(found.topic, None)

    def _matching(self, topic: str) -> tuple[tuple[Session, int], ...]:
        routes = self._routes.get(topic)
        if routes is None:
            if len(self._routes) >= _ROUTES_KEPT:
                self._routes.clear()
            found = []
            for session in self.sessions.values():
                granted = [q for f, q in session.filters.items() if topic_matches_sub(f, topic)]
                if granted:
                    found.append((session, max(granted)))
            routes = self._routes[topic] = tuple(found)
        return routes


class _Link(asyncio.Protocol):
    """One connection: bytes to packets and back."""

    def __init__(self, core: _Core) -> None:
        self._core = core
        self._reader = mqtt.Reader(MAX_PACKET)
        self._out: list[bytes] = []
        self._greeted = False
        self._connected = False
        self._received: set[int] = set()
        self._receipts: deque[Receipt] = deque()
        self.session: Session | None = None
        self.will: mqtt.Will | None = None
        self.congested = False
        self.patience = _CONNECT_WITHIN_S
        self.peer = ""
        self._packets: dict[int, Callable[[int, bytes], None]] = {
            mqtt.PUBLISH: self._on_publish,
            mqtt.PUBACK: self._on_puback,
            mqtt.PUBREL: self._on_pubrel,
            mqtt.SUBSCRIBE: self._on_subscribe,
            mqtt.UNSUBSCRIBE: self._on_unsubscribe,
            mqtt.PINGREQ: lambda _flags, _body: self.write(mqtt.PINGRESP_BYTES),
            mqtt.DISCONNECT: self._on_disconnect,
        }

    # --- asyncio's side ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self.heard_at = self._loop.time()
        self.peer = (transport.get_extra_info("peername") or ("",))[0]
        self._core.links.add(self)

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._loop.time()
        try:
            if not self._greeted and data[0] >> 4 != mqtt.CONNECT:
                raise mqtt.BadPacket("something that is not MQTT")
            self._greeted = True
            for kind, flags, body in self._reader.feed(data):
                self._on_packet(kind, flags, body)
        except mqtt.BadPacket as error:
            log.info("%s sent %s: connection closed", self.peer, error)
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._core.lost(self)

    def pause_writing(self) -> None:
        self.congested = True

    def resume_writing(self) -> None:
        self.congested = False
        if self.session is not None:
            self.session.pump()

    # --- the broker's side ---

    def write(self, data: bytes) -> None:
        """Queues bytes; what one turn of the loop writes goes out in one piece."""
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(data)

    def _flush(self) -> None:
        data, self._out = b"".join(self._out), []
        if not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def pause(self) -> None:
        self._transport.pause_reading()

    def go_on(self) -> None:
        self.heard_at = self._loop.time()
        self._transport.resume_reading()

    def refuse(self, level: int, code: int) -> None:
        # MQTT 5 clients read a refusal of their version only in their own CONNACK.
        self.write(b"\x20\x03\x00\x84\x00" if level > 4 else mqtt.connack(False, code))
        self.close()

    def _on_packet(self, kind: int, flags: int, body: bytes) -> None:
        if kind == mqtt.CONNECT:
            if self._connected:
                raise mqtt.BadPacket("a second CONNECT")
            self._connected = True
            self._core.connect(self, mqtt.read_connect(body))
        elif self.session is None or kind not in self._packets:
            raise mqtt.BadPacket(f"packet type {kind} out of turn")
        elif not self._transport.is_closing():
            self._packets[kind](flags, body)

    def _on_publish(self, flags: int, body: bytes) -> None:
        found = mqtt.read_publish(flags, body)
        if found.qos == 0:
            self._core.publish(self, found, None)
            return
        if found.qos == 2:
            if found.mid in self._received:
                return
            self._received.add(found.mid)
        receipt = Receipt(self._settled, mqtt.PUBACK if found.qos == 1 else mqtt.PUBREC, found.mid)
        self._receipts.append(receipt)
        self._core.publish(self, found, receipt)

    def _settled(self) -> None:
        """Answers go out in the order the messages came in (section 4.6)."""
        while self._receipts and self._receipts[0].settled:
            receipt = self._receipts.popleft()
            self.write(mqtt.answer(receipt.kind, receipt.mid))

    def _on_puback(self, _flags: int, body: bytes) -> None:
        assert self.session is not None
        self._core.acknowledged(self.session, mqtt.read_mid(body))

    def _on_pubrel(self, _flags: int, body: bytes) -> None:
        mid = mqtt.read_mid(body)
        self._received.discard(mid)
        self.write(mqtt.answer(mqtt.PUBCOMP, mid))

    def _on_subscribe(self, _flags: int, body: bytes) -> None:
        assert self.session is not None
        mid, filters = mqtt.read_subscribe(body)
        self.write(mqtt.answer(mqtt.SUBACK, mid, self._core.subscribe(self.session, filters)))
        self._core.subscribed(self.session, [f for f in filters if mqtt.valid_filter(f[0])])

    def _on_unsubscribe(self, _flags: int, body: bytes) -> None:
        assert self.session is not None
        mid, filters = mqtt.read_unsubscribe(body)
        self._core.unsubscribe(self.session, filters)
        self.write(mqtt.answer(mqtt.UNSUBACK, mid))

    def _on_disconnect(self, _flags: int, _body: bytes) -> None:
        self.will = None
        self.close()
