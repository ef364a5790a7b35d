"""Which days a page looks at: links for the usual ranges, a plain form for any other.

Every choice is an address, so Back works and what is seen can be sent to somebody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from dash import html

from kpis.spans import CUSTOM, LONGEST, TODAY, Span
from layouts.flat import Flat
from layouts.svg import Markup, element
from layouts.words import Words, msg

CHOICES = (
    (TODAY, msg("Today")),
    ("7d", msg("7 days")),
    ("30d", msg("30 days")),
    ("90d", msg("90 days")),
    ("year", msg("Year")),
)
PROBLEMS = {
    "!unknown": msg("That range is not known. Today is shown."),
    "!both": msg("A range of your own needs its first and its last day. Today is shown."),
    "!order": msg("The first day lies after the last. Today is shown."),
    "!long": msg("A range may have at most {n} days. Today is shown."),
    "!future": msg("That range has not begun yet. Today is shown."),
}


def range_switch(span: Span, here: str, keep: Mapping[str, str], w: Words) -> html.Div:
    """Links and form at the address `here`; `keep` is what else the address holds."""
    group: dict[str, Any] = {"aria-label": w.t("Days looked at")}
    links = [_link(code, w.t(text), span, here, keep) for code, text in CHOICES]
    inside: list[Any] = [
        html.Div([*links, _own(span, here, keep, w)], className="switch-group", role="group", **group)
    ]
    if span.problem is not None:
        text = w.t(PROBLEMS[span.problem], n=w.number(LONGEST))
        inside.insert(0, html.P(text, className="range-problem", role="status"))
    return html.Div(inside, className="range")


def range_text(span: Span, w: Words) -> str:
    """The days in words: "17 Nov" for one, "1 Agu – 17 Agu" for several, years where they are needed."""
    if span.first == span.last:
        return w.day(span.first)
    if span.first.year == span.last.year:
        return f"{w.day(span.first)} – {w.day(span.last)}"
    return f"{w.day(span.first)} {span.first.year} – {w.day(span.last)} {span.last.year}"


def _link(code: str, text: str, span: Span, here: str, keep: Mapping[str, str]) -> html.A:
    now: dict[str, Any] = {"aria-current": "true"} if code == span.name else {}
    query = {**keep, **({} if code == TODAY else {"range": code})}
    return html.A(text, href=f"{here}?{urlencode(query)}", className="switch", **now)


def _own(span: Span, here: str, keep: Mapping[str, str], w: Words) -> html.Details:
    """Two dates and a button, folded away; open while a range of one's own is shown."""
    own = span.name == CUSTOM
    title = range_text(span, w) if own else w.t("Other days")
    chosen: dict[str, Any] = {"aria-current": "true"} if own else {}
    return html.Details(
        [
            html.Summary(title, className="switch", **chosen),
            Flat(str(_form(span, here, keep, w)), "range-form"),
        ],
        className="range-own",
    )


def _form(span: Span, here: str, keep: Mapping[str, str], w: Words) -> Markup:
    today = span.last.isoformat() if span.now else None
    fields = [
        element("label", w.t(title), _date(name, day.isoformat(), today))
        for name, title, day in (("from", msg("First day"), span.first), ("to", msg("Last day"), span.last))
    ]
    hidden = [element("input", type="hidden", name=name, value=value) for name, value in keep.items()]
    button = element("button", w.t("Show"), type="submit", class_="switch")
    return element("form", *hidden, *fields, button, method="get", action=here)


def _date(name: str, value: str, most: str | None) -> Markup:
    return element("input", type="date", name=name, value=value, required="required", max=most)
