"""How many pages a process may serve: the limit of file descriptors, raised or said."""

from __future__ import annotations

import resource
import subprocess
import sys

from tests.conftest import ROOT

_ASK = """
import logging, resource
logging.basicConfig(format="%(message)s")
from dashboard.server import room_for
print(room_for(3000))
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def asked(soft: int, hard: int) -> tuple[list[str], str]:
    """What `room_for` says in a process with these limits: its lines on stdout, and stderr."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    found = subprocess.run(
        [sys.executable, "-c", _ASK], cwd=ROOT, preexec_fn=limit, capture_output=True, text=True, check=True
    )
    return found.stdout.split(), found.stderr


def test_the_limit_of_open_files_is_raised_for_the_configured_pages() -> None:
    assert asked(1024, 4096) == (["3000", "3256"], "")


def test_a_limit_that_cannot_be_raised_is_said_at_the_start_and_kept_to() -> None:
    """Else the last pages would take the descriptors the store needs."""
    served, told = asked(1024, 2000)
    assert served == ["1744", "2000"]
    assert "web.viewers is 3000" in told
    assert "at most 1744 pages" in told
