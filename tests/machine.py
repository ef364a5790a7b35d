"""The system programs the tests run against: finds them, and installs what is missing where it may.

`python -m tests.machine` ends with 0 when all are there, else with 2 and one line that names
what is missing and the command that would bring it.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin")
_CHROMIUMS = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
_POLICY = Path("/usr/sbin/policy-rc.d")


def find_program(*names: str) -> Path | None:
    """The first of `names` on PATH or in the system's folders, which a user's PATH often lacks."""
    path = os.pathsep.join((os.environ.get("PATH", ""), *_SYSTEM_FOLDERS))
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return Path(found)
    return None


def find_postgres() -> Path | None:
    """The folder with `initdb` and `postgres`: the newest of Debian's, else the one on PATH."""

    def release(folder: Path) -> int:
        return int(folder.parent.name) if folder.parent.name.isdigit() else 0

    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=release, reverse=True):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    initdb = find_program("initdb")
    return initdb.parent if initdb and (initdb.parent / "postgres").exists() else None


def find_mariadb() -> Path | None:
    """`mariadbd`, when `mariadb-install-db` is there too."""
    return find_program("mariadbd") if find_program("mariadb-install-db") else None


def find_chromium() -> Path | None:
    """A Chromium that starts without a desktop; Ubuntu's `chromium-browser` is only a door to a snap."""
    for name in _CHROMIUMS:
        found = find_program(name)
        if found and not _is_snap(found):
            return found
    for folder in sorted(_downloads().glob("chromium-*/chrome-linux*/chrome"), reverse=True):
        return folder
    return None


def find_driver() -> Path | None:
    """Playwright's own Node.js, once it starts: a bare Debian lacks a library of it."""
    found = importlib.util.find_spec("playwright")
    if found is None or found.origin is None:
        return None
    node = Path(found.origin).parent / "driver" / "node"
    starts = subprocess.run([node, "--version"], capture_output=True, check=False).returncode == 0
    return node if starts else None


def _downloads() -> Path:
    """Where Playwright keeps the browsers it fetched itself."""
    return Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")


def _is_snap(program: Path) -> bool:
    """Snaps cannot run below a test: they need their daemon and see no temporary folder."""
    resolved = program.resolve()
    if "/snap" in str(resolved):
        return True
    with resolved.open("rb") as start:
        head = start.read(4096)
    return head.startswith(b"#!") and b"snap" in head


@dataclass(frozen=True, slots=True)
class Need:
    """One program the tests run, the Debian package that brings it, and the service that comes along."""

    name: str
    package: str
    service: str | None
    find: Callable[[], Path | None]


NEEDS = (
    Need("PostgreSQL (initdb, postgres)", "postgresql", "postgresql", find_postgres),
    Need("Mosquitto", "mosquitto", "mosquitto", lambda: find_program("mosquitto")),
    Need("NATS (nats-server)", "nats-server", "nats-server", lambda: find_program("nats-server")),
    Need("MariaDB (mariadbd, mariadb-install-db)", "mariadb-server", "mariadb", find_mariadb),
    Need("libatomic (for Playwright)", "libatomic1", None, find_driver),
    Need("Chromium", "chromium", None, find_chromium),
)


def missing() -> tuple[Need, ...]:
    """The needs this machine does not meet, in a fixed order."""
    return tuple(need for need in NEEDS if need.find() is None)


def administrator() -> list[str] | None:
    """What to put before a command that installs: nothing for root, sudo without a password, else None."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n", "env"]
    return None


@contextmanager
def _services_held(before: list[str]) -> Iterator[None]:
    """While it lasts no installed package starts its service: a broker on 1883 would be in the demo's way."""
    if _POLICY.exists():
        yield
        return
    script = f"printf '#!/bin/sh\\nexit 101\\n' > {_POLICY} && chmod 755 {_POLICY}"
    subprocess.run([*before, "sh", "-c", script], check=False)
    try:
        yield
    finally:
        subprocess.run([*before, "rm", "-f", str(_POLICY)], check=False)


def _apt(before: list[str], *arguments: str) -> bool:
    command = [*before, "DEBIAN_FRONTEND=noninteractive"] if before else []
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        [*command, "apt-get", "-qq", "-y", *arguments],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        print("\n".join(done.stderr.strip().splitlines()[-3:]), file=sys.stderr)
    return done.returncode == 0


def install(needs: tuple[Need, ...], before: list[str]) -> None:
    """Installs the packages of `needs` one by one, so that one that fails leaves the others in."""
    print("installing for the tests:", ", ".join(need.package for need in needs), file=sys.stderr, flush=True)
    with _services_held(before):
        _apt(before, "update")
        for need in needs:
            _apt(before, "install", "--no-install-recommends", need.package)
            if need.find() is None and need.package == "chromium":
                _download_chromium()
    systemctl = shutil.which("systemctl")
    if systemctl and Path("/run/systemd/system").exists():
        units = [need.service for need in needs if need.service]
        subprocess.run([*before, systemctl, "disable", "--quiet", *units], check=False, capture_output=True)


def _download_chromium() -> None:
    """Ubuntu has Chromium only as a snap; Playwright brings a plain one with the libraries it needs."""
    command = [sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"]
    subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL)


def _hint(lacking: tuple[Need, ...]) -> str:
    if all(need.find is not find_chromium for need in lacking):
        return ""
    return (
        " (Ubuntu's is a snap and does not do: .venv/bin/python -m playwright install --with-deps chromium)"
    )


def main() -> int:
    """0 when everything is there, 2 with one line that says what is missing."""
    lacking = missing()
    before = administrator()
    if lacking and before is not None and shutil.which("apt-get"):
        install(lacking, before)
        lacking = missing()
    if not lacking:
        return 0
    names = ", ".join(need.name for need in lacking)
    packages = " ".join(need.package for need in lacking)
    print(f"the tests need {names}: apt-get install {packages}{_hint(lacking)}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
