"""What a page is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from dash import html

from kpis.types import Domain, Snapshot
from layouts.shell import shared_panels
from layouts.words import Words

Panels = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page. `detail` is the class of the view in `Snapshot.detail`, None where it needs none.

    `path` of an OPD's page holds `<code>`, that of a KPI's page `<key>`, which its view names as `kpi`.
    `panels` gives the changing parts by element id, `frame` the page with each of them in its
    `html.Div`. `wall` pages are dark and without navigation. `ranged` pages look at the days their
    address asks for, and show a switch of them. `picks` names what else an address may choose
    (`?opd=dlh`), one at a time. `looks` pages show what changed since a device's last look, or since the
    moment their address names. `heading` is what a wall's head names, the title where there is none.
    """

    name: str
    path: str
    title: str
    detail: type[Any] | None
    scope: str
    wall: bool
    panels: Callable[[Snapshot, Words], Panels]
    frame: Callable[[Snapshot, Words], Any]
    ranged: bool = True
    picks: tuple[str, ...] = ()
    looks: bool = False
    heading: Callable[[Snapshot, Words], str] | None = None

    def address(self, snapshot: Snapshot) -> str:
        """Its path for the OPD and the KPI that the snapshot is about."""
        key = getattr(snapshot.detail, "kpi", None)
        return self.path.replace("<code>", quote(snapshot.opd or "", safe="")).replace("<key>", key or "")


def slot(panels: Mapping[str, Any], name: str, className: str = "") -> html.Div:
    """The place of one panel on its page."""
    return html.Div(panels[name], id=name, className=className)


def with_shared(snapshot: Snapshot, w: Words, own: Panels) -> Panels:
    """A page's own panels with those of the head."""
    return {**shared_panels(snapshot, w), **own}


def domain_keys(snapshot: Snapshot, domain: Domain) -> list[str]:
    """The KPI keys of a domain in the catalogue's order."""
    return [key for key, kpi in snapshot.kpis.items() if kpi.domain is domain]


def section(title: str, *inside: Any, note: Any = None, className: str = "") -> html.Section:
    """A block of a page with its heading; `note` is a line of small print under it."""
    head: list[Any] = [html.H2(title)]
    if note is not None:
        head.append(html.P(note, className="note"))
    return html.Section([*head, *inside], className=f"block {className}".strip())
