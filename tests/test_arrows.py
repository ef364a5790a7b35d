"""dashboard → layouts → kpis ← ingest: the contracts of pyproject.toml hold, and they bite."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("kpis", "ingest", "layouts", "dashboard")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    argv = [sys.executable, "-c", command, "--no-cache", "--no-logo"]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The four packages and their contracts without any module, to plant imports in."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    return tmp_path


def test_the_arrows_between_the_packages_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_arrows_allow_what_the_architecture_draws(tree: Path) -> None:
    (tree / "kpis" / "types.py").write_text("x = 1\n")
    (tree / "layouts" / "wall.py").write_text("from kpis import types\n")
    (tree / "ingest" / "pipeline.py").write_text("from kpis import types\n")
    (tree / "dashboard" / "app.py").write_text("from kpis import types\nfrom layouts import wall\n")
    done = lint(tree)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("kpis", "ingest"),
        ("kpis", "layouts"),
        ("kpis", "dashboard"),
        ("ingest", "layouts"),
        ("ingest", "dashboard"),
        ("layouts", "ingest"),
        ("layouts", "dashboard"),
        ("dashboard", "ingest"),
    ],
)
def test_an_import_against_the_arrows_is_refused(tree: Path, importer: str, imported: str) -> None:
    (tree / imported / "wanted.py").write_text("x = 1\n")
    (tree / importer / "planted.py").write_text(f"def late():\n    from {imported} import wanted\n")
    done = lint(tree)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{importer}.planted -> {imported}.wanted" in done.stdout


def test_a_roundabout_way_against_the_arrows_is_refused(tree: Path) -> None:
    (tree / "kpis" / "helper.py").write_text("import sqlite3\n")
    (tree / "layouts" / "panel.py").write_text("import sqlalchemy\n")
    done = lint(tree)
    assert done.returncode == 1
    assert "layouts.panel -> sqlalchemy" in done.stdout
