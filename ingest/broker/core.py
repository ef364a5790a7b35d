"""Sessions, routes and retained messages of the embedded broker; used by its loop alone."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from typing import TYPE_CHECKING

from paho.mqtt.client import topic_matches_sub

from ingest.broker import packets as mqtt
from ingest.broker.session import Message, Receipt, Session
from kpis.config import BrokerSettings

if TYPE_CHECKING:
    from ingest.broker.link import Link

BACKLOG_HIGH = 64 * 1024 * 1024
BACKLOG_LOW = BACKLOG_HIGH // 2
_ROUTES_KEPT = 10_000


class Core:
    """What the broker knows. The first subscription of `guarded` opens it to everybody else."""

    def __init__(self, settings: BrokerSettings, guarded: str | None) -> None:
        self._settings = settings
        self._guarded = guarded
        self._open = guarded is None
        self._waiting: list[tuple[Link, mqtt.Connect]] = []
        self._paused: set[Link] = set()
        self._routes: dict[str, tuple[tuple[Session, int], ...]] = {}
        self._retained: dict[str, Message] = {}
        self.sessions: dict[str, Session] = {}
        self.links: set[Link] = set()

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

    def connect(self, link: Link, connect: mqtt.Connect) -> None:
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

    def _refusal(self, link: Link, connect: mqtt.Connect) -> int:
        if connect.level not in (3, 4):
            return mqtt.BAD_PROTOCOL
        if not connect.client_id and not connect.clean:
            return mqtt.BAD_CLIENT_ID
        settings = self._settings
        if is_loopback(link.peer) and connect.username is None:
            return 0
        if settings.username is None:
            return 0 if is_loopback(link.peer) else mqtt.BAD_PASSWORD
        known = connect.username == settings.username and hmac.compare_digest(
            connect.password or b"", (settings.password or "").encode()
        )
        return 0 if known else mqtt.BAD_PASSWORD

    def lost(self, link: Link) -> None:
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

    def publish(self, link: Link, found: mqtt.Publish, receipt: Receipt | None) -> None:
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


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
