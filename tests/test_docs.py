"""What is not documented does not exist: config keys, commands, pages, KPIs and variables."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingest.arrivals import Arrival
from ingest.mapping import field_maps
from ingest.reading import Kept, Reader
from ingest.records import RECORDS
from kpis import config
from kpis.catalogue import catalogue
from layouts.pages import PAGES
from tests.conftest import ROOT, FrozenClock

DOCS = ("README.md", "docs/operate.md", "docs/connect-a-source.md", "docs/screens.md")
ENVIRON = {"SP4N_PASSWORD": "rahasia", "PENDOPO_STORE_PASSWORD": "rahasia"}

# Written by `./run demo` into a file of its own; nobody writes them by hand.
OF_THE_DEMO = {"pretend", "clock"}


def text_of(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def everything_on() -> dict[str, Any]:
    """config.toml with all its commented examples switched on."""
    lines = []
    for line in text_of("config.toml").splitlines():
        example = re.match(r"# (\[\[\w+\]\]|\w+ = )", line)
        lines.append(line.removeprefix("# ") if example else line)
    return tomllib.loads("\n".join(lines))


class Asked(dict[str, Any]):
    """A table that remembers, in `keys`, which of its keys were asked for, present or not."""

    def __init__(self, data: Mapping[str, Any], path: str, keys: set[str]) -> None:
        super().__init__({name: self._wrap(value, f"{path}{name}", keys) for name, value in data.items()})
        self._path, self._keys = path, keys

    @staticmethod
    def _wrap(value: Any, path: str, keys: set[str]) -> Any:
        if isinstance(value, list):
            return [Asked._wrap(item, path, keys) for item in value]
        return Asked(value, f"{path}.", keys) if isinstance(value, dict) else value

    def get(self, name: str, default: Any = None) -> Any:
        self._keys.add(self._path + name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self._keys.add(f"{self._path}{name}")
        return super().__contains__(name)


def written(data: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Every key of the file, dotted; the entries of a list of tables share one path."""
    for name, value in data.items():
        yield path + name
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from written(inner, f"{path}{name}.")


def general(keys: set[str]) -> set[str]:
    """Keys of any one KPI stand for those of all; a mapping's fields are the feed's, not ours."""
    named = {re.sub(r"^kpi\.\w+", "kpi.*", key) for key in keys}
    return {key for key in named if not key.startswith("source.map.")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files config.toml's examples name."""
    codes = ["dukcapil", *(opd["code"] for opd in tomllib.loads(text_of("config.toml"))["city"]["opd"])]
    rows = [f"{code},Dinas {code},{code},Office of {code},10" for code in codes]
    head = "code,name,abbreviation,english,employees"
    (tmp_path / "opd.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
    (tmp_path / "ca.pem").touch()
    return tmp_path


def both_ways() -> list[dict[str, Any]]:
    """The whole file, once with the list of OPD and once with a file of them: one excludes the other."""
    data = everything_on()
    return [
        {**data, "city": {key: value for key, value in data["city"].items() if key != left_out}}
        for left_out in ("opd", "opd_file")
    ]


def test_every_config_key_is_documented_in_place(folder: Path) -> None:
    asked: set[str] = set()
    for data in both_ways():
        config.parse(Asked(data, "", asked), folder / "config.toml", ENVIRON)
    undocumented = general(asked) - general(set(written(everything_on()))) - OF_THE_DEMO
    assert undocumented == set()


def test_every_documented_key_is_one_the_code_asks_for(folder: Path) -> None:
    # `parse` refuses a key it does not know, so a documented key that went away fails here
    for data in both_ways():
        assert config.parse(data, folder / "config.toml", ENVIRON).sources


def test_config_toml_as_it_stands_is_valid() -> None:
    assert config.load(ROOT / "config.toml", {}).city.opds


# --- Commands ----------------------------------------------------------------------------------


def commands() -> set[str]:
    """The words `run` acts on."""
    cases = text_of("run").partition("case $command in")[2]
    return set(re.findall(r"^ {4}([a-z]+)\b.*\)", cases, re.MULTILINE))


def test_every_command_is_in_its_own_help_and_in_the_documents() -> None:
    help_text = subprocess.run([ROOT / "run", "help"], capture_output=True, text=True, check=True).stdout
    documents = "".join(text_of(file) for file in DOCS)
    assert len(commands()) >= 8
    for command in commands():
        assert f"./run {command}" in help_text
        assert re.search(rf"\./run {command}\b", documents), command


@pytest.mark.parametrize("file", DOCS)
def test_documents_name_only_commands_that_exist(file: str) -> None:
    assert set(re.findall(r"\./run ([a-z]+)", text_of(file))) - commands() == set()


def test_every_environment_variable_is_documented() -> None:
    sources = [ROOT / "run", *(file for package in ("kpis", "ingest", "layouts", "dashboard", "tests")
                               for file in (ROOT / package).rglob("*.py"))]  # fmt: skip
    names = {name for file in sources for name in re.findall(r"\bPENDOPO_[A-Z_]+\b", file.read_text())}
    undocumented = {name for name in names if name not in text_of("docs/operate.md") + text_of("config.toml")}
    assert undocumented == set()


# --- Pages and KPIs ----------------------------------------------------------------------------


def test_every_page_is_documented() -> None:
    operate = text_of("docs/operate.md")
    for page in PAGES:
        assert f"`{page.path}`" in operate, page.path


def test_every_kpi_has_a_target_and_an_owner() -> None:
    settings = config.load(ROOT / "config.toml", {})
    assert set(settings.kpis) == set(catalogue())
    for key, of in settings.kpis.items():
        assert of.city is not None, key
        assert of.owner in {opd.code for opd in settings.city.opds}, key


def test_the_table_of_feeds_is_what_the_pipeline_takes() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", text_of("docs/connect-a-source.md"), re.MULTILINE)
    documented = {feed: (required.split(", "), optional.split(", ")) for feed, required, optional in rows}
    taken = {}
    for feed, record in RECORDS.items():
        fields = msgspec.structs.fields(record)
        required = [field.encode_name for field in fields if field.required]
        taken[feed] = (required, [field.encode_name for field in fields if not field.required])
    assert documented == taken
    assert set(config.FEEDS) == set(taken)


# --- The documents themselves ------------------------------------------------------------------


@pytest.mark.parametrize("file", [*DOCS, "CHANGELOG.md"])
def test_links_lead_somewhere(file: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text_of(file)):
        if not target.startswith("http"):
            assert ((ROOT / file).parent / target).exists(), target


def fenced(language: str) -> Iterator[tuple[str, str]]:
    for file in DOCS:
        for block in re.findall(rf"```{language}\n(.*?)```", text_of(file), re.DOTALL):
            yield file, block


@pytest.mark.parametrize(("file", "block"), list(fenced("toml")))
def test_configuration_in_the_documents_is_valid(file: str, block: str, folder: Path) -> None:
    variables = dict.fromkeys(re.findall(r"\$\{(\w+)\}", block), "rahasia")
    changes = tomllib.loads(block)
    merged = tomllib.loads(text_of("config.toml"))
    for name, value in changes.items():
        merged[name] = {**merged.get(name, {}), **value} if isinstance(value, dict) else value
    settings = config.parse(merged, folder / "config.toml", variables)
    assert set(field_maps(settings)) == {source.name for source in settings.sources if source.mapping}


def published() -> Iterator[tuple[str, str]]:
    """Topic and payload of every `mosquitto_pub` in the documents."""
    for _, block in fenced("sh"):
        yield from re.findall(r"mosquitto_pub\b.*?-t (\S+).*?-m '(.*?)'", block, re.DOTALL)


@pytest.mark.parametrize(("topic", "payload"), list(published()))
def test_messages_in_the_documents_are_taken(topic: str, payload: str, clock: FrozenClock) -> None:
    feed, source = topic.split("/")[2:]
    reader = Reader(config.load(ROOT / "config.toml", {}), clock)
    arrival = Arrival(source, "city", feed, payload.encode(), clock(), "mqtt", topic)
    assert [type(found) for found in reader.read([arrival])] == [Kept]
