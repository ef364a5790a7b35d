"""Snapshot → JSON a browser can show: a page's panels by id, and its whole layout.

What was rendered is kept while its snapshot is the newest, so a hundred pages that open at once
cost one rendering.
"""

from __future__ import annotations

import asyncio
import gzip
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from dashboard.live import Rendered, Topic
from dashboard.pieces import Piece
from dashboard.snapshot import Snapshots
from dashboard.view import View
from kpis.types import City, Snapshot, rfc3339
from layouts.flat import flatten, to_html
from layouts.pages import Page
from layouts.shell import shell
from layouts.words import Words, words_for

Key = TypeVar("Key", bound=Topic | View)
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Layout:
    """A page's component tree as JSON, plain and gzipped, and as the HTML of the document's first paint."""

    plain: bytes
    packed: bytes
    first: Piece


class Renderer:
    """Renders on worker threads; panels are pure functions, so nothing here is locked."""

    def __init__(self, snapshots: Snapshots, pages: Sequence[Page], city: City) -> None:
        self._snapshots = snapshots
        self._pages = {page.name: page for page in pages}
        self._city = city
        self._panels: _Newest[Topic, Rendered] = _Newest(self._render)
        self._layouts: _Newest[View, Layout] = _Newest(self._lay_out)

    async def panels(self, topic: Topic) -> Rendered:
        """The topic's panels at this moment. Raises StoreError when they were never read."""
        return await self._panels.get(topic, await self._snapshots.get(topic.key))

    async def layout(self, view: View) -> Layout:
        """The view's whole page at this moment: what is painted first. Raises StoreError likewise."""
        return await self._layouts.get(view, await self._snapshots.get(view.topic.key))

    def words(self, language: str, snapshot: Snapshot | None = None) -> Words:
        """The words of a language; with a snapshot, its links lead on with the days it looks at."""
        keep = tuple(snapshot.span.query.items()) if snapshot else ()
        return words_for(language, self._city.timezone, keep)

    def _render(self, topic: Topic, snapshot: Snapshot) -> Rendered:
        panels = self._pages[topic.key.page].panels(snapshot, self.words(topic.language, snapshot))
        return Rendered(
            version=snapshot.version,
            at=rfc3339(snapshot.at) or "",
            store_ok=snapshot.store_ok,
            panels={name: to_json(flatten(component)) for name, component in panels.items()},
        )

    def _lay_out(self, view: View, snapshot: Snapshot) -> Layout:
        words = self.words(view.language, snapshot)
        frame = view.page.frame(snapshot, words)
        tree = flatten(shell(view.page, snapshot, words, frame, language=view.language, theme=view.theme))
        plain = to_json(tree)
        return Layout(plain, gzip.compress(plain, 5, mtime=0), Piece.of(to_html(tree).encode()))


def to_json(component: Any) -> bytes:
    """A component tree as Dash's renderer reads it; a figure that is not a number becomes null."""
    return msgspec.json.encode(component, enc_hook=_plain)


def _plain(value: Any) -> Any:
    if hasattr(value, "to_plotly_json"):
        return value.to_plotly_json()
    raise TypeError(f"a panel holds {type(value).__name__}, which has no JSON form")


class _Newest(Generic[Key, Made]):
    """What `make` made of the newest snapshot per key, made once however many ask; `keep` keys held,
    `keep_rare` of those that a viewer can think up."""

    def __init__(self, make: Callable[[Key, Snapshot], Made], keep: int = 128, keep_rare: int = 16) -> None:
        self._make = make
        self._keep = keep
        self._keep_rare = keep_rare
        self._made: OrderedDict[Key, tuple[Snapshot, asyncio.Task[Made]]] = OrderedDict()

    async def get(self, key: Key, snapshot: Snapshot) -> Made:
        found = self._made.get(key)
        if found is None or found[0] is not snapshot:
            found = (snapshot, asyncio.create_task(asyncio.to_thread(self._make, key, snapshot)))
            self._made[key] = found
            self._made.move_to_end(key)
            self._let_go()
        return await asyncio.shield(found[1])

    def _let_go(self) -> None:
        rare = [key for key in self._made if key.rare]
        for key in rare[: max(0, len(rare) - self._keep_rare)]:
            del self._made[key]
        while len(self._made) > self._keep:
            self._made.popitem(last=False)
