"""`/live` as an ASGI application: what a client receives, and what is left when it goes."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from dashboard.live import Hub, Pace, Rendered, Topic
from dashboard.snapshot import Key
from dashboard.stream import WIRE, stream
from tests.dashboard.wires import Seat, Wire

TOPIC = Topic(Key("wall"), "id")
Message = MutableMapping[str, Any]


class Client:
    """One end of a connection: collects what is sent, and can go away, as it does when the other end goes."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.wire = Wire()
        self.gone = asyncio.Event()

    async def ask(self, hub: Hub, *, gzip: bool) -> None:
        await stream(hub, TOPIC, gzip, {"extensions": {WIRE: self.wire}}, self.receive, self.send)

    async def receive(self) -> Message:
        ends = [asyncio.ensure_future(self.gone.wait()), asyncio.ensure_future(self.wire.until_ended(60))]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)


def hub(**pace: float) -> Hub:
    async def render(topic: Topic) -> Rendered:
        return Rendered(version=made.version, at="", store_ok=True, panels={"tile": b'"%d"' % made.version})

    made = Hub(
        render, dict, limit=2, pace=Pace(**{"least": 0.01, "most": 60, "beat": 60, "look": 0.01, **pace})
    )
    return made


@pytest.mark.parametrize("gzip", [True, False])
async def test_a_client_reads_the_state_as_it_comes(gzip: bool) -> None:
    made, client = hub(), Client()
    task = asyncio.create_task(client.ask(made, gzip=gzip))
    name, data = await client.wire.next()
    assert (name, data["panels"]) == ("state", {"tile": "0"})
    assert (b"retry: 2000" in client.wire.came) is not gzip
    headers = dict(client.sent[0]["headers"])
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert (b"content-encoding" in headers) is gzip
    client.gone.set()
    await asyncio.wait_for(task, 1)
    assert (made.viewers, made.topics) == (0, ())


async def test_a_client_that_takes_nothing_is_let_go() -> None:
    made, client = hub(stuck=0.1), Client()
    task = asyncio.create_task(client.ask(made, gzip=False))
    await client.wire.next()
    client.wire.stopped = True
    made.announce(2)
    await asyncio.sleep(0.05)
    made.announce(3)
    await asyncio.wait_for(task, 1)
    assert client.wire.aborted
    assert made.viewers == 0
    made.close()


async def test_closing_the_hub_ends_the_reply_in_order() -> None:
    made, client = hub(), Client()
    task = asyncio.create_task(client.ask(made, gzip=False))
    await client.wire.next()
    made.close()
    await asyncio.wait_for(task, 1)
    assert client.wire.came.endswith(b"\r\n0\r\n\r\n")


async def test_one_viewer_too_many_is_told_to_come_back() -> None:
    made = hub()
    seats = [Seat(made, TOPIC) for _ in range(2)]
    client = Client()
    await client.ask(made, gzip=False)
    assert client.sent[0]["status"] == 503
    assert (b"retry-after", b"10") in client.sent[0]["headers"]
    for seat in seats:
        seat.leaves()
    made.close()
