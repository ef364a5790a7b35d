"""A PostgreSQL whose disk can be filled: its data stand on a small filesystem of their own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

from tests.keeper import Keeper
from tests.servers import Postgres

_MIB = 1024 * 1024
# A server that crashed on a full disk turns connections away with the second.
_FULL = ("No space left on device", "could not write init file")


class Disk:
    """A filesystem of `mib` on `folder`: ext4 in a file where the system has loop devices, else in memory."""

    def __init__(self, folder: Path, mib: int) -> None:
        self.folder = folder
        self.kind = "ext4"
        self._image = folder.with_name("disk.img")
        self._ballast = folder / "ballast"
        folder.mkdir()
        if not self._mount_file(mib):
            self.kind = "tmpfs"
            _run("mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(folder))

    def _mount_file(self, mib: int) -> bool:
        with self._image.open("wb") as image:
            image.truncate(mib * _MIB)
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            _run("mkfs.ext4", "-q", "-F", "-m", "0", str(self._image))
            _run("mount", "-o", "loop", str(self._image), str(self.folder))
            return True
        self._image.unlink()
        return False

    def fill(self) -> None:
        """Takes all the space that is left."""
        with self._ballast.open("ab") as ballast:
            size = 64 * _MIB
            while size >= 4096:
                at = ballast.seek(0, os.SEEK_END)
                try:
                    os.posix_fallocate(ballast.fileno(), at, size)
                except OSError:
                    size //= 2

    def clear(self) -> None:
        """Gives it back."""
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", self.folder], check=False, capture_output=True)
        self._image.unlink(missing_ok=True)


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True)


def may_mount() -> bool:
    """Whether this process may mount a filesystem: root may, unless it is fenced in."""
    try:
        _run("unshare", "--mount", "true")
    except (OSError, subprocess.CalledProcessError):
        return False
    return os.geteuid() == 0


class DiskPostgres(Postgres):
    """A durable PostgreSQL of its own on a disk of `mib`; `disk` is None where mounting is not permitted."""

    disk: Disk | None = None

    def __init__(self, keeper: Keeper, mib: int) -> None:
        self._mib = mib
        try:
            super().__init__(keeper, durable=True)
        except BaseException:
            self.close()
            raise

    def _initdb(self) -> None:
        if may_mount():
            self.disk = Disk(self.folder / "disk", self._mib)
            data = self.disk.folder / "data"
            data.mkdir()
            if self._user:
                shutil.chown(data, self._user)
            (self.folder / "data").symlink_to(data)
        super()._initdb()

    def crash(self) -> None:
        """An immediate stop: no checkpoint, the log is read again at the start."""
        self._signal(signal.SIGQUIT)

    def refusals(self) -> int:
        """How often the server said that its disk is full."""
        said = self.log.read_text(errors="replace")
        return sum(said.count(words) for words in _FULL)

    def close(self) -> None:
        self.kill()
        if self.disk is not None:
            self.disk.close()
