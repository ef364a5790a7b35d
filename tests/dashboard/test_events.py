"""An event stream's bytes: any viewer's gzip stream is continued by the same piece."""

from __future__ import annotations

import json
import random
import zlib

from dashboard.events import GZIP_HEADER, Event, changed, event


def test_pieces_made_apart_continue_one_gzip_stream_and_are_readable_at_once() -> None:
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
    assert decoder.decompress(GZIP_HEADER) == b""
    lots = random.Random(1)
    for size in (0, 1, 70_000, 3):
        item = Event(bytes(lots.choices(b"abcdef", k=size)))
        assert decoder.decompress(item.deflated) == item.plain


def test_two_viewers_who_joined_at_different_pieces_read_the_same_text() -> None:
    pieces = [Event(f"event {n} ".encode() * 50) for n in range(4)]
    for first in range(4):
        decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
        stream = GZIP_HEADER + b"".join(piece.deflated for piece in pieces[first:])
        assert decoder.decompress(stream) == b"".join(piece.plain for piece in pieces[first:])


def test_an_event_is_one_line_of_json_with_panels_as_they_are() -> None:
    made = event("patch", {"version": 7}, {"tile-a": b'{"type":"Div"}', "b": b'"\\n"'}, "7.1")
    head, _, data = made.plain.decode().partition("data: ")
    assert head == "event: patch\nid: 7.1\n"
    assert data.endswith("\n\n")
    assert data.count("\n") == 2
    assert json.loads(data) == {"version": 7, "panels": {"tile-a": {"type": "Div"}, "b": "\n"}}


def test_an_event_without_fields_or_panels_is_still_json() -> None:
    assert json.loads(event("state", {}, {}).plain.split(b"data: ")[1]) == {"panels": {}}
    assert json.loads(event("beat", {}).plain.split(b"data: ")[1]) == {}


def test_only_panels_that_differ_are_sent() -> None:
    assert changed({"a": b"1", "b": b"2"}, {"a": b"1", "b": b"3", "c": b"4"}) == {"b": b"3", "c": b"4"}
