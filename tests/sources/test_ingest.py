"""`python -m ingest` as a process: ready, stopped, killed, and refused in one line."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.keeper import Keeper
from tests.servers import free_port
from tests.sources.publisher import Publisher, publish
from tests.sources.recorder import CITY, eventually
from tests.sources.test_flow import record

TOPIC = "city/v1/service_request/sp4n"


class Ingest:
    """An ingest process on an embedded store and broker of its own."""

    def __init__(self, keeper: Keeper, folder: Path, more: str = "") -> None:
        self.port = free_port()
        self.folder = folder
        self._keeper = keeper
        self._log = folder / "log"
        (folder / "config.toml").write_text(
            CITY
            + f'[store]\nurl = "sqlite:///p.db"\n[broker]\nurl = "embedded://127.0.0.1:{self.port}"\n'
            + f'[[source]]\nname = "city"\ntype = "mqtt"\n{more}'
        )
        self.start()

    def start(self) -> None:
        self._log.write_bytes(b"")
        argv = [sys.executable, "-m", "ingest", "--config", str(self.folder / "config.toml")]
        self.process = self._keeper.start(argv, log=self._log, cwd=ROOT)
        eventually(lambda: "ingest ready" in self.log or self.process.poll() is not None)

    @property
    def log(self) -> str:
        return self._log.read_text()

    def end(self, sign: int = signal.SIGTERM) -> int:
        return self._keeper.end(self.process, sign)

    def facts(self) -> int:
        with sqlite3.connect(self.folder / "p.db") as db:
            found: int = db.execute("SELECT count(*) FROM service_request").fetchone()[0]
            return found


@pytest.fixture
def ingest(keeper: Keeper, tmp_path: Path) -> Iterator[Ingest]:
    running = Ingest(keeper, tmp_path)
    yield running
    running.end(signal.SIGKILL)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_with_everything_committed(ingest: Ingest, sign: int) -> None:
    publish(ingest.port, TOPIC, [record(n) for n in range(2_000)])
    began = time.monotonic()
    assert ingest.end(sign) == 0
    assert time.monotonic() - began < 10
    assert ingest.facts() == 2_000
    assert "Traceback" not in ingest.log


def test_killed_in_the_middle_nothing_acknowledged_or_unacknowledged_is_lost(ingest: Ingest) -> None:
    with Publisher(ingest.port, "sp4n") as publisher:
        for number in range(5_000):
            publisher.send(TOPIC, record(number))
        eventually(lambda: publisher.acknowledged > 0)
        ingest.end(signal.SIGKILL)
        acknowledged = publisher.acknowledged
        assert acknowledged <= ingest.facts()
        ingest.start()
        publisher.wait(30)
    assert ingest.facts() == 5_000


def test_it_starts_again_with_its_data_and_a_second_one_is_refused(ingest: Ingest) -> None:
    publish(ingest.port, TOPIC, [record(1)])
    assert refused(ingest.folder) == (
        f"store.url: another ingest already works on {ingest.folder / 'p.db'}; stop it, or move to PostgreSQL"
    )
    assert ingest.end() == 0
    ingest.start()
    publish(ingest.port, TOPIC, [record(1), record(2)])
    assert ingest.end() == 0
    assert ingest.facts() == 2


def test_a_source_that_fails_does_not_keep_the_others_from_working(keeper: Keeper, tmp_path: Path) -> None:
    more = (
        '[[source]]\nname = "rusak"\ntype = "database"\nfeed = "ledger"\nurl = "sqlite:///tidak-ada.db"\n'
        'query = "SELECT * FROM a WHERE b >= :since ORDER BY b"\nwatermark = "b"\nevery = "100ms"\n'
        '[[source]]\nname = "probe"\ntype = "probe"\nevery = "1s"\n'
        '[[source]]\nname = "arsip"\ntype = "file"\nfeed = "ledger"\nfolder = "tidak-ada"\nevery = "100ms"\n'
    )
    ingest = Ingest(keeper, tmp_path, more)
    publish(ingest.port, TOPIC, [record(1)])
    eventually(lambda: ingest.facts() == 1)
    with sqlite3.connect(tmp_path / "p.db") as db:
        query = "SELECT source, error IS NULL FROM source_state ORDER BY 1"
        expected = [("arsip", 0), ("city", 1), ("probe", 1), ("rusak", 0), ("sp4n", 1)]
        eventually(lambda: db.execute(query).fetchall() == expected)
    assert ingest.log.count("rusak") == 1, "an outage is logged once"
    assert ingest.end() == 0


def refused(folder: Path) -> str:
    """The one line that ingest ends with."""
    done = subprocess.run(
        [sys.executable, "-m", "ingest", "--config", str(folder / "config.toml")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 2, done
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def test_a_busy_port_is_refused_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"embedded://127.0.0.1:{other.getsockname()[1]}"
        (tmp_path / "config.toml").write_text(
            CITY + f'[store]\nurl = "sqlite:///p.db"\n[broker]\nurl = "{url}"\n'
        )
        assert "is in use by another program; stop it" in refused(tmp_path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[broker]\nurll = 1", "broker.urll"),
        ('[store]\nurl = "postgresql://pendopo@127.0.0.1:9/p"', "cannot be reached"),
        ('[[source]]\nname = "a"\ntype = "mqtt"\nfeed = "ledger"\nmap = { id = "((" }', "source.a.map.id"),
        ('[[source]]\nname = "a"\ntype = "mqtt"\nfeed = "ledger"\nmap = { idd = "id" }', "source.a.map.idd"),
        ('[[source]]\nname = "a"\ntype = "mqtt"\nfeed = "ledger"\ntopic = "a/#/b"', "source.a.topic"),
        ('[[source]]\nname = "a"\ntype = "mqtt"\nfeed = "ledger"\ntopic = "a/b+"', "source.a.topic"),
        ('[store]\nurl = "sqlite:////proc/tidak-bisa/p.db"', "store.url"),
    ],
)
def test_what_cannot_start_is_refused_in_one_line(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "config.toml").write_text(CITY + text)
    assert why in refused(tmp_path)
