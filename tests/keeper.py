"""Owns the server processes of a test session and ends them, however the session ends.

A session that is killed runs no clean-up of its own, so a guardian process watches the other end
of a pipe: when the session is gone, the guardian kills what is left and removes the folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


class Keeper:
    """Starts servers, each in a process group of its own, below one temporary `folder`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pendopo-test-"))
        self.folder.chmod(0o755)  # PostgreSQL refuses to run as root: its own user has to get in
        self._count = 0
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._guardian = subprocess.Popen(
            [sys.executable, "-I", __file__, str(self.folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def subfolder(self, name: str) -> Path:
        """A new empty folder for one server."""
        self._count += 1
        path = self.folder / f"{name}-{self._count}"
        path.mkdir()
        return path

    def start(
        self,
        argv: Sequence[str | Path],
        *,
        log: Path,
        user: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Starts one server; what it prints goes to `log`."""
        with log.open("ab") as out:
            process = subprocess.Popen(
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                env=None if env is None else dict(env),
                cwd=cwd,
            )
        self._running[process.pid] = process
        self._tell(f"+{process.pid}")
        return process

    def end(self, process: subprocess.Popen[bytes], sign: int = signal.SIGTERM) -> int:
        """Sends `sign`, waits, kills when that was not enough; gives the exit code."""
        if process.poll() is None:
            process.send_signal(sign)
        try:
            code = process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        if self._running.pop(process.pid, None):
            self._tell(f"-{process.pid}")
        return code

    def close(self) -> None:
        """Ends everything that still runs and removes the folder."""
        for process in list(self._running.values()):
            self.end(process, signal.SIGKILL)
        if self._guardian.stdin:
            self._guardian.stdin.close()
        self._guardian.wait(30)

    def _tell(self, line: str) -> None:
        if self._guardian.stdin and not self._guardian.stdin.closed:
            self._guardian.stdin.write(f"{line}\n".encode())
            self._guardian.stdin.flush()


def wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, patience_s: float = 30
) -> None:
    """Waits for `ready()`; RuntimeError with the end of the log when the server died or never answered."""
    end = time.monotonic() + patience_s
    while process.poll() is None and time.monotonic() < end:
        if ready():
            return
        time.sleep(0.03)
    what = "is not ready" if process.poll() is None else f"ended with {process.returncode}"
    tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
    raise RuntimeError(f"{process.args!r} {what}\n{tail}")


def _guard(folder: str) -> None:
    """The guardian: remembers who runs, and when the session's pipe closes kills them and sweeps."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    running: set[int] = set()
    for line in sys.stdin:
        (running.add if line[0] == "+" else running.discard)(int(line[1:]))
    for pid in running:
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    for _ in range(20):  # a dying database may still write while its folder goes
        shutil.rmtree(folder, ignore_errors=True)
        if not Path(folder).exists():
            return
        time.sleep(0.1)


if __name__ == "__main__":
    _guard(sys.argv[1])
