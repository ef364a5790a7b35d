"""What processes cost, from /proc: CPU time and memory of a process and all it started."""

from __future__ import annotations

import os
import time
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """`pid` and every process below it that runs now."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except FileNotFoundError:
                continue
    return found


def cpu_s(pid: int) -> float:
    """CPU seconds of a process, its children and those that ended and were waited for (proc(5), stat)."""
    ticks = 0
    for each in tree(pid):
        try:
            # The name before the last bracket may hold anything, blanks and brackets included.
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / _TICKS_PER_S


def machine_s() -> float:
    """CPU seconds of every process on this machine since it started (proc(5), /proc/stat)."""
    user, nice, system = Path("/proc/stat").read_text().split()[1:4]
    return (int(user) + int(nice) + int(system)) / _TICKS_PER_S


class Elsewhere:
    """How much of the machine other processes took, from now on until `share` is asked."""

    def __init__(self) -> None:
        self._began = self._now()

    def share(self) -> float:
        """0 when the machine was ours alone, 1 when we had none of it."""
        spans = [now - began for now, began in zip(self._now(), self._began, strict=True)]
        wall, everybody, ours = spans
        return max(everybody - ours, 0) / (wall * (os.cpu_count() or 1))

    @staticmethod
    def _now() -> tuple[float, float, float]:
        return time.monotonic(), machine_s(), cpu_s(os.getpid())


def peak_mib(pid: int) -> float:
    """The most memory a process and its children each held at once, added up (proc(5), VmHWM)."""
    kib = 0
    for each in tree(pid):
        try:
            lines = Path(f"/proc/{each}/status").read_text().splitlines()
        except FileNotFoundError:
            continue
        kib += sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return kib / 1024
