"""The hub: one rendering for all viewers, the newest state for a slow one, nothing left behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from dashboard.events import Event
from dashboard.live import Channel, Hub, Pace, Rendered, Topic, Viewer
from dashboard.snapshot import Key
from kpis.errors import StoreUnavailable

WALL = Topic(Key("wall"), "id")
MAYOR = Topic(Key("mayor"), "id")
QUICK = Pace(least=0.02, most=60, retry=0.05, beat=60, stuck=1)


class City:
    """A renderer a test can change; counts how often it was asked."""

    def __init__(self) -> None:
        self.version = 1
        self.panels = {"tile": b'"1"', "still": b'"same"'}
        self.renders = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None

    def change(self, version: int) -> None:
        self.version = version
        self.panels = {**self.panels, "tile": json.dumps(str(version)).encode()}

    async def render(self, topic: Topic) -> Rendered:
        self.renders += 1
        seen = Rendered(
            version=self.version, at="2026-08-19T03:00:00Z", store_ok=True, panels=dict(self.panels)
        )
        await self.gate.wait()
        if self.error:
            raise self.error
        return seen


@pytest.fixture
async def city() -> City:
    return City()


@pytest.fixture
async def hub(city: City) -> AsyncIterator[Hub]:
    made = Hub(city.render, lambda: {"build": "b1", "now": 0}, pace=QUICK)
    yield made
    made.close()


def said(item: Event | None) -> tuple[str, dict[str, Any]]:
    """An event's name and data."""
    assert item is not None
    fields = dict(line.split(b": ", 1) for line in item.plain.strip().split(b"\n"))
    return fields[b"event"].decode(), json.loads(fields[b"data"])


async def heard(channel: Channel, viewer: Viewer) -> tuple[str, dict[str, Any]]:
    return said(await asyncio.wait_for(viewer.take(channel), 2))


async def test_every_connection_begins_with_the_full_state(hub: Hub) -> None:
    for _ in range(2):
        name, data = await heard(*hub.join(WALL))
        assert name == "state"
        assert data["panels"] == {"tile": "1", "still": "same"}
        assert (data["version"], data["at"], data["build"]) == (1, "2026-08-19T03:00:00Z", "b1")


async def test_a_state_tells_the_time_of_now_and_not_of_the_last_change(city: City) -> None:
    clock = iter(range(100))
    hub = Hub(city.render, lambda: {"now": next(clock)}, pace=QUICK)
    first = (await heard(*hub.join(WALL)))[1]["now"]
    await asyncio.sleep(1.1)
    assert (await heard(*hub.join(WALL)))[1]["now"] > first
    hub.close()


async def test_a_change_is_rendered_once_and_is_the_same_event_for_all(hub: Hub, city: City) -> None:
    seats = [hub.join(WALL) for _ in range(100)]
    for seat in seats:
        await heard(*seat)
    before = city.renders
    city.change(2)
    hub.announce(2)
    items = [await asyncio.wait_for(viewer.take(channel), 2) for channel, viewer in seats]
    assert len({id(item) for item in items}) == 1
    name, data = said(items[0])
    assert name == "patch"
    assert data["panels"] == {"tile": "2"}
    assert city.renders == before + 1


async def test_topics_do_not_hear_of_each_other(hub: Hub, city: City) -> None:
    seats = [hub.join(WALL), hub.join(MAYOR), hub.join(Topic(Key("wall"), "en"))]
    assert len({id(channel) for channel, _ in seats}) == 3
    for seat in seats:
        await heard(*seat)
    channel, wall = seats[0]
    channel.touch()
    city_wide = [asyncio.create_task(viewer.take(channel)) for channel, viewer in seats]
    city.change(2)
    await asyncio.sleep(0.1)
    assert [task.done() for task in city_wide] == [True, False, False]
    assert wall in channel.viewers
    for task in city_wide:
        task.cancel()


async def test_a_slow_viewer_gets_the_newest_state_and_no_backlog(hub: Hub, city: City) -> None:
    channel, slow = hub.join(WALL)
    other, quick = hub.join(WALL)
    await heard(channel, slow)
    await heard(other, quick)
    for version in range(2, 12):
        city.change(version)
        hub.announce(version)
        assert (await heard(other, quick))[1]["version"] == version
    name, data = await heard(channel, slow)
    assert name == "state"
    assert data["panels"] == {"tile": "11", "still": "same"}
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(slow.take(channel), 0.1)


async def test_a_burst_of_changes_is_a_few_renders_and_ends_with_the_newest(hub: Hub, city: City) -> None:
    channel, viewer = hub.join(WALL)
    await heard(channel, viewer)
    before = city.renders
    for version in range(2, 102):
        city.change(version)
        hub.announce(version)
        await asyncio.sleep(0)
    seen = 0
    while seen != 101:
        seen = (await heard(channel, viewer))[1]["version"]
    assert city.renders - before <= 3


async def test_costly_topics_leave_room_for_the_others(city: City) -> None:
    """Ten topics of 20 ms each that change all the time take less than one core together."""
    busy = 0.0

    async def render(topic: Topic) -> Rendered:
        nonlocal busy
        await asyncio.sleep(0.02)
        busy += 0.02
        return await city.render(topic)

    hub = Hub(render, dict, pace=Pace(least=0.001, most=60, beat=60))
    for reject in range(10):
        hub.join(Topic(Key("sources", None, reject), "id"))
    for version in range(100):
        city.change(version)
        hub.announce(version)
        await asyncio.sleep(0.01)
    assert busy < 1.1
    assert hub.rest(0.03) < 1.0, "the wall beside ten other pages is at most this late"
    hub.close()


async def test_a_viewer_that_joins_during_a_change_does_not_begin_with_the_old_state(
    hub: Hub, city: City
) -> None:
    await heard(*hub.join(WALL))
    city.change(2)
    hub.announce(2)
    assert (await heard(*hub.join(WALL)))[1]["panels"]["tile"] == "2"


async def test_a_change_while_the_first_render_runs_is_not_missed(hub: Hub, city: City) -> None:
    city.gate.clear()
    channel, viewer = hub.join(WALL)
    await asyncio.sleep(0.01)
    city.change(2)
    hub.announce(2)
    city.gate.set()
    seen = [(await heard(channel, viewer))[1]["panels"]["tile"] for _ in range(2)]
    assert seen == ["1", "2"]


async def test_what_did_not_change_sends_nothing(hub: Hub) -> None:
    channel, viewer = hub.join(WALL)
    await heard(channel, viewer)
    hub.touch()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(viewer.take(channel), 0.15)


async def test_a_page_is_rendered_again_by_the_clock_alone(city: City) -> None:
    hub = Hub(city.render, dict, pace=Pace(least=0.01, most=0.05, beat=60))
    channel, viewer = hub.join(WALL)
    await heard(channel, viewer)
    city.panels = {**city.panels, "tile": b'"stale"'}
    assert (await heard(channel, viewer))[1]["panels"] == {"tile": "stale"}
    hub.close()


async def test_heartbeats_go_to_quiet_viewers_and_never_hide_a_state(city: City) -> None:
    hub = Hub(city.render, lambda: {"now": 5}, pace=Pace(least=0.01, most=60, beat=0.05))
    channel, viewer = hub.join(WALL)
    await asyncio.sleep(0.2)  # the viewer took nothing meanwhile: the state is still due
    assert (await heard(channel, viewer))[0] == "state"
    name, data = await heard(channel, viewer)
    assert (name, data) == ("beat", {"version": 0, "now": 5})
    hub.close()


async def test_a_topic_that_cannot_be_rendered_has_no_heartbeat(city: City) -> None:
    """Its page would go on saying that it is connected while nothing on it is kept current."""
    city.error = ValueError("a panel with a fault")
    hub = Hub(city.render, dict, pace=Pace(least=0.01, most=0.05, retry=0.01, beat=0.02))
    channel, viewer = hub.join(WALL)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(viewer.take(channel), 0.3)
    city.error = None
    assert (await heard(channel, viewer))[0] == "state"
    city.error = ValueError("again")
    await asyncio.sleep(0.3)
    await heard(channel, viewer)  # a beat from before the fault
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(viewer.take(channel), 0.3)
    hub.close()


async def test_the_last_viewer_to_leave_takes_the_topic_with_it(hub: Hub, city: City) -> None:
    seats = [hub.join(WALL), hub.join(WALL), hub.join(MAYOR)]
    for seat in seats:
        await heard(*seat)
    for channel, viewer in seats:
        hub.leave(channel, viewer)
        hub.leave(channel, viewer)  # leaving twice is leaving once
    await asyncio.sleep(0.05)
    assert hub.viewers == 0
    assert hub.topics == ()
    assert all(channel.task.done() and not channel.viewers for channel, _ in seats)
    before = city.renders
    hub.announce(9)
    await asyncio.sleep(0.05)
    assert city.renders == before


async def test_a_topic_that_cannot_be_rendered_comes_back(hub: Hub, city: City) -> None:
    city.error = StoreUnavailable("away")
    channel, viewer = hub.join(WALL)
    await asyncio.sleep(0.05)
    city.error = None
    assert (await heard(channel, viewer))[0] == "state"


async def test_a_full_hub_turns_viewers_away(city: City) -> None:
    hub = Hub(city.render, dict, limit=1, pace=QUICK)
    channel, viewer = hub.join(WALL)
    assert hub.full
    hub.leave(channel, viewer)
    assert not hub.full
    hub.close()
    assert hub.full


async def test_closing_ends_every_viewer(hub: Hub) -> None:
    channel, viewer = hub.join(WALL)
    await heard(channel, viewer)
    hub.close()
    assert await asyncio.wait_for(viewer.take(channel), 1) is None
