"""Servers under measurement and the processes of their viewers."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

from tests.keeper import Keeper, wait_until
from tests.servers import answers, free_port

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Server:
    """A server under measurement: where it listens, who it is, and what its viewers ask it."""

    name: str
    pid: int
    port: int
    question: str


class Crowd:
    """The process of the viewers. Use it as a context; it is killed at the end."""

    def __init__(self, kind: str, server: Server, viewers: int, within: float = 0.0) -> None:
        argv = [sys.executable, "-m", "benchmarks.live_crowd", kind, str(server.port), str(viewers)]
        argv += ["--ask", server.question, "--within", str(within)]
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ready(self, patience: float) -> bool:
        """Whether every viewer shows a state by then."""
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], patience)[0]:
            return False
        self._line()
        return True

    def begin(self) -> None:
        self._tell("begin")

    def end(self, version: int) -> dict[str, Any]:
        """What they heard, once all show this version or have had time to."""
        self._tell(f"end {version}")
        found: dict[str, Any] = json.loads(self._line())
        return found

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the viewers' process ended before it was asked to")
        return line


@contextmanager
def serving(keeper: Keeper, config: Path, name: str) -> Iterator[Server]:
    """`dashboard`, or one of the peers, on the store of `config`."""
    port = free_port()
    module = ["dashboard"] if name == "dashboard" else ["benchmarks.live_peers", name]
    argv = [sys.executable, "-m", *module, "--config", str(config), "--port", str(port)]
    log = keeper.folder / f"{name}-{port}.log"
    process = keeper.start(argv, log=log, cwd=ROOT)
    try:
        wait_until(lambda: answers(port), process, log)
        yield Server(name, process.pid, port, _question(name, port))
    finally:
        keeper.end(process)
        said = log.read_text(errors="replace").strip()
        if "Traceback" in said:
            print(f"{name} said: {said[-2000:]}", file=sys.stderr, flush=True)


def rss_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def socket_mib() -> float:
    """What the kernel keeps for all TCP sockets of the machine (proc(5), /proc/net/sockstat)."""
    words = Path("/proc/net/sockstat").read_text().split("TCP:")[1].split()
    return int(words[words.index("mem") + 1]) * 4096 / 2**20


def _question(name: str, port: int) -> str:
    """What a page's viewer sends: the body of Dash's callback, or the name of its websocket callback."""
    if name == "polling":
        place = {"id": "panels", "property": "children"}
        tick = {"id": "tick", "property": "n_intervals", "value": 1}
        call = {"output": "panels.children", "outputs": place, "inputs": [tick], "state": []}
        return json.dumps({**call, "changedPropIds": ["tick.n_intervals"]})
    if name == "websocket":
        with urlopen(f"http://127.0.0.1:{port}/_dash-dependencies", timeout=10) as reply:
            return str(json.load(reply)[0]["output"])
    return ""
