"""OPD that need a word or deserve one: the reason in one sentence, one tap to the OPD and to its head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from kpis.types import Reading, Snapshot
from kpis.views import Praise, Word
from layouts.marks import full, href, look, opd_of, short, state, target
from layouts.sentences import reason
from layouts.words import Words, msg

# What a contact's link opens, by how it begins; the first that fits.
CONTACTS = (
    ("tel:", msg("Call")),
    ("mailto:", msg("Write")),
    ("https://wa.me/", msg("WhatsApp")),
    ("https://", msg("Contact")),
)


def need_list(snapshot: Snapshot, words: Sequence[Word], w: Words) -> html.P | html.Ol:
    """A row per OPD in the order given, with its most pressing figure."""
    rows = [row for word in words if (row := _need(snapshot, word, w)) is not None]
    if not rows:
        return html.P(w.t("No OPD misses a target now."), className="calm")
    return html.Ol(rows, className="opd-words")


def _need(snapshot: Snapshot, word: Word, w: Words) -> html.Li | None:
    reading = _reading(snapshot, word.kpi, word.opd)
    if reading is None:
        return None
    found = look(reading)
    marks: list[Any] = [state(found, snapshot.at, w, timed=False)]
    if word.others:
        marks.append(html.Span(w.t("+{n} more", n=w.number(word.others)), className="more"))
    return _row(snapshot, word.opd, marks, reason(snapshot, reading, w), w)


def praise_list(snapshot: Snapshot, praised: Sequence[Praise], w: Words) -> html.P | html.Ol:
    """A row per OPD in the order given: the targets it meets, or the figure that came right."""
    if not praised:
        return html.P(w.t("Every OPD has something to act on now."), className="calm")
    return html.Ol([_praise(snapshot, one, w) for one in praised], className="opd-words")


def _praise(snapshot: Snapshot, one: Praise, w: Words) -> html.Li:
    place = one.place
    reading = _reading(snapshot, one.kpi, place.opd) if one.kpi else None
    text = w.t("{n} of {all} targets met", n=w.number(place.met), all=w.number(place.judged))
    mark = w.t("place {n} of {all}", n=w.number(place.place), all=w.number(place.of))
    if reading is not None and one.then is not None:
        mark = w.t("most improved")
        text = w.t(
            "{title} from {then} to {now} in 30 days, target {limit}",
            title=w.t(snapshot.kpis[reading.kpi].title), then=w.figure(one.then.value, reading.unit),
            now=w.figure(reading.value, reading.unit), limit=target(reading, w),
        )  # fmt: skip
    return _row(snapshot, place.opd, [html.Span(mark, className="more")], text, w)


def _reading(snapshot: Snapshot, kpi: str, opd: str) -> Reading | None:
    return snapshot.by_opd.get(kpi, {}).get(opd)


def _row(snapshot: Snapshot, code: str, marks: list[Any], text: str, w: Words) -> html.Li:
    """The OPD's name is the link of the whole row; the contact has a place of its own beside it."""
    name = html.A(
        short(snapshot, code),
        href=href(f"/opd/{code}", w),
        className="who-link",
        title=full(snapshot, code, w),
    )
    inside: list[Any] = [html.Div([name, *marks], className="who-line"), html.P(text, className="reason")]
    contact = _contact(snapshot, code, w)
    return html.Li([html.Div(inside, className="word"), *([contact] if contact else [])])


def _contact(snapshot: Snapshot, code: str, w: Words) -> html.A | None:
    opd = opd_of(snapshot, code)
    if opd is None or opd.contact is None:
        return None
    word = next((word for begins, word in CONTACTS if opd.contact.startswith(begins)), None)
    if word is None:
        return None
    who = opd.head or opd.abbreviation
    label: dict[str, Any] = {"aria-label": f"{w.t(word)}: {who}"}
    return html.A(
        [html.Span(w.t(word)), html.Span(who, className="small-print")],
        href=opd.contact,
        className="contact",
        **label,
    )
