"""`./run demo`: founds the pretend city, starts ingest, the city and the dashboard, and says where to look.

The three are processes of their own, as in service; this one only watches them, and ends them in the
order that loses nothing: first the city falls silent, then ingest commits what it holds.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import fcntl
import json
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from ingest.demo import history
from ingest.demo.settle import is_free, settle
from ingest.demo.state import State
from kpis.catalogue import check
from kpis.config import DemoSettings, Settings, load
from kpis.errors import ConfigError, PendopoError, StoreError
from kpis.migrations import found_in, migrate
from kpis.schema import SCHEMA
from kpis.sources import source_position
from kpis.store import Store

_READY_WITHIN_S = 60.0
_FULL_WITHIN_S = 16.0
_FIRST = ("requests_open", "app_uptime_30d", "opd_integrated")
_PDEATHSIG = 1


@dataclass(slots=True)
class Child:
    """One process of the demo and where it writes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def end(self, within: float) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(within)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Broken(PendopoError):
    """A process of the demo ended by itself."""


def main(argv: Sequence[str] | None = None) -> int:
    """Blocks until Ctrl-C. 0 after an orderly end; 2 with one line on stderr when it cannot start."""
    args = _arguments(argv)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        base = load(args.config)
        check(base)
        demo = _demo(base, args)
        port = base.web.port if args.port is None else args.port
        folder = Path(args.folder).absolute()
        with _alone(folder):
            if not is_free(port):
                raise ConfigError(
                    "web.port", f"{port} is busy", "use --port, or another web.port in config.toml"
                )
            settings, state = settle(base, folder, demo, port)
            _migrate(settings)
            _run(settings, folder, state.site_port, stop)
    except PendopoError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run demo", description="A pretend city, alive, on this machine.")
    parser.add_argument("--config", metavar="FILE", help="another config.toml to start from")
    parser.add_argument(
        "--folder", default="var/demo", metavar="DIR", help="where it keeps everything (var/demo)"
    )
    parser.add_argument("--port", type=int, help="port of the pages (web.port)")
    parser.add_argument("--speed", type=float, help="how fast the city's time runs (demo.speed)")
    parser.add_argument("--seed", type=int, help="the same seed makes the same city (demo.seed)")
    parser.add_argument("--history-days", type=int, metavar="N", help="days of past on the first start")
    return parser.parse_args(argv)


def _demo(base: Settings, args: argparse.Namespace) -> DemoSettings:
    asked = {"seed": args.seed, "speed": args.speed, "history_days": args.history_days}
    demo = replace(base.demo, **{name: value for name, value in asked.items() if value is not None})
    if not 0.1 <= demo.speed <= 3600:
        raise ConfigError("--speed", f"is {demo.speed:g}", "use 0.1 to 3600")
    if not 1 <= demo.history_days <= 400:
        raise ConfigError("--history-days", f"is {demo.history_days}", "use 1 to 400")
    if args.port is not None and not 1 <= args.port <= 65535:
        raise ConfigError("--port", f"is {args.port}", "use 1 to 65535")
    return demo


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One demo in one folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file: IO[str] = (folder / "demo.lock").open("w")
    except OSError as error:
        raise ConfigError(
            "--folder", f"{folder} cannot be written: {error.strerror}", "name another folder"
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(
                "--folder", f"a demo already runs in {folder}", "stop it, or name another folder"
            ) from None
        yield


def _run(settings: Settings, folder: Path, site_port: int, stop: threading.Event) -> None:
    config = str(folder / "config.toml")
    children = [_start("ingest", folder, "-m", "ingest", "--config", config)]
    past: Child | None = None
    try:
        children.append(_start("dashboard", folder, "-m", "dashboard", "--config", config))
        if not (folder / history.WHOLE).exists():
            past = _start("history", folder, "-m", "ingest.demo.history", "--config", config)
        speak = ("-m", "ingest.demo.speak", "--config", config, "--web-port", str(site_port))
        children.append(_start("city", folder, *speak))
        _wait_ready(settings, folder, children, past, stop)
        if not stop.is_set():
            note = "\nIts older past is still coming in; that takes about a minute." if _running(past) else ""
            print(f"Pendopo: http://127.0.0.1:{settings.web.port}/  (Ctrl-C stops){note}", flush=True)
        while not stop.wait(0.5):
            _watch(children, past)
    finally:
        if past is not None:
            past.end(5)
        for child in reversed(children):
            child.end(12)
        state = State.load(folder)
        state.shown = settings.clock.now().timestamp()
        state.save()


def _migrate(settings: Settings) -> None:
    """Brings the city of an earlier release to the present tables: it goes on with its past."""
    if found_in(settings) not in (None, SCHEMA):
        done = migrate(settings)
        print(f"Pendopo: brought the city's past from schema {done.found} to {done.now}", flush=True)


def _start(name: str, folder: Path, *arguments: str) -> Child:
    log = folder / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            # Ctrl-C is for this process, which ends the others in their order.
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
    return Child(name, process, log)


def _die_with_parent() -> None:
    """On Linux a child is told when the demo itself was killed (prctl(2), PR_SET_PDEATHSIG)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGTERM)


def _running(child: Child | None) -> bool:
    return child is not None and child.process.poll() is None


def _watch(children: list[Child], past: Child | None) -> None:
    if past is not None and past.process.poll() not in (None, 0):
        raise Broken(f"the city's past could not be written: {past.last_words()} (see {past.log})")
    for child in children:
        if child.process.poll() is not None:
            raise Broken(f"{child.name} ended: {child.last_words()} (see {child.log})")


def _wait_ready(
    settings: Settings, folder: Path, children: list[Child], past: Child | None, stop: threading.Event
) -> None:
    """Until the pages answer with figures; a slow machine's pages are shown while figures still come in."""
    began = time.monotonic()
    while not stop.wait(0.2):
        _watch(children, past)
        waited = time.monotonic() - began
        found = _readings(settings.web.port)
        known = found is not None and all(found.get(key) is not None for key in _FIRST)
        if known and _requests_are_in(settings, folder):
            # One more look of the evaluator, now that it sees them all.
            stop.wait(1.0)
            return
        if found is not None and waited > _FULL_WITHIN_S:
            return
        if waited > _READY_WITHIN_S:
            raise Broken(f"the pages do not answer after {_READY_WITHIN_S:.0f} s; see {children[1].log}")


def _requests_are_in(settings: Settings, folder: Path) -> bool:
    """Whether every request of the past was taken in: half of them would be a wrong count, shown as fresh."""
    past = folder / history.FOLDER
    if not (folder / history.WHOLE).exists() and not any(past.glob("pemantau*.jsonl")):
        return False
    wanted = {
        f"{name}/{path.name}"
        for name, feed, begins in history.FILES
        if feed in ("application", "service_request")
        for path in past.glob(f"{begins}*.jsonl")
    }
    store = Store(settings.store)
    try:
        with store.read() as conn:
            rows = conn.execute(sa.select(source_position).where(source_position.c.source.in_(wanted))).all()
    except StoreError:
        return False
    finally:
        store.close()
    return wanted <= {row.source for row in rows if json.loads(row.value)["done"]}


def _readings(port: int) -> dict[str, Any] | None:
    """The city's values by KPI key; None while nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/readings", timeout=2) as reply:
            return {r["kpi"]: r["value"] for r in json.load(reply) if r["opd"] is None}
    except (OSError, ValueError):
        return None


if __name__ == "__main__":
    raise SystemExit(main())
