"""`/live` as an ASGI application: what a client receives, and what is left when it goes."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import MutableMapping
from typing import Any

import pytest

from dashboard.live import Hub, Pace, Rendered, Topic
from dashboard.snapshot import Key
from dashboard.stream import stream

TOPIC = Topic(Key("wall"), "id")
Message = MutableMapping[str, Any]


class Client:
    """One end of a connection: collects what is sent, and can hold it up or go away."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.gone = asyncio.Event()
        self.takes = asyncio.Event()
        self.takes.set()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        await self.takes.wait()
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


def hub(**pace: float) -> Hub:
    async def render(topic: Topic) -> Rendered:
        return Rendered(version=made.version, at="", store_ok=True, panels={"tile": b'"1"'})

    made = Hub(render, dict, limit=2, pace=Pace(**{"least": 0.01, "most": 60, "beat": 60, **pace}))
    return made


@pytest.mark.parametrize("gzip", [True, False])
async def test_a_client_reads_the_state_as_it_comes(gzip: bool) -> None:
    made, client = hub(), Client()
    task = asyncio.create_task(stream(made, TOPIC, gzip, client.receive, client.send))
    await asyncio.sleep(0.1)
    text = zlib.decompressobj(31).decompress(client.body) if gzip else client.body
    assert text.startswith(b"retry: 2000\n\nevent: state\n")
    headers = dict(client.sent[0]["headers"])
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert (b"content-encoding" in headers) is gzip
    client.gone.set()
    await asyncio.wait_for(task, 1)
    assert (made.viewers, made.topics) == (0, ())


async def test_a_client_that_takes_nothing_is_let_go() -> None:
    made, client = hub(stuck=0.1), Client()
    task = asyncio.create_task(stream(made, TOPIC, False, client.receive, client.send))
    await asyncio.sleep(0.05)
    client.takes.clear()
    made.announce(2)
    await asyncio.sleep(0.5)
    assert task.done()
    assert made.viewers == 0
    made.close()


async def test_closing_the_hub_ends_the_reply_in_order() -> None:
    made, client = hub(), Client()
    task = asyncio.create_task(stream(made, TOPIC, False, client.receive, client.send))
    await asyncio.sleep(0.05)
    made.close()
    await asyncio.wait_for(task, 1)
    assert client.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_one_viewer_too_many_is_told_to_come_back() -> None:
    made = hub()
    seats = [made.join(TOPIC) for _ in range(2)]
    client = Client()
    await stream(made, TOPIC, False, client.receive, client.send)
    assert client.sent[0]["status"] == 503
    assert (b"retry-after", b"10") in client.sent[0]["headers"]
    for seat in seats:
        made.leave(*seat)
    made.close()
