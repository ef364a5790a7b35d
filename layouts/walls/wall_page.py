"""What a page of the wall is, and the shape that all domains' pages share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dash import html
from dash.development.base_component import Component

from kpis.types import Snapshot
from layouts.flat import flat
from layouts.panels.kpi_tile import kpi_tile
from layouts.words import Words

Panels = dict[str, Any]
Found = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class WallPage:
    """One page of a playlist. `panels` gives its changing parts by element id, unlike any other page's;
    `frame` the page with each in its place. `tall` is a screen on its side."""

    name: str
    title: str
    panels: Callable[[Snapshot, Words, bool], Panels]
    frame: Callable[[Found, Snapshot, Words], Component]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A heading and what it is about. `draw` gets the snapshot, the domain's view, words and `tall`;
    `wide` is how much room it takes beside the others; `when` says whether the city has such a thing."""

    name: str
    title: str
    draw: Callable[[Snapshot, Any, Words, bool], Any]
    wide: int = 1
    when: Callable[[Snapshot], bool] = lambda _: True


def domain_page(name: str, title: str, tiles: tuple[str, ...], blocks: tuple[Block, ...]) -> WallPage:
    """Four tiles and, under them, the blocks side by side; on a screen on its side all one under another."""

    def panels(snapshot: Snapshot, w: Words, tall: bool) -> Panels:
        view = snapshot.detail.views[name]
        own: Panels = {f"{name}-tile-{key}": flat(kpi_tile(snapshot, key, w, wall=True)) for key in tiles}
        for block in blocks:
            if block.when(snapshot):
                own[f"{name}-{block.name}"] = block.draw(snapshot, view, w, tall)
        return own

    def frame(found: Found, snapshot: Snapshot, w: Words) -> Component:
        shown = [block for block in blocks if block.when(snapshot)]
        sections = [
            html.Section(
                [html.H2(w.t(block.title)), place(found, f"{name}-{block.name}", "block-body")],
                className=f"wall-block wide-{block.wide} b-{block.name}",
            )
            for block in shown
        ]
        row = html.Div([place(found, f"{name}-tile-{key}", "tile-slot") for key in tiles], className="tiles")
        return html.Div([row, html.Div(sections, className="wall-blocks")], className=f"domain {name}")

    return WallPage(name=name, title=title, panels=panels, frame=frame)


def place(found: Found, name: str, className: str = "") -> html.Div:
    """Where one panel stands."""
    return html.Div(found[name], id=name, className=className)
