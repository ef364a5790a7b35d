"""The brokers of deploy/, run exactly as they are shipped: only addresses and folders are exchanged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.request import urlopen

from benchmarks.lane import Door
from tests import machine
from tests.keeper import Keeper
from tests.servers import Nats, Server, free_port

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
READER, READER_PASSWORD = "pendopo", "rahasia"
WRITER, WRITER_PASSWORD = "lapor", "suara"
_CAUGHT_UP_WITHIN_S = 60.0
_STREAMS = {"$MQTT_msgs", "$MQTT_sess"}
_NODES = ("a", "b", "c")
_ENVIRON = {"PENDOPO_BROKER_PASSWORD": READER_PASSWORD, "LAPOR_PASSWORD": WRITER_PASSWORD}


def shipped(name: str, instead: Mapping[str, str]) -> str:
    """The text of deploy/<name> with each key of `instead` exchanged. ValueError when one is not in it."""
    text = (DEPLOY / name).read_text()
    for was, now in instead.items():
        if was not in text:
            raise ValueError(f"deploy/{name} does not say {was}")
        text = text.replace(was, now)
    return text


class Broker(Protocol):
    """A broker of one node or more, each of which can be struck.

    `doors` are the nodes' MQTT addresses, in the order of `nodes`; `lanes` is how many connections a
    source needs there to send fast. `blow` says what a strike is: "killed" or "restarted".
    """

    name: str
    blow: str
    nodes: tuple[str, ...]
    lanes: int
    doors: list[Door]

    def strike(self, node: str) -> None:
        """Ends the node: with -9, or in order if that is the blow."""

    def mend(self, node: str) -> None:
        """Starts the node again and returns when it serves."""

    def version(self) -> str:
        """What the program calls itself."""


class NatsAlone:
    """deploy/nats/alone.conf, killed with -9."""

    name = "nats"
    blow = "killed"
    nodes: tuple[str, ...] = ("nats",)
    lanes = 1

    def __init__(self, keeper: Keeper) -> None:
        self._server = Nats(keeper, self._config, environ=_ENVIRON)
        self._server.start()
        self.doors = [("127.0.0.1", self._server.port)]

    def _config(self, server: Nats) -> str:
        addresses = {
            "127.0.0.1:4222": f"127.0.0.1:{free_port()}",
            "127.0.0.1:1883": f"127.0.0.1:{server.port}",
        }
        return shipped("nats/alone.conf", {**addresses, "/var/lib/nats": str(server.folder / "data")})

    def strike(self, node: str) -> None:
        self._server.kill()

    def mend(self, node: str) -> None:
        self._server.start()

    def version(self) -> str:
        return _says("nats-server", "--version")


class NatsCluster:
    """deploy/nats/cluster.conf three times; any one node is killed with -9."""

    name = "nats-cluster"
    blow = "killed"
    nodes: tuple[str, ...] = _NODES
    lanes = 16

    def __init__(self, keeper: Keeper) -> None:
        self._checks: dict[str, int] = {}
        routes = {node: f"127.0.0.1:{free_port()}" for node in _NODES}
        self._servers = {node: self._make(keeper, node, routes) for node in _NODES}
        for server in self._servers.values():
            server.start_without_waiting()
        for server in self._servers.values():
            server.wait()
        self.doors = [("127.0.0.1", server.port) for server in self._servers.values()]

    def _make(self, keeper: Keeper, node: str, routes: Mapping[str, str]) -> Nats:
        checks = self._checks[node] = free_port()

        def config(server: Nats) -> str:
            addresses = {
                "127.0.0.1:4222": f"127.0.0.1:{free_port()}",
                "127.0.0.1:8222": f"127.0.0.1:{checks}",
                "0.0.0.0:6222": routes[node],
                "0.0.0.0:1883": f"127.0.0.1:{server.port}",
                **{f"broker-{each}.kota.go.id:6222": at for each, at in routes.items()},
            }
            return shipped("nats/cluster.conf", {**addresses, "/var/lib/nats": str(server.folder / "data")})

        return Nats(keeper, config, environ={**_ENVIRON, "PENDOPO_NODE": node}, checks=checks)

    def strike(self, node: str) -> None:
        self._servers[node].kill()

    def mend(self, node: str) -> None:
        """Starts it again and waits until it has what the others have: only then may another one die."""
        self._servers[node].start()
        end = time.monotonic() + _CAUGHT_UP_WITHIN_S
        while not self._is_whole():
            if time.monotonic() > end:
                raise RuntimeError(f"node {node} has not caught up with the cluster")
            time.sleep(0.1)

    def _is_whole(self) -> bool:
        """Whether messages and sessions each have a leader that finds its two followers current.

        /healthz is stricter, and never content for long: it looks at positions of retained messages too.
        """
        led = set()
        for node in _NODES:
            for stream in _streams(self._checks[node]):
                groups = [stream, *stream.get("consumer_detail", ())]
                if stream["name"] in _STREAMS and all(_is_current(group, node) for group in groups):
                    led.add(stream["name"])
        return led == _STREAMS

    def version(self) -> str:
        return _says("nats-server", "--version")


def _streams(checks: int) -> list[dict[str, Any]]:
    """The streams a node knows of, from its monitoring page; none while it does not answer."""
    try:
        with urlopen(f"http://127.0.0.1:{checks}/jsz?accounts=1&streams=1&consumers=1", timeout=5) as answer:
            accounts = json.load(answer).get("account_details", [])
    except (OSError, ValueError):
        return []
    return [stream for account in accounts for stream in account.get("stream_detail", [])]


def _is_current(group: dict[str, Any], node: str) -> bool:
    """Whether all followers of a stream or consumer are current; those `node` does not lead are not asked."""
    cluster = group.get("cluster", {})
    followers = cluster.get("replicas", [])
    if cluster.get("leader") != node:
        return "state" not in group  # a stream counts where it is led
    return len(followers) == len(_NODES) - 1 and all(follower["current"] for follower in followers)


class _Mosquitto(Server):
    """deploy/mosquitto with its access list and two users."""

    def __init__(self, keeper: Keeper) -> None:
        super().__init__(keeper, "mosquitto")
        self._config = self.folder / "mosquitto.conf"
        included = self.folder / "conf.d"
        included.mkdir()
        # As Debian's own file does it.
        self._config.write_text(
            f"persistence true\npersistence_location {self.folder}/\ninclude_dir {included}\n"
        )
        (included / "pendopo.conf").write_text(
            shipped(
                "mosquitto/pendopo.conf",
                {
                    "listener 1883 127.0.0.1": f"listener {self.port} 127.0.0.1",
                    "/etc/mosquitto/passwords": str(self._passwords()),
                    "/etc/mosquitto/acl": str(DEPLOY / "mosquitto" / "acl"),
                },
            )
        )
        self.start()

    def _passwords(self) -> Path:
        file = self.folder / "passwords"
        file.touch(mode=0o600)
        for user, password in ((READER, READER_PASSWORD), (WRITER, WRITER_PASSWORD)):
            argv = [str(machine.find_program("mosquitto_passwd")), "-b", str(file), user, password]
            subprocess.run(argv, check=True, capture_output=True)
        if os.geteuid() == 0:  # started by root it runs as its own user
            shutil.chown(self.folder, "mosquitto", "mosquitto")
            shutil.chown(file, "mosquitto", "mosquitto")
        return file

    def start(self) -> None:
        program = machine.find_program("mosquitto")
        assert program is not None
        self._launch([program, "-c", self._config])


class Mosquitto:
    """deploy/mosquitto/pendopo.conf, stopped in order and started again."""

    name = "mosquitto"
    blow = "restarted"
    nodes: tuple[str, ...] = ("mosquitto",)
    lanes = 1

    def __init__(self, keeper: Keeper) -> None:
        self._server = _Mosquitto(keeper)
        self.doors = [("127.0.0.1", self._server.port)]

    def strike(self, node: str) -> None:
        self._server.stop()

    def mend(self, node: str) -> None:
        self._server.start()

    def version(self) -> str:
        return _says("mosquitto", "-h").partition("\n")[0]


class MosquittoKilled(Mosquitto):
    """The same killed with -9, to show what it loses."""

    name = "mosquitto-killed"
    blow = "killed"

    def strike(self, node: str) -> None:
        self._server.kill()


BROKERS: dict[str, type[NatsAlone | NatsCluster | Mosquitto]] = {
    kind.name: kind for kind in (NatsAlone, NatsCluster, Mosquitto, MosquittoKilled)
}


def _says(program: str, flag: str) -> str:
    found = machine.find_program(program)
    assert found is not None
    done = subprocess.run([found, flag], capture_output=True, text=True, check=False)
    return done.stdout.strip()
