"""The wire: whatever pieces the network makes of a stream of packets, the same messages come out."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sources.mqtt_wire import BufferedSocket, Delivery

Message = tuple[bytes, bytes, int, bytes]  # topic, payload, packet identifier (0: QoS 0), properties

_messages = st.lists(
    st.tuples(
        st.sampled_from([b"city/v1/attendance/x", b"a", b"\xc3\xa9/b"]),
        st.one_of(st.binary(max_size=300), st.sampled_from([b"", b"x" * 20_000])),
        st.integers(0, 65_535),
        st.one_of(st.just(b""), st.binary(min_size=1, max_size=200)),
    ),
    max_size=30,
)


def number(value: int) -> bytes:
    """A variable byte integer (MQTT 5, section 1.5.5)."""
    found = bytearray()
    while True:
        value, digit = divmod(value, 128)
        found.append(digit | (128 if value else 0))
        if not value:
            return bytes(found)


def publish(message: Message, *, properties: bool) -> bytes:
    topic, payload, mid, told = message
    body = len(topic).to_bytes(2, "big") + topic
    if mid:
        body += mid.to_bytes(2, "big")
    if properties:
        body += number(len(told)) + told
    body += payload
    return bytes([0x32 if mid else 0x30]) + number(len(body)) + body


def flat(deliveries: list[Delivery]) -> tuple[list[tuple[bytes, bytes]], list[int]]:
    payloads = [(topic, payload) for topic, those, _ in deliveries for payload in those]
    return payloads, [mid for _, _, mids in deliveries for mid in mids]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    with ours, theirs:
        yield ours, theirs


@given(
    messages=_messages, cuts=st.lists(st.integers(1, 5_000), min_size=1, max_size=50), most=st.integers(1, 9)
)
@pytest.mark.parametrize("properties", [False, True])
def test_messages_are_the_same_however_the_stream_is_cut(
    messages: list[Message], cuts: list[int], most: int, *, properties: bool
) -> None:
    stream = b"".join(publish(message, properties=properties) for message in messages)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        wire = BufferedSocket(ours, properties=properties)
        found: list[Delivery] = []
        at = turn = 0
        while at < len(stream):
            piece = stream[at : at + cuts[turn % len(cuts)]]
            theirs.sendall(piece)
            at, turn = at + len(piece), turn + 1
            wire.fill()
            while taken := wire.deliveries(most):
                assert sum(len(d.payloads) for d in taken) <= most
                found += taken
        assert not wire.whole()
    payloads, mids = flat(found)
    assert payloads == [(topic, payload) for topic, payload, _, _ in messages]
    assert mids == [mid for _, _, mid, _ in messages if mid]


def test_another_packet_is_left_to_paho(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    wire = BufferedSocket(ours)
    one = publish((b"t", b"1", 7, b""), properties=False)
    theirs.sendall(one + b"\xd0\x00" + one)  # PINGRESP between two messages
    wire.fill()
    assert flat(wire.deliveries(10)) == ([(b"t", b"1")], [7])
    assert wire.deliveries(10) == []
    assert wire.recv(2) == b"\xd0\x00"
    assert flat(wire.deliveries(10)) == ([(b"t", b"1")], [7])


def test_a_message_larger_than_what_is_read_at_once_comes_whole(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    wire = BufferedSocket(ours)
    payload = bytes(range(256)) * 12_000
    theirs.setblocking(True)
    stream = publish((b"t", payload, 9, b""), properties=False)
    at = 0
    while at < len(stream):
        theirs.setblocking(False)
        at += theirs.send(stream[at : at + 500_000])
        wire.fill()
    assert flat(wire.deliveries(10)) == ([(b"t", payload)], [9])


@pytest.mark.parametrize("stream", [b"\x32\xff\xff\xff\xff\x01", b"\x32\x80\x80\x80\x80\x01abc"])
def test_what_is_no_mqtt_ends_the_connection(
    pair: tuple[socket.socket, socket.socket], stream: bytes
) -> None:
    ours, theirs = pair
    wire = BufferedSocket(ours)
    theirs.sendall(stream)
    wire.fill()
    with pytest.raises(ConnectionResetError, match="not MQTT"):
        wire.deliveries(1)


def test_the_last_words_are_read_before_the_end_is_told(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    wire = BufferedSocket(ours)
    theirs.sendall(publish((b"t", b"bye", 1, b""), properties=False))
    theirs.close()
    wire.fill()
    assert flat(wire.deliveries(1)) == ([(b"t", b"bye")], [1])
    with pytest.raises(ConnectionResetError, match="closed"):
        wire.fill()


def test_acknowledgements_are_four_bytes_each(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    wire = BufferedSocket(ours)
    wire.acknowledge([1, 65_535, 258])
    assert not wire.flush()
    assert theirs.recv(100) == b"\x40\x02\x00\x01\x40\x02\xff\xff\x40\x02\x01\x02"


@pytest.mark.parametrize("properties", [False, True])
@pytest.mark.parametrize(
    "broken",
    [b"\x32\x00", b"\x32\x03\x00\x01a", b"\x30\x02\x00\x09", b"\x32\x03\x00\x00\x00"],
)
def test_a_message_shorter_than_it_says_ends_the_connection(
    pair: tuple[socket.socket, socket.socket], broken: bytes, *, properties: bool
) -> None:
    ours, theirs = pair
    wire = BufferedSocket(ours, properties=properties)
    theirs.send(broken + b"\x30\x02\x00\x09")
    wire.fill()
    with pytest.raises(ConnectionResetError, match="not MQTT"):
        wire.deliveries(500)
