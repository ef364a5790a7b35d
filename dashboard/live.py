"""The stream hub: one rendered change per page, scope and language, fanned out to every viewer.

It knows nothing of Dash: it is given a function that renders a channel's panels to JSON. Every
connection begins with a full state; a viewer that cannot keep up gets the newest state instead of
what it missed, so what is kept for it never grows. A channel nobody watches is dropped.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dashboard.events import Event, changed, event
from dashboard.snapshot import Key
from kpis.errors import StoreError

log = logging.getLogger(__name__)


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
    shows without a change), until one that failed is tried again, between heartbeats, and until a
    viewer that takes nothing is let go."""

    least: float = 0.2
    most: float = 10.0
    retry: float = 1.0
    beat: float = 10.0
    stuck: float = 60.0


class Viewer:
    """One open connection: room for one event, and a note when it missed one."""

    __slots__ = ("_next", "_state_due", "_wake", "closed", "waiting")

    def __init__(self) -> None:
        self._next: Event | None = None
        self._state_due = False
        self._wake = asyncio.Event()
        self.waiting = True
        self.closed = False

    def offer(self, item: Event) -> None:
        """The next event; when the last one was not taken yet, the full state replaces both."""
        if self._next is not None or self._state_due:
            self.offer_state()
        else:
            self._next = item
            self._wake.set()

    def offer_state(self) -> None:
        self._next, self._state_due, self.waiting = None, True, False
        self._wake.set()

    def offer_beat(self, item: Event) -> None:
        """A heartbeat, only when nothing else is on its way."""
        if self._next is None and not self._state_due:
            self._next = item
            self._wake.set()

    def close(self) -> None:
        self.closed = True
        self._wake.set()

    async def take(self, channel: Channel) -> Event | None:
        """The next event to send, or None when the connection is to end."""
        await self._wake.wait()
        self._wake.clear()
        if self.closed:
            return None
        item = channel.state() if self._state_due else self._next
        self._next, self._state_due = None, False
        return item


class Channel:
    """One watched topic: its last panels, its viewers, and the task that renders it."""

    def __init__(self, hub: Hub, topic: Topic) -> None:
        self._hub = hub
        self.topic = topic
        self.viewers: set[Viewer] = set()
        self._last: Rendered | None = None
        self._state: Event | None = None
        self._state_at = -math.inf
        self._count = 0
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

    def join(self, viewer: Viewer) -> None:
        """The viewer's first event is a full state, at least as new as the newest announced change."""
        self.viewers.add(viewer)
        if self._last is not None and self.alive and self._last.version >= self._hub.version:
            viewer.offer_state()
        else:
            self.touch()

    def state(self) -> Event:
        """The full state, shared by all who ask within a second: it also tells them the time."""
        if self._state is None or time.monotonic() - self._state_at > 1.0:
            self._state = self._event("state", self._last.panels if self._last else {})
            self._state_at = time.monotonic()
        return self._state

    def _event(self, name: str, panels: Mapping[str, bytes]) -> Event:
        last = self._last
        fields = {
            "version": last.version if last else 0,
            "at": last.at if last else None,
            "store_ok": last.store_ok if last else False,
            **self._hub.fields(),
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
            began = time.monotonic()
            try:
                self._apply(await self._hub.render(self.topic))
                self._failing = False
            except Exception as error:
                self._failed(error)
                await asyncio.sleep(pace.retry)
            await asyncio.sleep(self._hub.rest(time.monotonic() - began))

    def _failed(self, error: Exception) -> None:
        """Tries again, and hears of it once. Its viewers hear nothing meanwhile, so their pages come to
        say that there is no connection: what they show is no longer kept current."""
        if not self._failing and not isinstance(error, StoreError):
            log.error("cannot render %s", self.topic, exc_info=error)
        self._failing = True
        self.touch()

    def _apply(self, rendered: Rendered) -> None:
        before, self._last, self._state = self._last, rendered, None
        self._rendered_at = time.monotonic()
        patch = changed(before.panels, rendered.panels) if before else dict(rendered.panels)
        item = None
        if before is None or patch or before.headline != rendered.headline:
            self._count += 1
            item = self._event("patch", patch)
        for viewer in self.viewers:
            if viewer.waiting:
                viewer.offer_state()
            elif item is not None:
                viewer.offer(item)


class Hub:
    """All channels of this process. Every method runs on the event loop's thread."""

    def __init__(
        self,
        render: Render,
        fields: Callable[[], Mapping[str, Any]],
        *,
        limit: int = 5000,
        pace: Pace | None = None,
    ) -> None:
        self.render = render
        self.fields = fields
        self.limit = limit
        self.pace = pace or Pace()
        self.version = 0
        self._channels: dict[Topic, Channel] = {}
        self._viewers = 0
        self._open = True
        self._beats: asyncio.Task[None] | None = None

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
        """How long a topic whose rendering took `cost` seconds waits before the next one. All topics
        together stay below one core however many are watched; a change after a quiet time never waits."""
        return min(self.pace.most, max(self.pace.least, cost * (1 + len(self._channels))))

    def touch(self) -> None:
        for channel in self._channels.values():
            channel.touch()

    def join(self, topic: Topic) -> tuple[Channel, Viewer]:
        channel = self._channels.get(topic)
        if channel is None:
            channel = self._channels[topic] = Channel(self, topic)
        if self._beats is None:
            self._beats = asyncio.create_task(self._beat())
        viewer = Viewer()
        self._viewers += 1
        channel.join(viewer)
        return channel, viewer

    def leave(self, channel: Channel, viewer: Viewer) -> None:
        if viewer not in channel.viewers:
            return
        channel.viewers.discard(viewer)
        self._viewers -= 1
        if not channel.viewers and self._channels.get(channel.topic) is channel:
            del self._channels[channel.topic]
            channel.task.cancel()

    def close(self) -> None:
        """Ends every connection; the browsers come back by themselves."""
        self._open = False
        if self._beats is not None:
            self._beats.cancel()
        for channel in list(self._channels.values()):
            channel.task.cancel()
            for viewer in channel.viewers:
                viewer.close()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.pace.beat)
            item = event("beat", {"version": self.version, **self.fields()})
            for channel in filter(lambda one: one.alive, self._channels.values()):
                for viewer in channel.viewers:
                    viewer.offer_beat(item)
