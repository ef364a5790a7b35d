"""The live benchmark measures what it says: a small run, and the rules its figures are made by."""

from __future__ import annotations

import json
import math
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from benchmarks import live, live_pixels
from benchmarks.live_city import Change
from benchmarks.live_crowd import Poller, Stream, Viewer, WebSocket
from dashboard.events import GZIP_HEADER, event
from tests.conftest import ROOT


def test_a_small_run_reaches_every_viewer() -> None:
    options = (
        "--viewers 20 --seconds 2 --every 0.5 --history-days 1 --store sqlite --peers --missed 12 --slow 9"
    )
    found: dict[str, Any] = live.run([*options.split(), "--parts", "fan_out", "storm", "slow_readers"])
    assert found["viewers"] == 20
    assert found["lost"] == 0
    assert 0 < found["p50_ms"] <= found["p95_ms"] < 5000
    assert 0 < found["cpu_cores"] < 2
    assert found["rss_mib"] > 10
    assert found["records"] > 1000
    assert found["storm"]["connected"] == 20
    assert 0 < found["storm"]["p50_ms"] <= found["storm"]["p95_ms"] < 5000
    assert (found["slow_readers"]["current"], found["slow_readers"]["others_current"]) == (9, 50)


def test_a_request_waited_for_the_first_paint_that_counts_it() -> None:
    sent = [10.0, 10.5, 11.0]
    assert live_pixels.latencies(sent, 7, [(10.2, 8), (11.5, 10)]) == pytest.approx([0.2, 1.0, 0.5])


def test_a_request_that_was_never_painted_is_no_small_delay() -> None:
    found = live_pixels.latencies([10.0, 10.5], 7, [(10.2, 8)])
    assert live_pixels.figures(found) == {"p50_ms": None, "p95_ms": None, "p99_ms": None, "never_shown": 1}


def test_the_published_mix_is_what_the_moments_say() -> None:
    began = datetime(2026, 8, 19, 3, tzinfo=UTC)
    made = list(live_pixels.messages(began, 100, 2))
    requests = [json.loads(payload) for topic, payload in made if "/service_request/" in topic]
    assert len(made) == 200
    assert [datetime.fromisoformat(one["opened_at"]).timestamp() for one in requests] == pytest.approx(
        live_pixels.moments(began.timestamp(), 100, 2)
    )


def test_a_viewer_that_passes_over_a_change_waited_for_the_next_one() -> None:
    changes = [Change(5, 0.0, 1.0), Change(6, 0.0, 2.0)]
    assert live.delays(changes, [[(4, 0.5), (6, 2.5)]]) == [1.5, 0.5]


def test_a_change_that_never_came_is_no_small_delay() -> None:
    changes = [Change(5, 0.0, 1.0), Change(6, 0.0, 2.0)]
    assert live.delays(changes, [[(5, 1.25)]]) == [0.25, math.inf]
    assert live.percentile([0.25, 0.25, math.inf], 50) == 250
    assert live.percentile([0.25, 0.25, math.inf], 95) is None


@pytest.fixture
def far() -> Iterator[socket.socket]:
    """A listening socket: the server's end of each viewer is what it accepts."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def _opened(kind: type[Viewer], far: socket.socket) -> tuple[Viewer, socket.socket]:
    viewer = kind(far.getsockname()[1])
    near, _ = far.accept()
    return viewer, near


def _hears(viewer: Viewer, near: socket.socket, *pieces: bytes) -> list[int]:
    """The versions a viewer has noted after each piece came by itself."""
    for piece in pieces:
        near.sendall(piece)
        assert viewer.read()
    return [version for version, _ in viewer.arrivals]


def test_a_stream_is_read_however_it_is_cut(far: socket.socket) -> None:
    viewer, near = _opened(Stream, far)
    bodies = [
        GZIP_HEADER,
        event("state", {"version": 7}, {}).deflated,
        event("beat", {"version": 9}).deflated,
    ]
    bodies.append(event("patch", {"version": 8}, {"tile": b"1"}).deflated)
    stream = b"HTTP/1.1 200 OK\r\n\r\n" + b"".join(b"%x\r\n%b\r\n" % (len(body), body) for body in bodies)
    assert _hears(viewer, near, stream[:40], stream[40:75], stream[75:]) == [7, 8]


def test_a_poller_knows_whole_answers_only(far: socket.socket) -> None:
    viewer, near = _opened(Poller, far)
    body = b'{"response":{"panels":{"children":{"props":{"data-version":"12"}}}}}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    viewer.ask()
    assert _hears(viewer, near, answer[:60]) == []
    assert viewer.waits
    assert _hears(viewer, near, answer[60:]) == [12]
    assert not viewer.waits


def test_a_websocket_asks_after_its_upgrade_and_answers_pings(far: socket.socket) -> None:
    viewer, near = _opened(WebSocket, far)
    viewer.ask()
    near.recv(4096)
    body = b'{"type":"set_props","data-version":"3","more":"' + b"x" * 200 + b'"}'
    _hears(viewer, near, b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    assert b"callback_request" in near.recv(4096)
    frame = b"\x81\x7e" + len(body).to_bytes(2, "big") + body
    assert _hears(viewer, near, frame[:50], frame[50:] + b"\x89\x02hi") == [3]
    assert near.recv(4096).startswith(b"\x8a")


def test_an_answer_that_is_no_stream_ends_the_viewer(far: socket.socket) -> None:
    viewer, near = _opened(Stream, far)
    near.sendall(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
    with pytest.raises(OSError, match="503"):
        viewer.read()


def test_orders_that_come_together_are_all_heard() -> None:
    """A crowd that reads ahead would wait for ever for an order it holds already."""
    argv = [sys.executable, "-m", "benchmarks.live_crowd", "slow", "1", "0"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(argv, cwd=ROOT, text=True, bufsize=1, **pipes) as crowd:
        try:
            assert crowd.stdin is not None
            assert crowd.stdout is not None
            assert crowd.stdout.readline() == "ready\n"
            os.write(crowd.stdin.fileno(), b"begin\nend 0\n")  # and the pipe stays open
            assert select.select([crowd.stdout], [], [], 20)[0], "it waits for an order it holds already"
            assert json.loads(crowd.stdout.readline())["viewers"] == 0
        finally:
            crowd.kill()
