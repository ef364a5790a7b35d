"""The real servers tests run against: PostgreSQL, Mosquitto, NATS and MariaDB on loopback, on free ports."""

from __future__ import annotations

import getpass
import itertools
import os
import pwd
import random
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.request import urlopen

import psycopg2
import pymysql
from psycopg2 import sql

from tests import machine
from tests.keeper import Keeper, wait_until

_names = itertools.count(1)


def free_port() -> int:
    """A loopback port nobody listens on, below those the kernel hands to outgoing connections."""
    for _ in range(200):
        port = random.randint(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port on 127.0.0.1")


def answers(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _need(found: Path | None, name: str) -> Path:
    if found is None:
        raise RuntimeError(f"{name} is not installed; ./run test installs it where it may")
    return found


def _postgres_user() -> str | None:
    """The user PostgreSQL runs as: root may not, anybody else runs it as themselves."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


class Server:
    """One server process that can be stopped, started again on the same port, and killed."""

    port: int

    def __init__(self, keeper: Keeper, name: str) -> None:
        self.keeper = keeper
        self.folder = keeper.subfolder(name)
        self.log = self.folder / "log"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _launch(self, argv: list[str | Path], user: str | None = None) -> None:
        self._process = self.keeper.start(argv, log=self.log, user=user, cwd=self.folder)
        wait_until(self._ready, self._process, self.log)

    def start(self) -> None:
        raise NotImplementedError

    def _ready(self) -> bool:
        return answers(self.port)

    def _signal(self, sign: int) -> None:
        if self._process is not None:
            self.keeper.end(self._process, sign)
            self._process = None

    def stop(self) -> None:
        """Asks the server to end in order and waits for it."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the server as a power cut would end the process: SIGKILL."""
        self._signal(signal.SIGKILL)


_INITDB = "-U pendopo -A trust -E UTF8 --locale=C.UTF-8 --no-sync"


class Postgres(Server):
    """A PostgreSQL cluster. `durable` keeps fsync on, for tests that kill it."""

    def __init__(self, keeper: Keeper, *, durable: bool = False) -> None:
        super().__init__(keeper, "postgres")
        self._bin = _need(machine.find_postgres(), "PostgreSQL")
        self._user = _postgres_user()
        self._durable = durable
        if self._user:
            os.chown(self.folder, pwd.getpwnam(self._user).pw_uid, -1)
        self._initdb()
        self.start()

    @property
    def url(self) -> str:
        """The cluster's maintenance database, as SQLAlchemy writes it."""
        return self._url("postgres")

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg2://pendopo@127.0.0.1:{self.port}/{database}"

    def _initdb(self) -> None:
        argv: list[str | Path] = [self._bin / "initdb", "-D", self.folder / "data", *_INITDB.split()]
        process = self.keeper.start(argv, log=self.log, user=self._user, cwd=self.folder)
        if process.wait(120):
            raise RuntimeError(f"initdb failed\n{self.log.read_text(errors='replace')[-2000:]}")
        self.keeper.end(process)

    def start(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
            "timezone": "UTC",
            "max_connections": "200",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._launch([self._bin / "postgres", "-D", self.folder / "data", *options], self._user)

    def stop(self) -> None:
        """A fast stop: open transactions are rolled back, clients are disconnected."""
        self._signal(signal.SIGINT)

    def _ready(self) -> bool:
        try:
            psycopg2.connect(host="127.0.0.1", port=self.port, user="pendopo", dbname="postgres").close()
        except psycopg2.OperationalError:
            return False
        return True

    def execute(self, statement: sql.Composable | str) -> None:
        """Runs one statement in the maintenance database, outside a transaction."""
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user="pendopo", dbname="postgres")
        try:
            connection.autocommit = True
            connection.cursor().execute(statement)
        finally:
            connection.close()

    def fresh(self) -> str:
        """The URL of a new empty database."""
        name = f"test_{next(_names)}"
        self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self._url(name)

    def drop(self, url: str) -> None:
        """Drops a database `fresh` made, whoever is still connected to it."""
        name = sql.Identifier(url.rpartition("/")[2])
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


_MOSQUITTO = """\
persistence true
persistence_location {folder}/
max_queued_messages 0
max_queued_bytes 0
max_inflight_messages 0
set_tcp_nodelay true
sys_interval 0
log_dest stderr
user {user}
listener {port} 127.0.0.1
"""


_OPENSSL = (
    "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    " -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
)


class Mosquitto(Server):
    """A broker that keeps its sessions over a stop and drops nothing.

    With `users` (name → password) it refuses anybody else; with `tls` it speaks TLS only, and
    `ca_file` is the certificate to trust, made out to localhost and 127.0.0.1.
    """

    host = "127.0.0.1"

    def __init__(self, keeper: Keeper, *, users: Mapping[str, str] | None = None, tls: bool = False) -> None:
        super().__init__(keeper, "mosquitto")
        self._program = _need(machine.find_program("mosquitto"), "Mosquitto")
        self._config = self.folder / "mosquitto.conf"
        self.tls = tls
        self.ca_file = self.folder / "ca.pem" if tls else None
        text = _MOSQUITTO.format(folder=self.folder, port=self.port, user=getpass.getuser())
        text += self._users(users) if users else "allow_anonymous true\n"
        self._config.write_text(text + (self._certificate() if tls else ""))
        self.start()

    @property
    def url(self) -> str:
        """As `broker.url` in config.toml spells it, without a user."""
        return f"{'mqtts' if self.tls else 'mqtt'}://127.0.0.1:{self.port}"

    def _users(self, users: Mapping[str, str]) -> str:
        program = _need(machine.find_program("mosquitto_passwd"), "mosquitto_passwd")
        file = self.folder / "passwords"
        file.touch(mode=0o600)
        for name, password in users.items():
            subprocess.run([program, "-b", file, name, password], check=True, capture_output=True)
        return f"allow_anonymous false\npassword_file {file}\n"

    def _certificate(self) -> str:
        openssl = _need(machine.find_program("openssl"), "openssl")
        key = self.folder / "key.pem"
        argv = [str(openssl), *_OPENSSL.split(), "-keyout", str(key), "-out", str(self.ca_file)]
        subprocess.run(argv, check=True, capture_output=True)
        return f"certfile {self.ca_file}\nkeyfile {key}\n"

    def start(self) -> None:
        self._launch([self._program, "-c", self._config])


class Nats(Server):
    """A NATS server with its MQTT door on `port`; `config` makes its configuration from port and folder.

    `checks` is the port of its monitoring page, when the configuration opens one: ready then means that
    it has found its cluster. `environ` is what the configuration takes from the environment.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        keeper: Keeper,
        config: Callable[[Nats], str],
        *,
        environ: Mapping[str, str] | None = None,
        checks: int | None = None,
    ) -> None:
        super().__init__(keeper, "nats")
        self._program = _need(machine.find_program("nats-server"), "NATS (nats-server)")
        self._config = self.folder / "nats.conf"
        self._config.write_text(config(self))
        self._environ = {**os.environ, **(environ or {})}
        self._checks = checks

    def start(self) -> None:
        self.start_without_waiting()
        self.wait()

    def start_without_waiting(self) -> None:
        """For the first of a cluster, which is ready when the others are."""
        argv: list[str | Path] = [self._program, "-c", self._config]
        self._process = self.keeper.start(argv, log=self.log, cwd=self.folder, env=self._environ)

    def wait(self) -> None:
        assert self._process is not None
        wait_until(self._ready, self._process, self.log)

    def _ready(self) -> bool:
        if not answers(self.port):
            return False
        if self._checks is None:
            return True
        try:
            with urlopen(f"http://127.0.0.1:{self._checks}/healthz?js-server-only=true", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


class MariaDb(Server):
    """A MariaDB server whose databases stand for the departments'."""

    def __init__(self, keeper: Keeper) -> None:
        super().__init__(keeper, "mariadb")
        self._program = _need(machine.find_mariadb(), "MariaDB")
        self._data = self.folder / "data"
        install = _need(machine.find_program("mariadb-install-db"), "mariadb-install-db")
        argv = [install, "--no-defaults", f"--datadir={self._data}", f"--user={getpass.getuser()}"]
        argv += ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
        done = subprocess.run([str(part) for part in argv], capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"mariadb-install-db failed\n{(done.stdout + done.stderr).decode()[-2000:]}")
        self.start()

    def start(self) -> None:
        options = {
            "datadir": self._data,
            "socket": self.folder / "socket",
            "pid-file": self.folder / "pid",
            "port": self.port,
            "bind-address": "127.0.0.1",
            "user": getpass.getuser(),
            "character-set-server": "utf8mb4",
            "innodb-flush-log-at-trx-commit": 0,
            "innodb-buffer-pool-size": "64M",
        }
        flags = [f"--{name}={value}" for name, value in options.items()]
        self._launch([self._program, "--no-defaults", "--skip-name-resolve", *flags])

    def _connect(self) -> pymysql.Connection[pymysql.cursors.Cursor]:
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", autocommit=True)

    def _ready(self) -> bool:
        try:
            self._connect().close()
        except pymysql.err.OperationalError:
            return False
        return True

    def execute(self, *statements: str) -> None:
        """Runs statements as the administrator."""
        with self._connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def fresh(self) -> str:
        """The URL of a new empty database, as its owner."""
        name = f"test_{next(_names)}"
        self.execute(f"CREATE DATABASE {name}")
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/{name}?charset=utf8mb4"

    def reader(self, url: str) -> str:
        """The same database for a user who may SELECT and nothing else."""
        name = url.rpartition("/")[2].partition("?")[0]
        user = f"reader_{next(_names)}"
        self.execute(f"CREATE USER {user} IDENTIFIED BY 'baca'", f"GRANT SELECT ON {name}.* TO {user}")
        return url.replace("root@", f"{user}:baca@")

    def drop(self, url: str) -> None:
        """Drops a database `fresh` made."""
        self.execute(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2].partition('?')[0]}")
