"""Every word on a page is one of its language: of the catalogue, of CLDR, or of the city's data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from babel import Locale
from dash.development.base_component import Component

from kpis.types import Attention, Kpi, Snapshot
from layouts import terms
from layouts.geo import atlas
from layouts.pages import PAGES, Page
from layouts.shell import shell
from layouts.words import LOCALES, catalogue, words_for
from tests.layouts import views
from tests.layouts.spoken import forms, modules
from tests.layouts.test_words import UNTRANSLATED, said
from tests.layouts.thin import thinned

WORD = re.compile(r"[^\W\d_]{2,}")
FIELD = re.compile(r"\{\w+\}")
HEARD = ("title", "aria-label", "aria-description", "alt", "placeholder", "label", "data-age-form")
# Of the snapshot, what is said only through the catalogue, or in the other language.
CODES = {
    "status",
    "door",
    "stage",
    "reason",
    "before",
    "after",
    "kpi",
    "lacks",
    "severity",
    "freshness",
    "page",
}
SAME = {word.casefold() for word in UNTRANSLATED} | {"ms", "http", "id", "en", "wib", "mqtt", "jt"}


class _Markup(HTMLParser):
    """Texts and heard attributes of a flattened table or a drawing."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in HEARD and value]

    handle_startendtag = handle_starttag

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def spoken(node: Any) -> Iterator[str]:
    """Every text of a tree, those a screen reader says too."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list | tuple):
        for inner in node:
            yield from spoken(inner)
    elif isinstance(node, Component):
        for name, value in node.to_plotly_json()["props"].items():
            if name == "children":
                yield from spoken(value)
            elif name == "markup":
                yield from _Markup(value).found
            elif name in HEARD and isinstance(value, str):
                yield value


def strings(node: Any, skipped: set[str]) -> Iterator[str]:
    """Every text of a snapshot, but of the fields skipped."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from strings(value, skipped)
            if isinstance(key, str) and " " in key:
                yield key
    elif isinstance(node, list | tuple | set | frozenset):
        for value in node:
            yield from strings(value, skipped)
    elif is_dataclass(node) and not isinstance(node, type):
        for one in fields(node):
            message = one.name == "title" and isinstance(node, Kpi | Attention)
            if one.name not in skipped and not message:
                yield from strings(getattr(node, one.name), skipped)


def words_of(texts: Any) -> set[str]:
    return {word.casefold() for text in texts for word in WORD.findall(FIELD.sub(" ", text))}


def known_codes() -> set[str]:
    tables = (terms.STATUSES, terms.CHANNELS, terms.STAGES, terms.BREAK_REASONS, terms.CHECK_ERRORS)
    return {str(code) for table in tables for code in table}


@cache
def vocabulary(language: str) -> set[str]:
    """The words of a language as the screens speak it, CLDR's names of days and months with them."""
    locale = Locale.parse(LOCALES[language])
    names = [
        str(name)
        for kind in (locale.days, locale.months)
        for width in kind["format"].values()
        for name in width.values()
    ]
    plurals = [text for _, tree in modules("layouts", "dashboard") for text in forms(tree)]
    messages = catalogue("id").values() if language == "id" else [*said(), *plurals]
    return words_of([*messages, *names]) | SAME


def data(snapshot: Snapshot, language: str) -> set[str]:
    skipped = CODES | ({"english"} if language == "id" else set())
    codes = known_codes() | set(snapshot.kpis)
    kept = [text for text in strings(snapshot, skipped) if text not in codes]
    city = snapshot.city
    places = [shape.name for shape in atlas(city.map_file).shapes] if city.map_file else []
    return words_of([*kept, *(opd.name for opd in city.opds), city.name, *places])


@cache
def sample(name: str) -> Snapshot:
    found = views.SNAPSHOTS[name]()
    return replace(found, detail=thinned(found.detail))


def rendered(page: Page, snapshot: Snapshot, language: str) -> list[str]:
    w = words_for(language, snapshot.city.timezone)
    whole = shell(page, snapshot, w, page.frame(snapshot, w), language=language, theme="light")
    return list(spoken(whole))


def strange(page: Page, snapshot: Snapshot, language: str) -> dict[str, list[str]]:
    """Texts of a page with the words in them that are neither its language's nor the data's."""
    known = vocabulary(language) | data(snapshot, language)
    found = {text.strip(): words_of([text]) - known for text in rendered(page, snapshot, language)}
    return {text: sorted(words) for text, words in found.items() if words}


def test_every_page_has_a_sample() -> None:
    """So that no page is left out of what is tried on all of them."""
    assert {page.name for page in PAGES} <= set(views.SNAPSHOTS)


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_word_is_one_of_the_pages_language(page: Page, language: str) -> None:
    assert not strange(page, sample(page.name), language)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_whole_sentence_is_never_the_same_in_both_languages(page: Page) -> None:
    snapshot = sample(page.name)
    both = set(rendered(page, snapshot, "id")) & set(rendered(page, snapshot, "en"))
    mine = data(snapshot, "id") | SAME
    same = {text for text in both if len(words_of([text]) - mine) > 1}
    assert not same


def test_an_english_word_on_an_indonesian_page_is_found() -> None:
    snapshot = sample("mayor")
    known = vocabulary("id") | data(snapshot, "id")
    assert {"needs", "overdue", "received", "closed", "budget"}.isdisjoint(known)
