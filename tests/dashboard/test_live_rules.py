"""Whatever viewers, changes and readers do, in any order: the rules of the hub hold."""

from __future__ import annotations

import asyncio
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.live import Hub, Pace, Rendered, Topic
from dashboard.snapshot import Key
from tests.dashboard.wires import Seat

TOPICS = tuple(Topic(Key(page), "id") for page in ("wall", "mayor"))
# Beats and looks as close together as the loop turns, so that they meet everything else.
PACE = Pace(least=0.0, most=60, retry=0.0, beat=0.001, look=0.001, stuck=60)
MANY = settings(max_examples=60)

step = st.one_of(
    st.tuples(st.just("join"), st.integers(0, 1), st.booleans()),
    st.tuples(st.sampled_from(["leave", "stop", "go on"]), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("change"), st.integers(1, 3), st.booleans()),
    st.tuples(st.just("fail"), st.integers(0, 0), st.booleans()),
    st.tuples(st.just("wait"), st.integers(0, 3), st.booleans()),
)


class World:
    """A hub whose pages show one number each, and whoever watches them."""

    def __init__(self) -> None:
        self.version = 1
        self.fails = False
        self.hub = Hub(self._render, dict, pace=PACE)
        self.seats: list[Seat] = []
        # Who left, with how much each had heard by then.
        self.gone: list[tuple[Seat, int]] = []

    async def _render(self, topic: Topic) -> Rendered:
        version = self.version
        await asyncio.sleep(0)
        if self.fails:
            self.fails = False
            raise ValueError("a panel with a fault")
        panels = {"tile": json.dumps(version).encode(), "even": json.dumps(version // 2).encode()}
        return Rendered(version=version, at="", store_ok=True, panels=panels)

    async def do(self, what: str, number: int, choice: bool) -> None:
        if what == "join":
            self.seats.append(Seat(self.hub, TOPICS[number], gzip=choice))
        elif what == "change":
            self.version += number
            self.hub.announce(self.version)
        elif what == "fail":
            self.fails = True
        elif what == "wait":
            await asyncio.sleep(number / 1000)
        elif self.seats:
            self._on(self.seats[number % len(self.seats)], what)
        if choice:
            await asyncio.sleep(0)

    def _on(self, seat: Seat, what: str) -> None:
        if what == "leave":
            seat.leaves()
            self.seats.remove(seat)
            seat.wire.goes_on()
            self.gone.append((seat, len(seat.wire.heard)))
        elif what == "stop":
            seat.wire.stopped = True
        else:
            seat.wire.goes_on()

    async def ends(self) -> None:
        """Everybody reads again, and a last change comes to all who stayed."""
        for seat in self.seats:
            seat.wire.goes_on()
        self.version += 1
        self.hub.announce(self.version)
        async with asyncio.timeout(5):
            while not all(shown(seat).get("tile") == self.version for seat in self.seats):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.004)  # the hub looks after its viewers a few times more


def shown(seat: Seat) -> dict[str, int]:
    """What a page shows that applied everything it heard."""
    panels: dict[str, int] = {}
    for name, data in seat.wire.heard:
        panels = data["panels"] if name == "state" else panels | data.get("panels", {})
    return panels


def check(seat: Seat) -> None:
    names = [name for name, _ in seat.wire.heard]
    assert names[:1] in ([], ["state"]), "a state comes first"
    versions = [data["version"] for name, data in seat.wire.heard if name != "beat"]
    assert versions == sorted(versions), "versions never go back"
    assert seat.wire.most_waiting < 400, "one event at most waits for a slow reader"


@MANY
@given(steps=st.lists(step, max_size=40))
def test_every_viewer_ends_with_the_newest_state_and_nobody_is_left_behind(
    steps: list[tuple[str, int, bool]],
) -> None:
    async def run() -> None:
        world = World()
        for one in steps:
            await world.do(*one)
        await world.ends()
        for seat in [*world.seats, *(seat for seat, _ in world.gone)]:
            check(seat)
        for seat, heard in world.gone:
            assert len(seat.wire.heard) == heard, "who left is told nothing more"
        for seat in world.seats:
            assert shown(seat) == {"tile": world.version, "even": world.version // 2}
        for seat in world.seats:
            seat.leaves()
        assert (world.hub.viewers, world.hub.topics) == (0, ())
        world.hub.close()
        await asyncio.sleep(0.002)
        assert asyncio.all_tasks() == {asyncio.current_task()}, "no task is left"

    asyncio.run(run())
