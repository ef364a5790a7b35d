"""Whatever a page says, it can say in Indonesian; and a translation fills in what its message holds."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from kpis.catalogue import DOMAINS
from kpis.opd_integration import ladder
from kpis.views import Step
from layouts.words import LOCALE, catalogue

ROOT = Path(__file__).parents[2]
FIELDS = re.compile(r"\{(\w+)\}")


def _literals(path: Path) -> set[str]:
    """The texts given to `w.t(...)` and `msg(...)` in one module."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        text = node.args[0]
        if name in ("t", "msg") and isinstance(text, ast.Constant) and isinstance(text.value, str):
            found.add(text.value)
    return found


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
    found = {text for path in (ROOT / "layouts").rglob("*.py") for text in _literals(path)}
    return found | {kpi.title for domain in DOMAINS for kpi in domain.kpis} | _lacks()


def test_the_collector_sees_what_it_should() -> None:
    assert {"Open requests", "Needs attention", "register an interface", "WATCH"} <= said()
    assert len(_lacks()) == len(Step) - 1, "every step but the top lacks something"


def test_every_message_has_an_indonesian_text() -> None:
    missing = sorted(said() - set(catalogue("id")))
    assert not missing, missing


def test_a_translation_fills_in_the_same_values() -> None:
    wrong = {
        key: text
        for key, text in catalogue("id").items()
        if set(FIELDS.findall(key)) != set(FIELDS.findall(text))
    }
    assert not wrong


@pytest.mark.parametrize("language", sorted(folder.name for folder in LOCALE.iterdir() if folder.is_dir()))
def test_a_catalogue_says_each_message_once(language: str) -> None:
    path = LOCALE / language / "LC_MESSAGES" / "pendopo.po"
    ids = re.findall(r'^msgid "(.+)"$', path.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(ids) == sorted(set(ids)), [text for text in ids if ids.count(text) > 1]
    with path.open("rb") as file:
        assert len(read_po(file, locale=language)) == len(ids)
