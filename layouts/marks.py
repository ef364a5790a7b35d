"""What every panel says alike: states, ages, owners, links. Pure functions of readings and words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from dash import html

from kpis.types import Better, Freshness, Opd, Reading, Severity, Snapshot
from layouts.words import MISSING, Words, msg

STATE_WORDS = {
    "on_target": msg("On target"),
    "watch": msg("WATCH"),
    "act": msg("ACT"),
    "late": msg("LATE"),
    "stale": msg("STALE"),
    "no_data": msg("NO DATA"),
    "no_target": msg("No target set"),
    "day_off": msg("DAY OFF"),
}


@dataclass(frozen=True, slots=True)
class Look:
    """How a reading is shown. `kind` is a key of `STATE_WORDS`; `was` the severity a stale one held.

    `since` is when the state began. A stale state counts from its observation, for that is how old
    the figure is.
    """

    kind: str
    since: datetime | None = None
    was: str | None = None
    late: bool = False


def look(reading: Reading | None) -> Look:
    """The state of a reading by the table of the screens: severity first, unless it went stale."""
    if reading is None or reading.value is None or reading.freshness is Freshness.NEVER:
        return Look("no_data")
    if reading.freshness is Freshness.STALE:
        loud = reading.severity in (Severity.WATCH, Severity.ACT)
        return Look("stale", reading.observed_at, reading.severity.value if loud else None)
    late = reading.freshness is Freshness.LATE
    if reading.severity in (Severity.WATCH, Severity.ACT):
        return Look(reading.severity.value, reading.since, late=late)
    if late:
        return Look("late", reading.since, late=True)
    if reading.severity is Severity.UNKNOWN:
        return Look("no_target")
    return Look("on_target")


def stamp(at: datetime) -> str:
    """Milliseconds since 1970, as the browser's script reads them."""
    return str(int(at.timestamp() * 1000))


def ago(at: datetime | None, now: datetime, w: Words, form: str = "{age}", kind: str = "since") -> html.Span:
    """A text with an age in it that the browser keeps current; here it is whole minutes at `now`.

    `kind` is `since` (a state) or `observed` (data). `form` holds `{age}`.
    """
    if at is None:
        return html.Span(form.replace("{age}", MISSING))
    attributes: dict[str, Any] = {f"data-{kind}": stamp(at)}
    if form != "{age}":
        attributes["data-age-form"] = form
    return html.Span(form.replace("{age}", w.age(now - at)), **attributes)


def state(found: Look, now: datetime, w: Words, *, timed: bool = True) -> html.Span:
    """Shape, word and duration of a state: the shape comes from the class."""
    word = w.t(STATE_WORDS[found.kind])
    inside: list[Any] = [word]
    if timed and found.since is not None and found.kind not in ("on_target", "no_target"):
        inside = [ago(found.since, now, w, word + " {age}")]
    if found.was:
        inside.append(html.Span(w.t("was {state}", state=w.t(STATE_WORDS[found.was])), className="was"))
    if found.late and found.kind != "late":
        inside.append(html.Span(w.t(STATE_WORDS["late"]), className="was"))
    return html.Span(inside, className=f"state {found.kind}")


def direction(better: Better) -> str:
    """≤ where less is better, ≥ where more is."""
    return "≤" if better is Better.LOWER else "≥"


def target(reading: Reading, w: Words) -> str:
    """ "≤ 10 %", or a dash where no target is set."""
    if reading.target is None:
        return MISSING
    return f"{direction(reading.better)}\u00a0{w.limit(reading.target, reading.unit)}"


def opd_of(snapshot: Snapshot, code: str | None) -> Opd | None:
    """The OPD of a code, or None for the city and for codes the city does not know."""
    return next((opd for opd in snapshot.city.opds if opd.code == code), None)


def short(snapshot: Snapshot, code: str | None) -> str:
    """The abbreviation of an OPD; the code itself where the city does not know it."""
    if code is None:
        return MISSING
    opd = opd_of(snapshot, code)
    return opd.abbreviation if opd else code


def full(snapshot: Snapshot, code: str, w: Words) -> str:
    """An OPD's name in the viewer's language."""
    opd = opd_of(snapshot, code)
    if opd is None:
        return code
    return opd.english if w.language == "en" else opd.name


def owner(snapshot: Snapshot, reading: Reading) -> str | None:
    """The code of the OPD that answers for a reading."""
    return reading.opd or snapshot.opd or snapshot.owners.get(reading.kpi)


def href(path: str, w: Words, **query: object) -> str:
    """A link to a page of ours that keeps the language and the days looked at."""
    return f"{path}?{urlencode({**query, **w.keep, 'lang': w.language})}"


def picked(snapshot: Snapshot) -> dict[str, str]:
    """What the address picks on its page, by its name in the query; empty for nothing."""
    name, _, value = (snapshot.pick or "").partition(":")
    return {name: value} if value else {}


def opd_link(snapshot: Snapshot, code: str | None, w: Words) -> Any:
    """An OPD's abbreviation, leading to its page when the city knows it and we are not on it."""
    if code is None or opd_of(snapshot, code) is None or snapshot.opd == code:
        return short(snapshot, code)
    return html.A(short(snapshot, code), href=href(f"/opd/{quote(code)}", w), title=full(snapshot, code, w))


def classes(*names: str | bool | None) -> str:
    """The names that hold, in one className."""
    return " ".join(name for name in names if isinstance(name, str) and name)


def worst(looks: Iterable[Look]) -> str:
    """The loudest kind among looks, for a group's edge."""
    order = ("act", "watch", "stale", "no_data", "late", "no_target", "on_target", "day_off")
    kinds = {one.kind for one in looks}
    return next((kind for kind in order if kind in kinds), "no_data")
