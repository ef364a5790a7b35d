"""A publisher that costs little: MQTT 3.1.1, QoS 1, on bare sockets.

It shares the machine with what it measures, so packets are built before the clock starts, sent many
at a time, and acknowledgements are compared in bulk: about a microsecond of processor an event.

    from benchmarks.publisher import publish
    done = publish("127.0.0.1", 1883, "city/v1/attendance/gate", payloads, window=2000, rate=12_000)
    done.acknowledged, done.seconds

As a process of its own (a line of FILE is a topic, a tab and a payload), printing one JSON object:

    python -m benchmarks.publisher --port 1883 --file FILE [--window N] [--rate N] [--lanes N]

Event i is number i; `flags[i]` is 1 once the broker has acknowledged it. A connection that ends, or
on which nothing is acknowledged for ten seconds, is opened again (at the next address, when there are
several), and what is not acknowledged is sent again with DUP set, as MQTT 3.1.1 section 4.4 asks.
"""

from __future__ import annotations

import argparse
import json
import mmap
import selectors
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.lane import MOST_WINDOW, Door, GaveUp, Lane, connect_packet, packet

Flags = bytearray | mmap.mmap

WINDOW = 2_000
_TICK_S = 0.004


@dataclass(frozen=True, slots=True)
class Published:
    """What was done: how many of `sent` distinct events the broker acknowledged, and in how long.

    `flags` has a byte an event, 1 when it was acknowledged. `again` counts packets sent a second
    time, `connects` connections that were opened; `cpu_s` is this process's own processor time.
    """

    sent: int
    acknowledged: int
    seconds: float
    cpu_s: float
    again: int
    connects: int
    flags: Flags


def publish(
    host: str,
    port: int,
    topics: str | Sequence[str],
    payloads: Iterable[bytes],
    *,
    window: int = WINDOW,
    rate: float | None = None,
    lanes: int = 1,
    others: Sequence[Door] = (),
    username: str | None = None,
    password: str = "",
    flags: Flags | None = None,
    released: Callable[[], int] | None = None,
    patience_s: float = 60.0,
) -> Published:
    """Publishes every payload and returns when the broker has acknowledged all of them.

    `topics` is one topic for all, or one for each payload. `window` bounds what is unacknowledged on
    one connection, `rate` is events per second over all, `lanes` is how many connections share the
    events (event i goes by lane i mod `lanes`). `others` are addresses to turn to when a connection
    ends. `flags` (a byte an event, zeros) may be shared memory, to be watched from outside; `released`
    says how many events may go so far, and time spent waiting for it is not made up for.
    Raises GaveUp when nothing is acknowledged for `patience_s`.
    """
    bodies = list(payloads)
    names = [topics] * len(bodies) if isinstance(topics, str) else topics
    if len(names) != len(bodies):
        raise ValueError(f"{len(names)} topics for {len(bodies)} payloads")
    flags = bytearray(len(bodies)) if flags is None else flags
    doors = [(host, port), *others]
    roads = []
    for number in range(lanes):
        hello = connect_packet(f"publisher-{time.monotonic_ns()}-{number}", username, password)
        built = list(map(packet, names[number::lanes], bodies[number::lanes], range(len(bodies))))
        tell = partial(_note, flags, number, lanes)
        roads.append(Lane(doors, hello, built, min(window, MOST_WINDOW), tell))
    return _drive(roads, flags, _Pace(rate, released or (lambda: len(bodies)), lanes), patience_s)


def _note(flags: Flags, lane: int, lanes: int, first: int, count: int) -> None:
    """Sets the flags of `count` events from a lane's `first` on."""
    at = lane + first * lanes
    flags[at : at + count * lanes : lanes] = b"\1" * len(range(at, at + count * lanes, lanes))


class _Pace:
    """How many events each lane may have sent by now. It goes up in steps: packets go out together."""

    def __init__(self, rate: float | None, released: Callable[[], int], lanes: int) -> None:
        self._rate = rate
        self._released = released
        self._lanes = lanes
        self._due = 0.0
        self._at = time.monotonic()

    @property
    def held(self) -> bool:
        """Whether everything that was released may have gone."""
        return self._due >= self._released()

    def due(self) -> int:
        now = time.monotonic()
        if now - self._at >= _TICK_S:
            gain = float("inf") if self._rate is None else (now - self._at) * self._rate
            self._due = min(self._due + gain, self._released())
            self._at = now
        return -(-int(self._due) // self._lanes)


def _drive(lanes: list[Lane], flags: Flags, pace: _Pace, patience_s: float) -> Published:
    """Turns from lane to lane until everything is acknowledged."""
    began = fresh_at = time.monotonic()
    cpu = time.process_time()
    waiting = [lane for lane in lanes if not lane.done]
    with selectors.DefaultSelector() as selector:
        while waiting:
            now = time.monotonic()
            if pace.held and all(lane.idle for lane in lanes):
                fresh_at = now
            if now - fresh_at > patience_s:
                raise GaveUp(f"nothing was acknowledged for {patience_s:g} s")
            due = pace.due()
            for lane in waiting:
                _push(selector, lane, due)
            for key, mask in selector.select(_TICK_S):
                lane = key.data
                if mask & selectors.EVENT_READ and _pull(selector, lane):
                    fresh_at = now
            waiting = [lane for lane in waiting if not lane.done]
    for lane in lanes:
        if lane.sock is not None:
            lane.sock.sendall(b"\xe0\x00")
            lane.lose()
    return Published(
        sent=len(flags),
        acknowledged=sum(sum(lane.flags) for lane in lanes),
        seconds=time.monotonic() - began,
        cpu_s=time.process_time() - cpu,
        again=sum(lane.again for lane in lanes),
        connects=sum(lane.connects for lane in lanes),
        flags=flags,
    )


def _push(selector: selectors.BaseSelector, lane: Lane, due: int) -> None:
    """Opens the lane if it is closed, and writes what may be written."""
    if lane.sock is None:
        if not lane.open():
            return
        selector.register(lane.sock, selectors.EVENT_READ, lane)  # type: ignore[arg-type]
    assert lane.sock is not None
    try:
        lane.write(due)
        lane.check()
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if lane.blocked else 0)
        if selector.get_key(lane.sock).events != wanted:
            selector.modify(lane.sock, wanted, lane)
    except OSError:
        selector.unregister(lane.sock)
        lane.lose()


def _pull(selector: selectors.BaseSelector, lane: Lane) -> int:
    """Reads what came; how many events became acknowledged."""
    assert lane.sock is not None
    try:
        return lane.read()
    except OSError:
        selector.unregister(lane.sock)
        lane.lose()
        return 0


def read_messages(file: Path) -> tuple[list[str], list[bytes]]:
    """Topics and payloads of a file that has a topic, a tab and a payload on each line."""
    topics, payloads = [], []
    for line in file.read_bytes().splitlines():
        topic, _, payload = line.partition(b"\t")
        topics.append(topic.decode())
        payloads.append(payload)
    return topics, payloads


def write_messages(file: Path, messages: Iterable[tuple[str, bytes]]) -> None:
    """The file `read_messages` reads; payloads hold no line break."""
    with file.open("wb") as out:
        out.writelines(b"%b\t%b\n" % (topic.encode(), payload) for topic, payload in messages)


def shared_bytes(file: Path, count: int) -> mmap.mmap:
    """`count` bytes, zeros at first, that every process which opens the same file sees change."""
    with file.open("a+b") as out:
        out.truncate(count)
        return mmap.mmap(out.fileno(), count)


def _door(text: str) -> Door:
    host, _, port = text.rpartition(":")
    return host, int(port)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="benchmarks.publisher", description="Publish a file by MQTT, QoS 1."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--file", type=Path, required=True, help="a topic, a tab and a payload on each line")
    parser.add_argument("--window", type=int, default=WINDOW)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--lanes", type=int, default=1)
    parser.add_argument("--other", type=_door, action="append", default=[], metavar="HOST:PORT")
    parser.add_argument("--username")
    parser.add_argument("--password", default="")
    parser.add_argument("--flags", type=Path, help="shared memory with a byte an event, 1 once acknowledged")
    parser.add_argument("--gate", type=Path, help="shared memory: how many events may go so far, 8 bytes")
    parser.add_argument("--patience", type=float, default=60.0, metavar="SECONDS")
    args = parser.parse_args()
    topics, payloads = read_messages(args.file)
    gate = shared_bytes(args.gate, 8) if args.gate else None
    try:
        done = publish(
            args.host,
            args.port,
            topics,
            payloads,
            window=args.window,
            rate=args.rate,
            lanes=args.lanes,
            others=args.other,
            username=args.username,
            password=args.password,
            flags=shared_bytes(args.flags, len(payloads)) if args.flags else None,
            released=None if gate is None else lambda: int.from_bytes(gate[:8], "little"),
            patience_s=args.patience,
        )
    except GaveUp as error:
        print(error, file=sys.stderr)
        return 1
    words = ("sent", "acknowledged", "seconds", "cpu_s", "again", "connects")
    print(json.dumps({word: getattr(done, word) for word in words}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
