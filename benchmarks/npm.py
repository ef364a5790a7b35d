"""Programs from npm, pinned in a folder of this package and installed into var/bench at their first use."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from benchmarks.stores import BenchmarkError
from tests import machine

_HERE = Path(__file__).resolve().parent
_CACHE = _HERE.parent / "var" / "bench"
_PINS = ("package.json", "package-lock.json")


def install(name: str, asked_by: str, more: Iterable[str] = ()) -> Path:
    """The folder with the packages that `benchmarks/NAME` pins, and with its files `more`.

    Raises BenchmarkError, naming the option that asked, when npm is missing or cannot get them.
    """
    source, cache = _HERE / name, _CACHE / name
    lock = (source / "package-lock.json").read_bytes()
    stamp, digest = cache / "installed", hashlib.sha256(lock).hexdigest()
    cache.mkdir(parents=True, exist_ok=True)
    for file in (*_PINS, *more):
        shutil.copy(source / file, cache)
    if stamp.exists() and stamp.read_text() == digest:
        return cache
    npm = machine.find_program("npm")
    if npm is None:
        raise BenchmarkError(f"{asked_by} needs npm, once, to install its packages: apt-get install npm")
    argv = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(argv, cwd=cache, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"{asked_by}: npm cannot install {name}: {done.stderr.strip()[:500]}")
    stamp.write_text(digest)
    return cache
