"""One connection of the embedded broker: bytes to packets and back."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from ingest.broker import packets as mqtt
from ingest.broker.core import Core
from ingest.broker.session import Receipt, Session

log = logging.getLogger(__name__)

MAX_PACKET = 8 * 1024 * 1024
_CONNECT_WITHIN_S = 10.0


class Link(asyncio.Protocol):
    """Holds the session of its client once the core let it in."""

    def __init__(self, core: Core) -> None:
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
