"""`./run` on a machine that has nothing yet: packages, locks, messages, signals."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.keeper import Keeper
from tests.servers import free_port

PROGRAM = """\
import json, os, signal, sys, time
from ground import VERSION
if sys.argv[1:] == ["wait"]:
    def end(number, frame):
        print("ended by", signal.Signals(number).name, flush=True)
        sys.exit(7)
    signal.signal(signal.SIGTERM, end)
    print("waiting as", os.getpid(), flush=True)
    time.sleep(60)
print(json.dumps([VERSION, sys.argv[1:], os.getcwd()]))
"""


def wheel(folder: Path, version: str) -> None:
    """A package named ground that knows its version, as pip installs it without any network."""
    folder.mkdir(exist_ok=True)
    about = f"ground-{version}.dist-info"
    with zipfile.ZipFile(folder / f"ground-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr("ground.py", f"VERSION = '{version}'\n")
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: ground\nVersion: {version}\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", f"ground.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n")


class Clone:
    """A clone with the real `run`, whose demo is a small program and whose one package is `ground`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "pendopo"
        self.wheels = folder / "wheels"
        (self.folder / "ingest").mkdir(parents=True)
        shutil.copy(ROOT / "run", self.folder)
        (self.folder / "ingest" / "__init__.py").touch()
        (self.folder / "ingest" / "demo.py").write_text(PROGRAM)
        self.pin("1.0")

    def pin(self, version: str) -> None:
        wheel(self.wheels, version)
        (self.folder / "requirements.txt").write_text(f"ground=={version}\n")

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        pip = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels)}
        return {**kept, **pip, **more}

    def run(self, *arguments: str, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.folder / "run", *arguments],
            cwd=cwd or self.folder,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def popen(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.folder / "run", *arguments],
            env=self.environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone that has been started once. Tests that change its installation take `clone`."""
    clone = Clone(tmp_path_factory.mktemp("started"))
    done = clone.run("demo")
    assert done.returncode == 0, done.stderr
    return clone


def test_run_alone_lists_the_commands(started: Clone) -> None:
    done = started.run()
    assert done.returncode == 0
    for command in ("demo", "serve", "ingest", "import", "kpis", "replay", "test", "check"):
        assert f"./run {command}" in done.stdout


def test_an_unknown_command_is_named_and_ends_with_2(started: Clone) -> None:
    done = started.run("demmo")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "no command 'demmo'" in done.stderr
    assert "./run demo" in done.stderr


def test_the_first_start_installs_and_tells_it_in_two_lines(clone: Clone) -> None:
    done = clone.run("demo", "--seed", "7")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f'["1.0", ["--seed", "7"], "{clone.folder}"]'
    assert len(done.stderr.splitlines()) == 2, done.stderr


def test_a_later_start_says_nothing_of_its_own(started: Clone) -> None:
    assert started.run("demo").stderr == ""


def test_a_changed_pin_is_installed(clone: Clone) -> None:
    assert '"1.0"' in clone.run("demo").stdout
    clone.pin("2.0")
    assert '"2.0"' in clone.run("demo").stdout


def test_an_interrupted_install_is_done_again(clone: Clone) -> None:
    clone.run("demo")
    package = next((clone.folder / ".venv").glob("lib/python3*/site-packages/ground.py"))
    package.write_text("torn")
    (clone.folder / ".venv" / "complete").unlink()
    done = clone.run("demo")
    assert done.returncode == 0, done.stderr
    assert '"1.0"' in done.stdout


def test_a_start_that_is_killed_while_installing_leaves_nothing_half_done(clone: Clone) -> None:
    first = clone.popen("demo")
    time.sleep(1.0)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    done = clone.run("demo")
    assert done.returncode == 0, done.stderr
    assert '"1.0"' in done.stdout


def test_two_starts_at_once_do_not_break_each_other(clone: Clone) -> None:
    both = [clone.popen("demo"), clone.popen("demo")]
    for process in both:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert '"1.0"' in out


def test_without_a_network_one_line_says_so(clone: Clone) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/simple"
    done = clone.run("demo", PIP_NO_INDEX="0", PIP_FIND_LINKS="", PIP_INDEX_URL=nowhere)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "cannot be reached" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_pin_nobody_offers_is_named(clone: Clone) -> None:
    (clone.folder / "requirements.txt").write_text("ground==9.9\n")
    done = clone.run("demo")
    assert done.returncode == 1
    assert "ground==9.9" in done.stderr.splitlines()[-1]


@pytest.fixture
def foreign(clone: Clone) -> Iterator[Clone]:
    """A clone in a folder that belongs to somebody else."""
    clone.folder.chmod(0o555)
    yield clone
    clone.folder.chmod(0o755)


def test_a_folder_that_cannot_be_written_is_named(foreign: Clone, keeper: Keeper) -> None:
    folder = keeper.subfolder("foreign") / "pendopo"  # pytest's own folders are closed to other users
    shutil.copytree(foreign.folder, folder)
    user = None
    if os.geteuid() == 0:
        user = pwd.getpwnam("nobody").pw_uid
    done = subprocess.run(
        [folder / "run", "demo"],
        env=foreign.environment(HOME=str(folder)),
        user=user,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"cannot write to {folder}" in done.stderr.splitlines()[-1]


def test_files_are_named_from_where_the_person_stands(started: Clone, tmp_path: Path) -> None:
    (tmp_path / "laporan.csv").touch()
    done = started.run("demo", "service_request", "laporan.csv", "--map", "a.b", cwd=tmp_path)
    expected = f'["service_request", "{tmp_path}/laporan.csv", "--map", "a.b"]'
    assert expected in done.stdout, done.stdout + done.stderr


def test_signals_and_exit_codes_pass_through(started: Clone) -> None:
    process = started.popen("demo", "wait")
    assert process.stdout
    line = process.stdout.readline()
    assert line == f"waiting as {process.pid}\n"  # no shell stays in between
    process.terminate()
    assert "ended by SIGTERM" in process.communicate(timeout=20)[0]
    assert process.returncode == 7


def test_a_python_variable_of_the_person_does_not_reach_the_program(started: Clone, tmp_path: Path) -> None:
    (tmp_path / "ground.py").write_text("VERSION = 'somebody else'\n")
    assert '"1.0"' in started.run("demo", PYTHONPATH=str(tmp_path)).stdout


# --- The test session itself --------------------------------------------------------------------


def session(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """A pytest session of its own over one test file, under this project's conftest."""
    (folder / "conftest.py").write_text("from tests.conftest import *  # noqa: F403\n")
    (folder / "test_it.py").write_text(text)
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:dash"]
    return subprocess.run(
        [*argv, "--rootdir", str(folder), str(folder)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PENDOPO_SHARED": str(folder / "nowhere")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "text",
    [
        "import pytest\ndef test_a(): pytest.skip('no time today')",
        "import pytest\n@pytest.mark.skip(reason='flaky')\ndef test_a(): pass",
        "import pytest\npytest.skip('not here', allow_module_level=True)",
        "import pytest\n@pytest.mark.xfail\ndef test_a(): assert False",
    ],
)
def test_a_skipped_test_fails_the_session(tmp_path: Path, text: str) -> None:
    done = session(tmp_path, "def test_good(): pass\n" + text)
    assert done.returncode == 1, done.stdout
    assert "NOT RUN, not allowed" in done.stdout


def test_absent_shared_data_is_said_and_allowed(tmp_path: Path) -> None:
    done = session(tmp_path, "def test_good(): pass\ndef test_data(shared): assert False")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NOT RUN: " in done.stdout
    assert f"shared data absent: no folder {tmp_path / 'nowhere'}" in done.stdout


def test_servers_end_with_a_session_that_was_killed(tmp_path: Path) -> None:
    text = f"import sys, time\nsys.path.insert(0, {str(ROOT)!r})\n" + (
        "from tests.keeper import Keeper\n"
        "keeper = Keeper()\n"
        "server = keeper.start(['sleep', '600'], log=keeper.folder / 'log')\n"
        "print(server.pid, keeper.folder, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pid, folder = parent.stdout.readline().split()
    parent.kill()
    parent.communicate()
    end = time.monotonic() + 10
    while time.monotonic() < end and (Path(f"/proc/{pid}").exists() or Path(folder).exists()):
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
    assert not Path(folder).exists()
