"""The stream hub: one rendered change per page, scope and language, fanned out to every viewer.

It knows nothing of Dash: it is given a function that renders a channel's panels to JSON. A change is
rendered, packed and framed once, and the same bytes are written to every connection, some hundred at
a time. Every connection begins with a full state; one whose last event has not left this process yet
gets nothing more until it has, and then the newest state, so what is kept for it never grows. A
channel nobody watches is dropped.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dashboard.events import Event, changed, event
from dashboard.snapshot import Key
from dashboard.viewer import Viewer
from kpis.errors import StoreError

log = logging.getLogger(__name__)

# So many writes take a few milliseconds; then the loop turns to who else waits.
_SLICE = 200


@dataclass(frozen=True, slots=True)
class Topic:
    """What a viewer watches: one page's snapshot in one language."""

    key: Key
    language: str

    @property
    def rare(self) -> bool:
        return self.key.rare


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A topic's panels as JSON by id, with the version and the as-of time (RFC 3339) they show."""

    version: int
    at: str
    store_ok: bool
    panels: Mapping[str, bytes]

    @property
    def headline(self) -> tuple[int, bool]:
        return self.version, self.store_ok


Render = Callable[[Topic], Awaitable[Rendered]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds: the least between two renders of a topic, the most between two (so that ageing
    shows without a change), until one that failed is tried again, between heartbeats, between two
    looks at viewers that are behind, until one that takes nothing is let go, and, for each open page,
    how long all of them take to come back after the server was away."""

    least: float = 0.1
    most: float = 10.0
    retry: float = 1.0
    beat: float = 10.0
    look: float = 0.25
    stuck: float = 60.0
    comeback: float = 0.001


class Channel:
    """One watched topic: its last panels, its viewers, and the task that renders it."""

    def __init__(self, hub: Hub, topic: Topic) -> None:
        self._hub = hub
        self.topic = topic
        self.viewers: set[Viewer] = set()
        # Who gets the full state next, and since when: those that came, and those that are behind.
        self._due: dict[Viewer, float] = {}
        self._last: Rendered | None = None
        self._state: Event | None = None
        self._state_at = -math.inf
        self._count = 0
        self._cost = 0.0
        self._failing = False
        self._rendered_at = -math.inf
        self._dirty = asyncio.Event()
        self._dirty.set()
        self.task = asyncio.create_task(self._run())

    def touch(self) -> None:
        self._dirty.set()

    @property
    def alive(self) -> bool:
        """Whether what it shows is kept current; else its viewers must not be told that all is well."""
        return time.monotonic() - self._rendered_at < 3 * self._hub.pace.most

    @property
    def current(self) -> bool:
        """Whether its state is at least as new as the newest announced change."""
        return self._last is not None and self.alive and self._last.version >= self._hub.version

    def join(self, viewer: Viewer) -> None:
        """The viewer's first event is a full state: at once, or what is rendered next."""
        self.viewers.add(viewer)
        if self.current:
            viewer.write(self.state())
        else:
            self._due[viewer] = time.monotonic()
            self.touch()

    def leave(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)
        self._due.pop(viewer, None)

    def close(self) -> None:
        """Ends every connection in order, and at once where there is no order to be had."""
        self.task.cancel()
        for viewer in tuple(self.viewers):
            if viewer in self._due and viewer.behind:
                viewer.abort()
            else:
                viewer.close()

    def state(self) -> Event:
        """The full state, shared by all who ask within a second: it also tells them the time."""
        if self._state is None or time.monotonic() - self._state_at > 1.0:
            self._state = self._event("state", self._last.panels if self._last else {})
            self._state_at = time.monotonic()
        return self._state

    def look(self) -> None:
        """Who was behind and has caught up gets the newest state; who stays behind is let go."""
        now = time.monotonic()
        for viewer, since in list(self._due.items()):
            if not viewer.behind:
                self._due[viewer] = now
                if self.current:
                    self._welcome(viewer)
            elif now - since > self._hub.pace.stuck:
                viewer.abort()
                self._hub.leave(self, viewer)

    async def beat(self, item: Event) -> None:
        """A heartbeat for all to whom nothing else is due."""
        await self._each(self.viewers, lambda viewer: self._give(viewer, item))

    def _event(self, name: str, panels: Mapping[str, bytes]) -> Event:
        last = self._last
        fields = {
            "version": last.version if last else 0,
            "at": last.at if last else None,
            "store_ok": last.store_ok if last else False,
            **self._hub.told(),
        }
        return event(name, fields, panels, f"{fields['version']}.{self._count}")

    async def _run(self) -> None:
        pace = self._hub.pace
        while True:
            with suppress(TimeoutError):
                # Not wait_for: in Python 3.11 it can swallow a cancellation, and the channel would live on.
                async with asyncio.timeout(pace.most):
                    await self._dirty.wait()
            self._dirty.clear()
            began = self._hub.cpu()
            try:
                rendered = await self._hub.render(self.topic)
                self._failing = False
            except Exception as error:
                self._failed(error)
                await asyncio.sleep(pace.retry)
            else:
                await self._apply(rendered)
            await asyncio.sleep(self._rest(self._hub.cpu() - began))

    def _rest(self, cost: float) -> float:
        """One costly turn, such as the first, is an accident: the next change is not to wait for it."""
        usual, self._cost = min(cost, self._cost), cost
        return self._hub.rest(usual)

    def _failed(self, error: Exception) -> None:
        """Tries again, and hears of it once. Its viewers hear nothing meanwhile, so their pages come to
        say that there is no connection: what they show is no longer kept current."""
        if not self._failing and not isinstance(error, StoreError):
            log.error("cannot render %s", self.topic, exc_info=error)
        self._failing = True
        self.touch()

    async def _apply(self, rendered: Rendered) -> None:
        before, self._last, self._state = self._last, rendered, None
        self._rendered_at = time.monotonic()
        patch = changed(before.panels, rendered.panels) if before else dict(rendered.panels)
        if before is not None and not patch and before.headline == rendered.headline:
            await self._each(self._due, self._welcome)
            return
        self._count += 1
        item = self._event("patch", patch)
        await self._each(self.viewers, lambda viewer: self._tell(viewer, item))

    async def _each(self, viewers: Iterable[Viewer], do: Callable[[Viewer], None]) -> None:
        """In slices, so that no turn of the loop is long; who leaves meanwhile is left out."""
        for number, viewer in enumerate(tuple(viewers), 1):
            if viewer in self.viewers:
                do(viewer)
            if number % _SLICE == 0:
                await asyncio.sleep(0)

    def _tell(self, viewer: Viewer, patch: Event) -> None:
        if viewer in self._due:
            self._welcome(viewer)
        else:
            self._give(viewer, patch)

    def _welcome(self, viewer: Viewer) -> None:
        """The newest state, as soon as there is room for it."""
        if not viewer.behind:
            self._due.pop(viewer, None)
            viewer.write(self.state())

    def _give(self, viewer: Viewer, item: Event) -> None:
        """The next event; one that is behind gets the state instead, later."""
        if viewer in self._due:
            return
        if viewer.behind:
            self._due[viewer] = time.monotonic()
        else:
            viewer.write(item)


class Hub:
    """All channels of this process. Every method runs on the event loop's thread."""

    def __init__(
        self,
        render: Render,
        fields: Callable[[], Mapping[str, Any]],
        *,
        limit: int = 12_000,
        pace: Pace | None = None,
        cpu: Callable[[], float] = time.process_time,
    ) -> None:
        self.render = render
        self.cpu = cpu
        self.fields = fields
        self.limit = limit
        self.pace = pace or Pace()
        self.version = 0
        self._channels: dict[Topic, Channel] = {}
        self._viewers = 0
        self._open = True
        self._tending: asyncio.Task[None] | None = None

    @property
    def viewers(self) -> int:
        return self._viewers

    @property
    def topics(self) -> tuple[Topic, ...]:
        return tuple(self._channels)

    @property
    def full(self) -> bool:
        """Whether one more viewer is to be turned away."""
        return not self._open or self._viewers >= self.limit

    def announce(self, version: int) -> None:
        """The readings have a new version: every watched topic is rendered again."""
        self.version = version
        self.touch()

    def rest(self, cost: float) -> float:
        """How long a topic waits after a turn in which this process used `cost` seconds of processor. All
        topics together stay below one core, however many are watched; after a quiet time no change waits."""
        return min(self.pace.most, max(self.pace.least, cost * (1 + len(self._channels))))

    def touch(self) -> None:
        for channel in self._channels.values():
            channel.touch()

    def told(self) -> Mapping[str, Any]:
        """What every event says besides: in how many ms all open pages may come back, and `fields`."""
        return {"spread": int(self._viewers * self.pace.comeback * 1000), **self.fields()}

    def join(self, topic: Topic, viewer: Viewer) -> Channel:
        """The viewer's channel; it is to `leave` when its connection has ended."""
        channel = self._channels.get(topic)
        if channel is None:
            channel = self._channels[topic] = Channel(self, topic)
        if self._tending is None:
            self._tending = asyncio.create_task(self._tend())
        self._viewers += 1
        channel.join(viewer)
        return channel

    def leave(self, channel: Channel, viewer: Viewer) -> None:
        if viewer not in channel.viewers:
            return
        channel.leave(viewer)
        self._viewers -= 1
        if not channel.viewers and self._channels.get(channel.topic) is channel:
            del self._channels[channel.topic]
            channel.task.cancel()

    def close(self) -> None:
        """Ends every connection; the browsers come back by themselves."""
        self._open = False
        if self._tending is not None:
            self._tending.cancel()
        for channel in list(self._channels.values()):
            channel.close()

    async def _tend(self) -> None:
        beat_at = time.monotonic() + self.pace.beat
        while True:
            await asyncio.sleep(min(self.pace.look, self.pace.beat))
            for channel in tuple(self._channels.values()):
                channel.look()
            if time.monotonic() >= beat_at:
                beat_at = time.monotonic() + self.pace.beat
                item = event("beat", {"version": self.version, **self.told()})
                for channel in tuple(self._channels.values()):
                    if channel.alive:
                        await channel.beat(item)
