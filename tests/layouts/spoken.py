"""What the source says to people, read from its syntax: message ids, and texts that go past the catalogue.

A text is said through `w.t("…")`, `w.n("…", "…", n)` or, from a table, `msg("…")`. Everything else that
looks like words is found out here: a sentence made of pieces cannot be translated, and a literal in a
component is English for everybody.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAYING = ("t", "n", "msg")
# Properties that no person reads, and calls whose literals are codes: markup, look-ups, the log.
_UNSEEN = """
    className class_ id href rel target role type lang scope kind name path media sizes src hrefLang rules
    encoding autoComplete inputMode method dateTime
"""
_CODE = """
    slot classes getattr hasattr element href ago drawing line Svg flat Look TypeError ValueError KeyError
    ConfigError replace removeprefix removesuffix split startswith endswith join strftime get pop format_date
    format_time format_decimal TypeVar NewType compile sub match search fullmatch debug info warning error
    exception import_module open Path ZoneInfo encode decode partition rpartition
"""
_WORDS = re.compile(r"[A-Za-z]{2,}[’']?[a-z]* [A-Za-z(]|^[A-Z][a-z]+\b|[a-z]{2,}[.!?]$")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_MARKUP = {"html", "dbc"}
# Our own helpers whose arguments are shown as they are.
_SHOWING = {"section", "nothing", "gap", "Column", "two_lines", "behind"}
_TAG = re.compile(r"<[^>]*>?")


@dataclass(frozen=True, slots=True)
class Found:
    """A text at its place in the source."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text!r}"


def modules(*packages: str) -> Iterator[tuple[Path, ast.Module]]:
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def name_of(call: ast.Call) -> str:
    """`t` of `w.t(…)`, `msg` of `msg(…)`."""
    return getattr(call.func, "attr", None) or getattr(call.func, "id", None) or ""


def is_saying(node: ast.AST) -> bool:
    """Whether a call hands a text to the catalogue. `n` and `t` are methods, so that no variable is meant."""
    if not isinstance(node, ast.Call) or not node.args:
        return False
    name = name_of(node)
    return name == "msg" or (name in SAYING and isinstance(node.func, ast.Attribute))


def _arms(node: ast.expr) -> Iterator[ast.expr]:
    """Both texts of `a if x else b`."""
    if isinstance(node, ast.IfExp):
        yield from _arms(node.body)
        yield from _arms(node.orelse)
    else:
        yield node


def given(call: ast.Call) -> list[ast.expr]:
    """The arguments of a saying call that are texts: two of `w.n`, one of the others."""
    texts = call.args[:2] if name_of(call) == "n" else call.args[:1]
    return [arm for text in texts for arm in _arms(text)]


def messages(tree: ast.Module) -> set[str]:
    """The literal texts handed to the catalogue; of a message that counts, the singular, which is its id."""
    found = set()
    for node in ast.walk(tree):
        if is_saying(node):
            assert isinstance(node, ast.Call)
            texts = given(node)[:1] if name_of(node) == "n" else given(node)
            found |= {
                one.value for one in texts if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    return found


def forms(tree: ast.Module) -> set[str]:
    """As `messages`, with the plural of those that count."""
    plurals = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and is_saying(node)]
    texts = [text for node in plurals for text in given(node)]
    return {one.value for one in texts if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def built(path: Path, tree: ast.Module) -> list[Found]:
    """Texts handed to the catalogue that are put together first: no catalogue can hold them."""
    found = []
    for node in ast.walk(tree):
        if is_saying(node):
            assert isinstance(node, ast.Call)
            found += [
                Found(_where(path, text), ast.unparse(text))
                for text in given(node)
                if isinstance(text, ast.JoinedStr | ast.BinOp)
            ]
    return found


def unsaid(path: Path, tree: ast.Module) -> list[Found]:
    """Literals that look like words and reach a person without the catalogue."""
    looked = _Unsaid(path)
    looked.visit(tree)
    return looked.found


class _Unsaid(ast.NodeVisitor):
    """Walks a module; `in_component` is true inside a call of `html.X(…)` or `dbc.X(…)`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: list[Found] = []
        self.in_component = False

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and self._reads_like_words(node.value):
            self.found.append(Found(_where(self.path, node), node.value))

    def _reads_like_words(self, text: str) -> bool:
        return bool((_LETTERS if self.in_component else _WORDS).search(_TAG.sub("", text)))

    def visit_Call(self, node: ast.Call) -> None:
        name = name_of(node)
        owner = getattr(getattr(node.func, "value", None), "id", None)
        self.visit(node.func)
        if name in _CODE.split() or (is_saying(node) and name != "n"):
            inside: list[ast.AST] = []
        else:
            inside = [*node.args[2:]] if name == "n" and is_saying(node) else [*node.args]
        before, self.in_component = self.in_component, owner in _MARKUP or name in _SHOWING
        for part in inside:
            self.visit(part)
        for keyword in node.keywords:
            if keyword.arg not in _UNSEEN.split():
                self.visit(keyword.value)
        self.in_component = before

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring is for us
            self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        """Keys are codes. A property's value counts by its name: aria-label is read out, role is not."""
        for key, value in zip(node.keys, node.values, strict=True):
            name = key.value if isinstance(key, ast.Constant) else ""
            if name in ("aria-label", "aria-description", "title", "alt", "placeholder") or key is None:
                before, self.in_component = self.in_component, True
                self.visit(value)
                self.in_component = before
            elif not (isinstance(name, str) and name.startswith(("aria-", "data-"))):
                self.visit(value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)

    def visit_Compare(self, node: ast.Compare) -> None:
        """What is compared is a code."""

    def visit_Raise(self, node: ast.Raise) -> None:
        """An error is for the log."""

    def visit_Assign(self, node: ast.Assign) -> None:
        named = {getattr(target, "id", "") for target in node.targets}
        if not named & {"__all__", "_type", "_namespace"}:
            self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_arg(self, node: ast.arg) -> None:
        """Annotations say nothing."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for part in [*node.args.defaults, *filter(None, node.args.kw_defaults), *node.body]:
            self.visit(part)


def _where(path: Path, node: ast.expr) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno}"


_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_LINE_COMMENT = re.compile(r"(^|[^:\"'])//[^\n]*")
_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"|\'((?:[^\'\\\n]|\\.)*)\'|`((?:[^`\\]|\\.)*)`')
# Two words in a row, or a word with a capital that is no name of an event, a key or a class.
_SCRIPT_WORDS = re.compile(r"^[A-Z][a-z]+( |$)|[A-Za-z]{2,} [A-Za-z]{2,}")
_KEYS = {"Enter", "Escape", "Tab", "Home", "End", "Space", "GET", "POST", "HEAD", "Svg", "Flat"}
_SINK = re.compile(
    r"(textContent|innerText|nodeValue|title|placeholder|alt)\s*=\s*[\"'`]([^\"'`]*[A-Za-z]{2}[^\"'`]*)"
    r"|[\"']aria-(?:label|description|valuetext)[\"']\s*[,:]\s*[\"'`]([^\"'`]*[A-Za-z]{2}[^\"'`]*)"
)
_CONTENT = re.compile(r"content:\s*[\"']([^\"']*[A-Za-z]{2}[^\"']*)")


def said_by_script(text: str, suffix: str) -> list[str]:
    """Texts of a script or a style sheet that a person would read or hear."""
    text = _COMMENT.sub("", text)
    if suffix == ".css":
        return _CONTENT.findall(text)
    text = _LINE_COMMENT.sub(r"\1", text)
    strings = ["".join(groups) for groups in _STRING.findall(text)]
    words = [one for one in strings if _SCRIPT_WORDS.search(one) and one not in _KEYS and not _is_code(one)]
    return words + ["".join(groups) for groups in _SINK.findall(text)]


def _is_code(text: str) -> bool:
    """A directive, a selector, a header."""
    return text == "use strict" or bool(re.search(r"[#\[\]>:=;{}]", text))
