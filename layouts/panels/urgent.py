"""What the wall says of figures at ACT: in which order, who has to act, how far they are, in few words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from zlib import crc32

from dash import html

from kpis.screens.state import ScreenRow
from kpis.types import Attention, Domain, Reading, Severity, Snapshot, Unit
from layouts.marks import STATE_WORDS, ago, classes, look, opd_link, owner, short
from layouts.words import Words

FRESH = timedelta(minutes=10)
"""An ACT that began within this stands before all others."""
FEW = 20
"""A share of fewer cases than this is said as "2 of 5": one case more or less changes its percents much."""
ROOM, TITLE, ABBREVIATION = 92, 34, 15
"""Letters: of a line of the wall beside its count, of a title in it, of an OPD's short name."""


def brief(text: str, most: int) -> str:
    """A text of at most `most` letters; what is left out is marked, at a blank where there is one near."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    head, _, tail = cut.rpartition(" ")
    return (head if head and len(tail) < most // 3 else cut).rstrip(" ,.-·") + "…"


def acts(snapshot: Snapshot) -> list[Attention]:
    """Every active ACT, the ones that just began first, then by how far and how long."""
    found = [one for one in snapshot.attention if one.reading.severity is Severity.ACT]
    return sorted(found, key=lambda one: not began_now(snapshot, one.reading))


def urgent(snapshot: Snapshot) -> list[Attention]:
    """Everything that needs attention, in the order of `acts`."""
    rest = [one for one in snapshot.attention if one.reading.severity is not Severity.ACT]
    return [*acts(snapshot), *rest]


def began_now(snapshot: Snapshot, reading: Reading) -> bool:
    """Whether a figure came to ACT within the last minutes."""
    began = reading.since if look(reading).kind == "act" else None
    return began is not None and snapshot.at - began < FRESH


def far(snapshot: Snapshot, reading: Reading, w: Words) -> str:
    """The value, or the cases where they are few; the target is said beside it."""
    return cases(snapshot, reading, w) or w.figure(reading.value, reading.unit)


def cases(snapshot: Snapshot, reading: Reading, w: Words) -> str | None:
    """ "2 of 5" for a share over few cases, else None. Uptime is a share of time, not of cases."""
    kpi = snapshot.kpis.get(reading.kpi)
    whole, part = reading.denominator, reading.numerator
    if reading.unit is not Unit.SHARE or kpi is None or kpi.domain is Domain.APP_UPTIME:
        return None
    if whole is None or part is None or not 0 < whole < FEW:
        return None
    return w.t("{n} of {all}", n=w.number(part), all=w.number(whole))


def who(snapshot: Snapshot, reading: Reading, w: Words) -> list[Any]:
    """The OPD itself; for a figure of the whole city, who answers for it."""
    code = owner(snapshot, reading)
    name = opd_link(snapshot, code, w)
    if isinstance(name, html.A):
        name.children = brief(short(snapshot, code), ABBREVIATION)
    return [name] if reading.opd or snapshot.opd else [w.t("City"), " · ", name]


def mark_of(one: Attention, page: str) -> str:
    """An ACT as the browser tells it from others: short, and the page of its domain."""
    key = f"{one.reading.kpi}:{one.reading.opd or ''}"
    return f"{crc32(key.encode()):08x}@{page}"


def act_strip(snapshot: Snapshot, w: Words, *, most: int = 9) -> html.Div:
    """One line that stands on every page of a playlist: how many ACT there are and the first of them,
    `most` at most. A silent screen is one of them, and is named where no figure is at ACT."""
    found, silent = acts(snapshot), [row for row in snapshot.screens if row.alarm]
    known = [mark_of(one, snapshot.kpis[one.reading.kpi].domain.value) for one in found]
    known += [f"{crc32(f'screen:{row.name}'.encode()):08x}@overview" for row in silent]
    marks: dict[str, Any] = {"data-acts": " ".join(known)}
    if not known:
        calm = html.Span(w.t("Nobody has to act now."), className="calm")
        return html.Div([calm], className="strip calm", **marks)
    count = html.Span(
        [html.B(w.number(len(known))), w.t(STATE_WORDS["act"])], className="strip-count state act"
    )
    items = _items(snapshot, found[:most], w) or [_silent(snapshot, silent[0], w)]
    inside = [count, *items]
    if len(known) > len(items):
        inside.append(html.Span(w.t("+{n} more", n=w.number(len(known) - len(items))), className="more"))
    return html.Div(inside, className="strip", **marks)


def _silent(snapshot: Snapshot, row: ScreenRow, w: Words) -> html.Span:
    name = html.Span(w.t("screen: {name}", name=row.name), className="what")
    who = html.Span(opd_link(snapshot, row.owner, w), className="who")
    return html.Span([name, who, ago(row.since, snapshot.at, w)], className="strip-item")


def _items(snapshot: Snapshot, found: Sequence[Attention], w: Words) -> list[html.Span]:
    """As many as a line holds, by letters; always the first."""
    items: list[html.Span] = []
    room = ROOM
    for one in found:
        reading, title = one.reading, brief(w.t(one.title), TITLE)
        value, name = far(snapshot, reading, w), who(snapshot, reading, w)
        room -= len(title) + len(value) + len(text_of(name)) + 10
        if items and room < 0:
            break
        since = ago(look(reading).since, snapshot.at, w)
        items.append(
            html.Span(
                [html.Span(title, className="what"), html.B(value), html.Span(name, className="who"), since],
                className=classes("strip-item", began_now(snapshot, reading) and "now"),
            )
        )
    return items


def text_of(parts: Sequence[Any]) -> str:
    """The letters of texts and links, to count them."""
    return "".join(str(getattr(part, "children", part)) for part in parts)
