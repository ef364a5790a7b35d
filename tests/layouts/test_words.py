"""Whatever a page says, it can say in Indonesian; and nothing is said past the catalogue."""

from __future__ import annotations

import ast
import csv
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.units import format_unit

from kpis.catalogue import DOMAINS
from kpis.opd_integration import ladder
from kpis.types import Unit
from kpis.views import Step
from layouts.words import LOCALE, catalogue, words_for
from tests.layouts import spoken
from tests.layouts.spoken import ROOT

FIELDS = re.compile(r"\{(\w+)\}")
ID, EN = words_for("id", "Asia/Jakarta"), words_for("en", "Asia/Jakarta")

# Words that are the same for everybody: abbreviations, a language's own name, the project's, the currency.
UNTRANSLATED = {"OPD", "Indonesia", "English", "Pendopo", "Rp", "pendopo wall"}
# Who runs these reads English: a command line, its errors, and replies to machines.
FOR_OPERATORS = ("dashboard/__main__.py", "dashboard/server.py", "dashboard/snapshot.py", "dashboard/api/")
TO_MACHINES = {"this address takes no such request", "too many viewers\n"}


def _lacks() -> set[str]:
    """What the ladder says an OPD lacks: the texts assigned beside a step."""
    tree = ast.parse(Path(ladder.__file__).read_text(encoding="utf-8"))
    pairs = [node.value for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    found = set()
    for pair in pairs:
        if not isinstance(pair, ast.Tuple) or len(pair.elts) != 2:
            continue
        step, text = pair.elts
        named = isinstance(step, ast.Attribute) and step.attr in Step.__members__
        if named and isinstance(text, ast.Constant) and isinstance(text.value, str):
            found.add(text.value)
    return found


def said() -> set[str]:
    """Every message id the pages can say."""
    found = {text for _, tree in spoken.modules("layouts", "dashboard") for text in spoken.messages(tree)}
    return found | {kpi.title for domain in DOMAINS for kpi in domain.kpis} | _lacks()


def po(language: str = "id") -> Catalog:
    with (LOCALE / language / "LC_MESSAGES" / "pendopo.po").open("rb") as file:
        return read_po(file, locale=language)


def texts(message_id: str | tuple[str, ...] | list[str]) -> list[str]:
    return [message_id] if isinstance(message_id, str) else list(message_id)


def test_the_collector_sees_what_it_should() -> None:
    assert {"Open requests", "Needs attention", "register an interface", "WATCH"} <= said()
    assert "There is no such page." in said(), "pages for when there is none speak too"
    assert len(_lacks()) == len(Step) - 1, "every step but the top lacks something"


def test_every_message_has_an_indonesian_text() -> None:
    missing = sorted(said() - set(catalogue("id")))
    assert not missing, missing


def test_the_catalogue_holds_nothing_that_is_not_said() -> None:
    unused = sorted(set(catalogue("id")) - said())
    assert not unused, unused


def test_a_translation_fills_in_the_same_values() -> None:
    wrong = [
        message.id
        for message in po()
        if message.id
        and {frozenset(FIELDS.findall(text)) for text in texts(message.string)}
        != {frozenset(FIELDS.findall(texts(message.id)[-1]))}
    ]
    assert not wrong


@pytest.mark.parametrize("language", sorted(folder.name for folder in LOCALE.iterdir() if folder.is_dir()))
def test_a_catalogue_says_each_message_once(language: str) -> None:
    path = LOCALE / language / "LC_MESSAGES" / "pendopo.po"
    ids = re.findall(r'^msgid "(.+)"$', path.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(ids) == sorted(set(ids)), [text for text in ids if ids.count(text) > 1]
    assert len(po(language)) == len(ids)


def test_no_message_is_put_together_before_it_is_looked_up() -> None:
    built = [
        str(one) for path, tree in spoken.modules("layouts", "dashboard") for one in spoken.built(path, tree)
    ]
    assert not built, built


def _unsaid() -> list[str]:
    return [
        str(one)
        for path, tree in spoken.modules("layouts", "dashboard")
        if not str(path.relative_to(ROOT)).startswith(FOR_OPERATORS)
        for one in spoken.unsaid(path, tree)
        if one.text.strip() not in UNTRANSLATED and one.text not in TO_MACHINES
    ]


def test_no_text_goes_past_the_catalogue() -> None:
    found = _unsaid()
    assert not found, found


@pytest.mark.parametrize(
    "code",
    [
        'html.P("Open")',
        'html.Div(["·", html.B("open")])',
        'html.A(w.t("Open"), title="Go there")',
        'html.Div(**{"aria-label": "chart"})',
        'x = {"aria-label": "chart"}',
        'html.P(f"{n} open")',
        'Column("Open")',
        'nothing("nothing here")',
        'x = "No data in this range"',
        'html.P("a day" if n == 1 else w.t("days"))',
    ],
)
def test_a_text_without_the_catalogue_is_found(code: str) -> None:
    assert spoken.unsaid(ROOT / "layouts" / "x.py", ast.parse(code)), code


@pytest.mark.parametrize(
    "code",
    [
        'html.P(w.t("Open"), className="big open", id="open-now")',
        'html.P([w.t("Open"), " · ", w.number(3)])',
        'x = {"aria-hidden": "true"}',
        'def f():\n    """Says nothing to people."""',
        'raise ValueError("this is no area")',
        'w.n("{n} day", "{n} days", count)',
    ],
)
def test_a_text_of_the_catalogue_and_a_code_are_not(code: str) -> None:
    assert not spoken.unsaid(ROOT / "layouts" / "x.py", ast.parse(code)), code


def test_a_message_put_together_is_found() -> None:
    for code in ('w.t(f"{n} open")', 'w.t("open" + "ed")', 'msg("a" + b)', 'w.t("a" if b else f"{c} d")'):
        assert spoken.built(ROOT / "layouts" / "x.py", ast.parse(code)), code
    assert spoken.messages(ast.parse('w.t("a" if b else "c"); w.n("d", "e", 2)')) == {"a", "c", "d"}


# -- scripts and styles: they say only what the server handed them -------------------------------


OURS = sorted(
    path
    for path in (ROOT / "assets").rglob("*")
    if path.suffix in (".js", ".css") and ".min." not in path.name
)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_scripts_and_styles_say_nothing_of_their_own(path: Path) -> None:
    found = spoken.said_by_script(path.read_text(encoding="utf-8"), path.suffix)
    assert not found, found


def test_a_text_in_a_script_is_found() -> None:
    assert spoken.said_by_script('place.textContent = "open";', ".js")
    assert spoken.said_by_script('const lost = "No connection since " + time;', ".js")
    assert spoken.said_by_script("button.setAttribute('aria-label', 'Close');", ".js")
    assert spoken.said_by_script('.x::before { content: "late"; }', ".css")
    assert not spoken.said_by_script(
        '"use strict"; // Nothing is said here.\nplace.textContent = "·";', ".js"
    )
    assert not spoken.said_by_script('.x::before { content: "?"; }', ".css")


# -- the field's own terms -----------------------------------------------------------------------

# English that the screens use in another sense than the glossary, or in the form its place asks for.
OTHERWISE = {
    "Stale Data": "a state of one word on a wall: BASI",
    "Late": "the state of data that is overdue is TERLAMBAT too; the glossary's is of people",
}


def test_terms_are_the_glossarys(shared: Path) -> None:
    with (shared / "glossary.csv").open(encoding="utf-8", newline="") as file:
        rows = [(_plain(row["en"]), _choices(row["id"])) for row in csv.DictReader(file)]
    ours = {key.casefold(): text for key, text in catalogue("id").items()}
    met = {en: (ours[en.casefold()], choices) for en, choices in rows if en.casefold() in ours}
    wrong = {
        en: (text, choices)
        for en, (text, choices) in met.items()
        if text.casefold() not in choices and en not in OTHERWISE
    }
    assert not wrong
    assert len(met) >= 25, "the screens use the field's words"


def _plain(text: str) -> str:
    """Without what stands in brackets: "Key Performance Indicator (KPI)"."""
    return re.sub(r"\s*\(.*?\)", "", text).strip()


def _choices(text: str) -> set[str]:
    """ "Tanpa Keterangan (Alpa)" may be said with or without its brackets."""
    whole = {text, _plain(text), *(_plain(part) for part in text.split(" / "))}
    return {one.strip().casefold() for one in whole}


# -- forms ---------------------------------------------------------------------------------------


def test_ages_in_indonesian_are_cldrs() -> None:
    for span, unit, length, n in (
        (timedelta(minutes=38), "minute", "short", 38),
        (timedelta(hours=5), "hour", "long", 5),
        (timedelta(days=1204), "day", "long", 1204),
    ):
        assert ID.age(span) == format_unit(n, f"duration-{unit}", length=length, locale="id")


def test_times_dates_and_lists_are_each_languages_own() -> None:
    at = datetime(2026, 8, 17, 1, 42, tzinfo=UTC)
    day = at.date()
    assert (ID.clock(at), EN.clock(at), ID.minute(501), EN.minute(501)) == (
        "08.42",
        "08:42",
        "08.21",
        "08:21",
    )
    assert (ID.moment(at), EN.moment(at)) == ("Senin 08.42", "Monday 08:42")
    assert (ID.date(day), EN.date(day)) == ("Senin, 17 Agustus 2026", "Monday, 17 August 2026")
    assert (ID.day(day), EN.day(day)) == ("17\u00a0Agu", "17\u00a0Aug")
    assert (ID.list(["a", "b", "c"]), EN.list(["a", "b", "c"])) == ("a, b, dan c", "a, b and c")
    assert (ID.list(["a"]), ID.list([])) == ("a", "")


def test_figures_are_each_languages_own() -> None:
    assert (ID.number(1204), EN.number(1204)) == ("1.204", "1,204")
    assert (ID.share(0.124), EN.share(0.124)) == ("12,4\u00a0%", "12.4\u00a0%")
    assert ID.money(1_204_567) == "Rp\u00a01.204.567"


def test_one_of_a_thing_is_said_as_one() -> None:
    form = (
        "{n} open request names a kelurahan that is not on the map.",
        "{n} open requests name a kelurahan that is not on the map.",
    )
    assert EN.n(*form, 1).startswith("1 open request names")
    assert EN.n(*form, 1204).startswith("1,204 open requests name")
    assert ID.n(*form, 1).startswith("1 laporan terbuka")
    assert ID.n(*form, 1204).startswith("1.204 laporan terbuka")
    assert (EN.limit(1, Unit.DAYS), EN.limit(7, Unit.DAYS)) == ("1\u00a0day", "7\u00a0days")
    assert (EN.figure(1.0, Unit.HOURS), ID.figure(1.0, Unit.DAYS)) == ("1.0\u00a0hours", "1,0\u00a0hari")
