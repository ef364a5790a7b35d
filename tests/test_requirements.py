"""What is pinned, what is imported, and under which licences."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

PACKAGES = ("kpis", "ingest", "layouts", "dashboard")

# Installed without being imported: named in an URL or in an argument, or data for a library.
NOT_IMPORTED = {
    "tzdata": "time zones for zoneinfo where the system has none",
    "psycopg2-binary": "SQLAlchemy's driver for postgresql+psycopg2://",
    "pymysql": "SQLAlchemy's driver for mysql+pymysql://",
    "uvloop": "uvicorn's event loop",
    "httptools": "uvicorn's parser of HTTP",
    "pandas": "of the stack a city counts on: for work on the tables beside the pages",
}


def pins(file: str) -> dict[str, str]:
    """Package → exact version, as a requirements file pins them."""
    found: dict[str, str] = {}
    for line in (ROOT / file).read_text().splitlines():
        if line and not line.startswith(("#", "-r ")):
            name, _, version = line.partition("==")
            found[canonicalize_name(name)] = version
    return found


def direct() -> set[str]:
    """The packages above the line: those the code itself asks for."""
    upper = (ROOT / "requirements.txt").read_text().partition("# Needed by those above.")[0]
    return {canonicalize_name(line.partition("==")[0]) for line in upper.splitlines() if "==" in line}


def needed(names: set[str], extras: dict[str, set[str]]) -> set[str]:
    """`names` and everything they pull in on this machine, by their own metadata."""
    seen: set[tuple[str, str]] = set()
    todo = [(name, extra) for name in names for extra in ("", *extras.get(name, ()))]
    while todo:
        name, extra = todo.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for line in metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                child = canonicalize_name(requirement.name)
                todo += [(child, wanted) for wanted in ("", *requirement.extras)]
    return {name for name, _ in seen}


def test_every_pin_is_exact() -> None:
    for file in ("requirements.txt", "requirements-dev.txt"):
        for name, version in pins(file).items():
            assert re.fullmatch(r"[0-9][0-9a-z.]*", version), f"{file}: {name}"


def test_everything_the_application_pulls_in_is_pinned_and_nothing_else() -> None:
    assert needed(direct(), {}) == set(pins("requirements.txt"))


def test_everything_the_tests_pull_in_is_pinned() -> None:
    both = set(pins("requirements.txt")) | set(pins("requirements-dev.txt"))
    assert needed(both, {}) == both


def imported(folder: Path) -> Iterator[str]:
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def test_what_is_imported_is_what_the_upper_part_names() -> None:
    providers = metadata.packages_distributions()
    used = set()
    for package in PACKAGES:
        for module in imported(ROOT / package):
            if module not in sys.stdlib_module_names and module not in PACKAGES:
                used.add(canonicalize_name(providers[module][0]))
    assert used - direct() == set(), "imported, but not pinned in the upper part"
    assert direct() - used - set(NOT_IMPORTED) == set(), "pinned in the upper part, but not imported"


# docs/adr/0001-licence.md: what goes with the AGPL, as the packages' metadata spell it.
COMPATIBLE = (
    "MIT", "MIT-0", "ISC", "0BSD", "Zlib", "CC0-1.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "BSD License",
    "BSD 3-Clause License", "Apache-2.0", "Apache 2", "Apache Software License", "Apache License",
    "ISC License", "ISC License (ISCL)", "PSF-2.0", "MPL-2.0", "LGPL with exceptions", "MIT License",
    "Dual License",
)  # fmt: skip


def licence(name: str) -> str:
    about = metadata.metadata(name)
    named = (about[field] for field in ("License-Expression", "License") if field in about)
    text = next(named, "")
    if not text or len(text) > 80:
        trove = [line.split(" :: ")[-1] for line in about.get_all("Classifier") or () if "License ::" in line]
        return " AND ".join(trove)
    return text.splitlines()[0].strip()


def compatible(text: str) -> bool:
    """Whether one arm of `a OR b` holds nothing but licences of the table."""
    arms = text.split(" OR ")
    return any(all(part.strip() in COMPATIBLE for part in arm.split(" AND ")) for arm in arms)


@pytest.mark.parametrize("name", sorted(pins("requirements.txt")))
def test_every_dependency_goes_with_the_licence(name: str) -> None:
    assert compatible(licence(name)), f"{name}: {licence(name)!r} is not in docs/adr/0001-licence.md"


def test_a_licence_outside_the_table_is_refused() -> None:
    assert not compatible("GPL-2.0-only")
    assert not compatible("EPL-2.0")
    assert not compatible("")
    assert compatible("EPL-2.0 OR BSD-3-Clause")
