"""What stands around every page: head, clock, data age, connection, navigation, switches, live line.

The root carries what the browser's script needs to keep ages, clock and connection current:
`data-at` and `data-clock-speed` (the city's clock), `data-timezone`, `data-zone`, `data-locale`,
`data-age-now|minutes|hours|days` (forms of an age, `{n}` the figure), `data-connecting`,
`data-connected`, `data-disconnected` (`{time}` since when), `data-pause`, `data-resume`, `data-store`
("ok", or "away" when it could not be asked), `data-as-of` (`{when}`) for paper. For a page that nobody
renews: `data-stale`, `data-was|was-act|was-watch`, `data-aged-form` (`{when}` it was kept, `{age}`) and
`data-aged-note`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from dash import html
from dash.development.base_component import Component

from kpis.types import Snapshot
from layouts.marks import picked, stamp
from layouts.panels.marks_bar import data_age, live_line, notice
from layouts.panels.range_switch import range_switch
from layouts.words import Words, msg

if TYPE_CHECKING:
    from layouts.pages import Page

NAVIGATION = (
    ("/mayor", msg("Mayor")),
    ("/opd", msg("OPD")),
    ("/service-requests", msg("Service requests")),
    ("/app-uptime", msg("Applications")),
    ("/integration", msg("Integration")),
    ("/attendance", msg("Attendance")),
    ("/sources", msg("Sources")),
    ("/wall", msg("Wall screen")),
)
LANGUAGES = (("id", "Indonesia"), ("en", "English"))
_LIVE: dict[str, Any] = {"aria-live": "polite"}
_PRESSED: dict[str, Any] = {"aria-pressed": "false"}
THEMES = (("light", msg("Light")), ("dark", msg("Dark")))


def shared_panels(snapshot: Snapshot, w: Words) -> dict[str, Any]:
    """The changing parts of the head, by element id; every page has them beside its own."""
    return {
        "data-age": data_age(snapshot, w),
        "notice": notice(snapshot, w),
        "live-line": live_line(snapshot, w),
    }


def shell(
    page: Page, snapshot: Snapshot, words: Words, frame: Component, *, language: str, theme: str
) -> Component:
    """The whole page. `theme` is "dark" or "light".

    Links to other pages keep the language and the days looked at; each kind of page remembers a theme
    of its own.
    """
    keep = {"lang": language, "theme": theme, **_same(snapshot)}
    panels = shared_panels(snapshot, words)
    inside: list[Any] = [
        html.A(words.t("Skip to content"), href="#content", className="skip"),
        _head(page, snapshot, words, panels, keep),
        html.Div(panels["notice"], id="notice"),
    ]
    inside.append(html.Main(frame, id="content", tabIndex="-1"))
    inside.append(html.Div(panels["live-line"], id="live-line", role="status", **_LIVE))
    attributes: dict[str, Any] = {
        "data-theme": theme,
        "data-bs-theme": theme,
        "data-page": page.name,
        **_for_script(snapshot, words),
    }
    kind = "pendopo wall" if page.wall else "pendopo"
    return html.Div(inside, id="pendopo", className=kind, lang=language, **attributes)


def _for_script(snapshot: Snapshot, w: Words) -> dict[str, Any]:
    return {
        "data-at": stamp(snapshot.at),
        "data-clock-speed": f"{snapshot.clock_speed:g}",
        "data-timezone": snapshot.city.timezone,
        "data-zone": snapshot.city.zone,
        "data-locale": w.locale.replace("_", "-"),
        "data-age-now": w.t("<1 min"),
        "data-age-minutes": w.t("{n} min"),
        "data-age-hours": w.t("{n} h"),
        "data-age-days": w.t("{n} d"),
        "data-store": "ok" if snapshot.store_ok else "away",
        "data-connecting": w.t("Connecting"),
        "data-connected": w.t("Connected"),
        "data-disconnected": w.t("NO CONNECTION since {time}"),
        "data-stale": w.t("STALE"),
        "data-was": w.t("was {state}", state="{state}"),
        "data-was-act": w.t("was {state}", state=w.t("ACT")),
        "data-was-watch": w.t("was {state}", state=w.t("WATCH")),
        "data-aged-form": w.t("NO CONNECTION. Last snapshot: {when}, {age} old"),
        "data-aged-note": w.t("Nothing on this page is current. It comes back by itself."),
        "data-as-of": w.t("Data as of {when}"),
        "data-pause": w.t("Pause"),
        "data-resume": w.t("Resume"),
    }


def _head(
    page: Page, snapshot: Snapshot, w: Words, panels: dict[str, Any], keep: dict[str, str]
) -> html.Header:
    here = page.address(snapshot)
    name: list[Any] = [
        html.A(snapshot.city.name, href=_to("/wall", {"lang": keep["lang"]}), className="city")
    ]
    if snapshot.demo:
        name.append(html.Span(w.t("SAMPLE CITY: pretend data"), className="demo-mark"))
    facts = html.Div(
        [
            html.Span(panels["data-age"], id="data-age"),
            html.Span(w.t("Connecting"), id="connection", role="status"),
            html.Span(f"{w.moment(snapshot.at)} {snapshot.city.zone}", id="clock"),
        ],
        className="facts",
    )
    if page.wall:
        title = html.H1(w.t(page.title), className="visually-hidden")
        return html.Header([html.Div([*name, title], className="names"), facts], className="head")
    asked = {**keep, **snapshot.span.query}
    switches = html.Div(
        [
            html.Button(w.t("Pause"), id="pause", className="switch", **_PRESSED),
            _switch(
                w.t("Language"), [(code, text, code.upper()) for code, text in LANGUAGES], "lang", here, asked
            ),
            _switch(
                w.t("Theme"), [(code, w.t(text), w.t(text)) for code, text in THEMES], "theme", here, asked
            ),
        ],
        className="switches",
    )
    return html.Header(
        [
            html.Div([html.Div(name, className="names"), facts, switches], className="head-row"),
            html.Div(
                [
                    _navigation(here, w, {"lang": keep["lang"], **snapshot.span.query}),
                    range_switch(snapshot.span, here, keep, w) if page.ranged else None,
                ],
                className="head-row",
            ),
        ],
        className="head",
    )


def _navigation(here: str, w: Words, keep: dict[str, str]) -> html.Nav:
    links = []
    for path, text in NAVIGATION:
        now: dict[str, Any] = {"aria-current": "page"} if path == here else {}
        link = html.A(
            w.t(text),
            href=_to(path, {"lang": keep["lang"]} if path == "/wall" else keep),
            className="nav-link active" if now else "nav-link",
            **now,
        )
        links.append(html.Li(link, className="nav-item"))
    return html.Nav(html.Ul(links, className="pages nav"), **_label(w.t("Pages")))


def _label(text: str) -> dict[str, Any]:
    return {"aria-label": text}


def _switch(
    label: str, choices: list[tuple[str, str, str]], name: str, here: str, keep: dict[str, str]
) -> html.Div:
    links = []
    for code, title, text in choices:
        now: dict[str, Any] = {"aria-current": "true"} if keep[name] == code else {}
        if name == "lang":  # a language's name is in that language
            now |= {"lang": code, "hrefLang": code}
        links.append(
            html.A(text, href=_to(here, {**keep, name: code}), title=title, className="switch", **now)
        )
    return html.Div(links, className="switch-group", role="group", **_label(label))


def _same(snapshot: Snapshot) -> dict[str, str]:
    """What else the address of this very page holds: the reject that is looked at, or what is picked."""
    chosen = getattr(snapshot.detail, "chosen", None)
    if chosen is not None:
        return {"reject": str(chosen.id)}
    return picked(snapshot)


def _to(path: str, query: dict[str, str]) -> str:
    return f"{path}?{urlencode(query)}"
