"""Workers: several ingests share one broker's messages, and none is lost whichever is killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
import pytest

from ingest.rebuild import differing
from ingest.sources.mqtt import MqttSource
from ingest.sources.mqtt_session import session_of
from kpis.config import load
from kpis.errors import ConfigError
from kpis.store import Store
from tests.conftest import ROOT
from tests.keeper import Keeper
from tests.servers import Mosquitto
from tests.sources.publisher import publish
from tests.sources.recorder import CITY, Recorder, Running, eventually, settings_of

TOPIC = "city/v1/uptime_check/probe"


class Fleet:
    """Ingest processes on one PostgreSQL database and one broker; None is the one without a name."""

    def __init__(
        self, keeper: Keeper, folder: Path, broker: Mosquitto, url: str, *, shared: bool = True
    ) -> None:
        self._keeper = keeper
        self._folder = folder
        self._url = url
        self._running: dict[str | None, subprocess.Popen[bytes]] = {}
        self.configure(broker, shared=True)

    def configure(self, broker: Mosquitto, *, shared: bool) -> None:
        self.config = self._folder / "config.toml"
        self.config.write_text(
            CITY
            + f'[store]\nurl = "{self._url}"\n[broker]\nurl = "{broker.url}"\nclient_id = "kota"\n'
            + f'shared = {str(shared).lower()}\n[[source]]\nname = "city"\ntype = "mqtt"\n'
        )

    def log(self, worker: str | None) -> Path:
        return self._folder / f"{worker}.log"

    def launch(self, worker: str | None, *more: str) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "ingest", "--config", str(self.config), *more]
        argv += [] if worker is None else ["--worker", worker]
        self.log(worker).write_bytes(b"")
        process = self._keeper.start(argv, log=self.log(worker), cwd=ROOT)
        self._running[worker] = process
        return process

    def start(self, worker: str | None, *more: str) -> subprocess.Popen[bytes]:
        process = self.launch(worker, *more)
        if not more:
            eventually(lambda: "ingest ready" in self.log(worker).read_text(), within_s=30)
        return process

    def end(self, worker: str | None, sign: int = signal.SIGTERM) -> None:
        self._keeper.end(self._running.pop(worker), sign)

    def end_all(self) -> None:
        for worker in list(self._running):
            self.end(worker, signal.SIGKILL)

    def count(self, query: str = "SELECT count(*) FROM uptime_check") -> int:
        with psycopg2.connect(self._url.replace("+psycopg2", "")) as db, db.cursor() as cursor:
            cursor.execute(query)
            found: int = cursor.fetchone()[0]  # type: ignore[index]
        db.close()
        return found


def check(number: int) -> str:
    at = datetime(2026, 1, 1, tzinfo=UTC).timestamp() + number
    observed = datetime.fromtimestamp(at, UTC).isoformat()
    return json.dumps({"id": f"c{number}", "app": f"a{number % 20}", "observed_at": observed, "up": True})


@pytest.fixture
def fleet(
    keeper: Keeper, mosquitto: Mosquitto, postgres_url: Callable[[], str], tmp_path: Path
) -> Iterator[Fleet]:
    found = Fleet(keeper, tmp_path, mosquitto, postgres_url())
    yield found
    found.end_all()


def test_each_message_goes_to_one_worker_and_killing_any_loses_nothing(
    fleet: Fleet, mosquitto: Mosquitto
) -> None:
    for worker in (None, "2", "3"):
        fleet.start(worker)
    publishing = threading.Thread(
        target=publish, args=(mosquitto.port, TOPIC, [check(n) for n in range(12_000)])
    )
    publishing.start()
    for worker in ("3", None, "2"):
        eventually(lambda: fleet.count() > 100)
        fleet.end(worker, signal.SIGKILL)
        fleet.start(worker)
    publishing.join()
    eventually(lambda: fleet.count() >= 12_000, within_s=60)
    assert fleet.count() == 12_000
    sums = "SELECT accepted FROM source_state WHERE source = 'probe'"
    assert fleet.count(sums) == 12_000
    with Store(load(str(fleet.config)).store) as store:
        assert not any(differing(store, load(str(fleet.config))).values())


def test_all_workers_take_their_share(fleet: Fleet, mosquitto: Mosquitto) -> None:
    fleet.start(None)
    fleet.start("2")
    publish(mosquitto.port, TOPIC, [check(n) for n in range(2_000)])
    eventually(lambda: fleet.count() == 2_000)
    fleet.end(None)
    fleet.end("2")
    # What comes now waits in both sessions, half of it in each.
    publish(mosquitto.port, TOPIC, [check(n) for n in range(2_000, 4_000)])
    fleet.start("2")
    eventually(lambda: fleet.count() == 3_000)
    fleet.start(None)
    eventually(lambda: fleet.count() == 4_000)
    known = fleet.count("SELECT known FROM source_state WHERE source = 'probe'")
    assert known == 0, "no message went to two workers"


def test_a_worker_that_leaves_takes_what_its_session_holds_and_gets_no_more(
    fleet: Fleet, mosquitto: Mosquitto
) -> None:
    fleet.start(None)
    fleet.start("2")
    fleet.end("2", signal.SIGKILL)
    publish(mosquitto.port, TOPIC, [check(n) for n in range(1_000)])
    eventually(lambda: 0 < fleet.count() < 1_000)
    leaving = fleet.start("2", "--leave")
    assert leaving.wait(30) == 0
    assert "worker 2 has left" in fleet.log("2").read_text()
    assert fleet.count() == 1_000
    publish(mosquitto.port, TOPIC, [check(n) for n in range(1_000, 1_500)])
    eventually(lambda: fleet.count() == 1_500)


def test_one_that_is_stopped_while_it_leaves_loses_nothing_its_session_holds(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    text = f'[broker]\nurl = "{mosquitto.url}"\nshared = true\n[[source]]\nname = "city"\ntype = "mqtt"\n'
    settings = settings_of(text, tmp_path)
    sink = Recorder()

    def source(*, leaving: bool) -> MqttSource:
        return MqttSource(settings, sink, lambda: datetime.now(UTC), worker="2", leaving=leaving)

    working = source(leaving=False)
    with Running(working):
        assert working.ready.wait(10)
    publish(mosquitto.port, TOPIC, [check(n) for n in range(500)])
    sink.away = True
    stopped = source(leaving=True)
    with Running(stopped):
        eventually(lambda: sink.tried > 0)
    assert not stopped.left
    assert not sink.arrivals
    sink.away = False
    leaving = source(leaving=True)
    with Running(leaving):
        eventually(lambda: leaving.left)
    assert sorted(sink.payloads) == sorted(check(n).encode() for n in range(500))


def test_leaving_as_a_worker_that_never_was_is_refused(fleet: Fleet) -> None:
    assert fleet.start("9", "--leave").wait(30) == 2
    assert fleet.log("9").read_text().startswith("--worker 9: the broker holds no session of that worker; ")


def test_a_worker_without_an_mqtt_source_is_refused(fleet: Fleet) -> None:
    fleet.config.write_text(fleet.config.read_text().partition("[[source]]")[0])
    for more in ((), ("--leave",)):
        assert fleet.launch("2", *more).wait(30) == 2
        assert fleet.log("2").read_text().startswith("source: none is of type mqtt; ")


def test_an_ingest_that_comes_to_share_gives_up_its_plain_subscription(
    fleet: Fleet, mosquitto: Mosquitto
) -> None:
    fleet.configure(mosquitto, shared=False)
    fleet.start(None)
    fleet.end(None)
    publish(mosquitto.port, TOPIC, [check(n) for n in range(100)])
    fleet.configure(mosquitto, shared=True)
    fleet.start(None)
    fleet.start("2")
    eventually(lambda: fleet.count() == 100)
    publish(mosquitto.port, TOPIC, [check(n) for n in range(100, 1_000)])
    eventually(lambda: fleet.count() == 1_000)
    assert fleet.count("SELECT known FROM source_state WHERE source = 'probe'") == 0


@pytest.mark.parametrize(
    ("name", "shared", "why"),
    [
        ("2", False, "broker.shared: is not set, so workers would each take all; set it to true"),
        ("a/b", True, "'a/b' is not 1 to 32 letters, digits, - or _"),
    ],
)
def test_a_worker_that_cannot_be_is_refused_in_one_line(
    fleet: Fleet, mosquitto: Mosquitto, name: str, why: str, *, shared: bool
) -> None:
    fleet.configure(mosquitto, shared=shared)
    argv = [sys.executable, "-m", "ingest", "--config", str(fleet.config), "--worker", name]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_the_embedded_broker_serves_one_ingest(tmp_path: Path) -> None:
    settings = settings_of("[broker]\nshared = true\n", tmp_path)
    with pytest.raises(ConfigError, match="the embedded broker serves one ingest"):
        session_of(settings.broker, ["city/v1/#"], None)
