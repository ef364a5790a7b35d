"""The hub: one rendering for all viewers, the newest state for a slow one, nothing left behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from dashboard.live import Hub, Pace, Rendered, Topic
from dashboard.snapshot import Key
from kpis.errors import StoreUnavailable
from tests.dashboard.wires import Seat

WALL = Topic(Key("wall"), "id")
MAYOR = Topic(Key("mayor"), "id")
QUICK = Pace(least=0.02, most=60, retry=0.05, beat=60, look=0.02, stuck=1)


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


async def test_every_connection_begins_with_the_full_state(hub: Hub) -> None:
    for _ in range(2):
        name, data = await Seat(hub, WALL).hears()
        assert name == "state"
        assert data["panels"] == {"tile": "1", "still": "same"}
        assert (data["version"], data["at"], data["build"]) == (1, "2026-08-19T03:00:00Z", "b1")


async def test_a_state_tells_the_time_of_now_and_not_of_the_last_change(city: City) -> None:
    clock = iter(range(100))
    hub = Hub(city.render, lambda: {"now": next(clock)}, pace=QUICK)
    first = (await Seat(hub, WALL).hears())[1]["now"]
    await asyncio.sleep(1.1)
    assert (await Seat(hub, WALL).hears())[1]["now"] > first
    hub.close()


async def test_a_change_is_rendered_once_and_is_the_same_event_for_all(hub: Hub, city: City) -> None:
    seats = [Seat(hub, WALL, gzip=number % 2 == 0) for number in range(100)]
    for seat in seats:
        await seat.hears()
    before = city.renders
    city.change(2)
    hub.announce(2)
    for seat in seats:
        name, data = await seat.hears()
        assert (name, data["panels"]) == ("patch", {"tile": "2"})
    assert len({bytes(seat.wire.came) for seat in seats}) == 2, "one for all, packed and plain"
    assert city.renders == before + 1


async def test_topics_do_not_hear_of_each_other(hub: Hub, city: City) -> None:
    seats = [Seat(hub, WALL), Seat(hub, MAYOR), Seat(hub, Topic(Key("wall"), "en"))]
    assert len({id(seat.channel) for seat in seats}) == 3
    for seat in seats:
        await seat.hears()
    city.change(2)
    seats[0].channel.touch()
    await asyncio.sleep(0.1)
    assert [len(seat.wire.heard) for seat in seats] == [2, 1, 1]


async def test_a_slow_viewer_gets_the_newest_state_and_no_backlog(hub: Hub, city: City) -> None:
    slow, quick = Seat(hub, WALL), Seat(hub, WALL)
    await slow.hears()
    await quick.hears()
    slow.wire.stopped = True
    for version in range(2, 12):
        city.change(version)
        hub.announce(version)
        assert (await quick.hears())[1]["version"] == version
    slow.wire.goes_on()
    assert (await slow.hears())[1]["version"] == 2, "what was on its way when it stopped"
    name, data = await slow.hears()
    assert name == "state"
    assert data["panels"] == {"tile": "11", "still": "same"}
    with pytest.raises(TimeoutError):
        await slow.hears(0.1)
    assert slow.wire.most_waiting < 300, "one event, whatever it missed"


async def test_a_burst_of_changes_is_a_few_renders_and_ends_with_the_newest(hub: Hub, city: City) -> None:
    seat = Seat(hub, WALL)
    await seat.hears()
    before = city.renders
    for version in range(2, 102):
        city.change(version)
        hub.announce(version)
        await asyncio.sleep(0)
    seen = 0
    while seen != 101:
        seen = (await seat.hears())[1]["version"]
    assert city.renders - before <= 3


async def test_costly_topics_leave_room_for_the_others(city: City) -> None:
    """Ten topics of 20 ms each that change all the time take less than one core together."""
    one_core = asyncio.Lock()
    busy = 0.0

    async def render(topic: Topic) -> Rendered:
        nonlocal busy
        async with one_core:
            await asyncio.sleep(0.02)
            busy += 0.02
        return await city.render(topic)

    hub = Hub(render, dict, pace=Pace(least=0.001, most=60, beat=60), cpu=lambda: busy)
    for reject in range(10):
        Seat(hub, Topic(Key("sources", None, reject), "id"))
    began = asyncio.get_running_loop().time()
    for version in range(150):
        city.change(version)
        hub.announce(version)
        await asyncio.sleep(0.01)
    share = busy / (asyncio.get_running_loop().time() - began)
    assert 0.3 < share < 0.95
    hub.close()


async def test_waiting_for_the_store_is_no_reason_to_rest(city: City) -> None:
    """On a busy machine a turn takes long and costs little."""

    async def render(topic: Topic) -> Rendered:
        await asyncio.sleep(0.1)
        return await city.render(topic)

    hub = Hub(render, dict, pace=Pace(least=0.001, most=60, beat=60), cpu=lambda: 0.0)
    seat = Seat(hub, WALL)
    await seat.hears()
    began = asyncio.get_running_loop().time()
    for version in range(2, 8):
        city.change(version)
        hub.announce(version)
        await seat.hears()
    assert asyncio.get_running_loop().time() - began < 6 * 0.15
    hub.close()


async def test_a_viewer_that_joins_during_a_change_does_not_begin_with_the_old_state(
    hub: Hub, city: City
) -> None:
    await Seat(hub, WALL).hears()
    city.change(2)
    hub.announce(2)
    assert (await Seat(hub, WALL).hears())[1]["panels"]["tile"] == "2"


async def test_a_change_while_the_first_render_runs_is_not_missed(hub: Hub, city: City) -> None:
    city.gate.clear()
    seat = Seat(hub, WALL)
    await asyncio.sleep(0.01)
    city.change(2)
    hub.announce(2)
    city.gate.set()
    seen = [(await seat.hears())[1]["panels"]["tile"] for _ in range(2)]
    assert seen == ["1", "2"]


async def test_what_did_not_change_sends_nothing(hub: Hub) -> None:
    seat = Seat(hub, WALL)
    await seat.hears()
    hub.touch()
    with pytest.raises(TimeoutError):
        await seat.hears(0.15)


async def test_a_page_is_rendered_again_by_the_clock_alone(city: City) -> None:
    hub = Hub(city.render, dict, pace=Pace(least=0.01, most=0.05, beat=60))
    seat = Seat(hub, WALL)
    await seat.hears()
    city.panels = {**city.panels, "tile": b'"stale"'}
    assert (await seat.hears())[1]["panels"] == {"tile": "stale"}
    hub.close()


async def test_heartbeats_go_to_quiet_viewers_and_never_hide_a_state(city: City) -> None:
    pace = Pace(least=0.01, most=60, beat=0.05, look=0.01, comeback=0.002)
    hub = Hub(city.render, lambda: {"now": 5}, pace=pace)
    city.gate.clear()
    seat = Seat(hub, WALL)
    await asyncio.sleep(0.2)
    city.gate.set()
    assert (await seat.hears())[0] == "state", "nothing comes before it"
    assert await seat.hears() == ("beat", {"version": 0, "now": 5, "spread": 2})
    seat.wire.stopped = True
    await asyncio.sleep(0.3)
    seat.wire.goes_on()
    assert [name for name, _ in seat.wire.heard[2:]].count("beat") <= 2, "beats do not pile up"
    hub.close()


async def test_a_topic_that_cannot_be_rendered_has_no_heartbeat(city: City) -> None:
    """Its page would go on saying that it is connected while nothing on it is kept current."""
    city.error = ValueError("a panel with a fault")
    hub = Hub(city.render, dict, pace=Pace(least=0.01, most=0.05, retry=0.01, beat=0.02))
    seat = Seat(hub, WALL)
    with pytest.raises(TimeoutError):
        await seat.hears(0.3)
    city.error = None
    assert (await seat.hears())[0] == "state"
    city.error = ValueError("again")
    await asyncio.sleep(0.3)
    seat.wire.forget()  # beats from before the fault
    with pytest.raises(TimeoutError):
        await seat.hears(0.3)
    hub.close()


async def test_the_last_viewer_to_leave_takes_the_topic_with_it(hub: Hub, city: City) -> None:
    seats = [Seat(hub, WALL), Seat(hub, WALL), Seat(hub, MAYOR)]
    for seat in seats:
        await seat.hears()
    for seat in seats:
        seat.leaves()
        seat.leaves()  # leaving twice is leaving once
    await asyncio.sleep(0.05)
    assert hub.viewers == 0
    assert hub.topics == ()
    assert all(seat.channel.task.done() and not seat.channel.viewers for seat in seats)
    before = city.renders
    hub.announce(9)
    await asyncio.sleep(0.05)
    assert city.renders == before


async def test_a_topic_that_cannot_be_rendered_comes_back(hub: Hub, city: City) -> None:
    city.error = StoreUnavailable("away")
    seat = Seat(hub, WALL)
    await asyncio.sleep(0.05)
    city.error = None
    assert (await seat.hears())[0] == "state"


async def test_a_full_hub_turns_viewers_away(city: City) -> None:
    hub = Hub(city.render, dict, limit=1, pace=QUICK)
    seat = Seat(hub, WALL)
    assert hub.full
    seat.leaves()
    assert not hub.full
    hub.close()
    assert hub.full


async def test_closing_ends_every_viewer(hub: Hub, city: City) -> None:
    seat = Seat(hub, WALL)
    await seat.hears()
    stuck = Seat(hub, WALL)
    await stuck.hears()
    stuck.wire.stopped = True
    for version in (2, 3):
        city.change(version)
        hub.announce(version)
        await asyncio.sleep(0.1)
    hub.close()
    assert bytes(seat.wire.came).endswith(b"0\r\n\r\n"), "in order"
    assert seat.wire.ended
    assert not seat.wire.aborted
    assert stuck.wire.aborted, "there is no order to be had"


async def test_one_that_takes_nothing_is_let_go_and_one_that_is_slow_is_not(city: City) -> None:
    pace = Pace(least=0.01, most=60, beat=60, look=0.01, stuck=0.3)
    hub = Hub(city.render, dict, pace=pace)
    seats = [Seat(hub, WALL), Seat(hub, WALL)]
    for seat in seats:
        await seat.hears()
        seat.wire.stopped = True
    for version in range(2, 12):
        city.change(version)
        hub.announce(version)
        await asyncio.sleep(0.05)
        seats[1].wire.goes_on()
        seats[1].wire.stopped = True
    assert [seat.wire.aborted for seat in seats] == [True, False]
    hub.close()


async def test_a_costly_first_rendering_does_not_hold_up_the_first_change(city: City) -> None:
    """The first reads words and dates that nobody has read before; the change after it is not to pay."""
    used = iter((0.0, 2.0, 2.0, 2.0, 2.0))
    hub = Hub(city.render, dict, pace=Pace(least=0.01, most=60, beat=60), cpu=lambda: next(used, 2.0))
    seat = Seat(hub, WALL)
    await seat.hears()
    city.change(2)
    hub.announce(2)
    await seat.hears(0.3)
    hub.close()


async def test_no_turn_of_the_loop_is_as_long_as_all_viewers_take(hub: Hub, city: City) -> None:
    seats = [Seat(hub, WALL) for _ in range(1000)]
    await seats[-1].hears()
    turns: list[int] = []
    city.change(2)
    hub.announce(2)
    while len(turns) < 2 or turns[-1] < 1000:
        await asyncio.sleep(0)
        turns.append(sum(len(seat.wire.heard) > 1 for seat in seats))
    assert max(after - before for before, after in pairwise(turns)) <= 200
