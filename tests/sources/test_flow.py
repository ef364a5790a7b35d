"""Every door into the real tables, on both stores."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ingest.load import main as load_main
from ingest.pipeline import Pipeline
from ingest.sources.database import DatabaseSource
from ingest.sources.file import FileSource
from ingest.sources.mqtt import MqttSource
from ingest.sources.probe import ProbeSource
from kpis.app_uptime.inventory import inventory
from kpis.config import Settings
from kpis.store import Store, open_store
from tests.servers import Mosquitto
from tests.sources.publisher import publish
from tests.sources.recorder import CITY, Running, eventually, settings_of

DATABASE = """
[[source]]
name = "sp4n"
type = "database"
feed = "service_request"
url = "{url}"
query = "SELECT * FROM laporan WHERE diubah >= :since ORDER BY diubah"
watermark = "diubah"
timezone = "Asia/Makassar"
every = "100ms"

[source.map]
id = "to_string(nomor)"
opd = "opd"
opened_at = "dibuat"
updated_at = "diubah"
status = "status"
"""


def record(number: int, status: str = "received") -> str:
    return (
        f'{{"id":"{number}","opd":"dlh","opened_at":"2026-08-18T08:00:00+07:00",'
        f'"updated_at":"2026-08-18T09:00:00+07:00","status":"{status}"}}'
    )


class City:
    """A store and a pipeline for a few lines of configuration."""

    def __init__(self, store_url: str, text: str, folder: Path) -> None:
        self.settings: Settings = settings_of(f'[store]\nurl = "{store_url}"\n{text}', folder)
        self.store: Store = open_store(self.settings)
        self.pipeline = Pipeline(self.store, self.settings, self.now)

    @staticmethod
    def now() -> datetime:
        return datetime.now(UTC)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.store.read() as conn:
            return [tuple(row) for row in conn.execute(sa.text(query))]

    def counts(self, source: str) -> tuple[Any, ...]:
        """Accepted, known and rejected of one source."""
        found = self.rows(f"SELECT accepted, known, rejected FROM source_state WHERE source = '{source}'")
        return found[0] if found else (0, 0, 0)


def test_mqtt(store_url: str, mosquitto: Mosquitto, tmp_path: Path) -> None:
    city = City(
        store_url, f'[broker]\nurl = "{mosquitto.url}"\n[[source]]\nname = "city"\ntype = "mqtt"', tmp_path
    )
    source = MqttSource(city.settings, city.pipeline, city.now)
    topic = "city/v1/service_request/sp4n"
    with Running(source):
        assert source.ready.wait(10)
        publish(mosquitto.port, topic, [record(n) for n in range(300)])
        publish(mosquitto.port, topic, ["bukan JSON", record(1, "hilang"), *(record(n) for n in range(100))])
        publish(mosquitto.port, "city/v1/ramalan/bmkg", ["{}"])
        eventually(lambda: sum(city.counts("sp4n")) == 402 and sum(city.counts("bmkg")) == 1)
    assert city.counts("sp4n") == (300, 100, 2)
    assert city.rows("SELECT count(*) FROM service_request") == [(300,)]
    assert city.rows("SELECT reason, place FROM reject WHERE source = 'bmkg'") == [
        ("unknown_feed", "city/v1/ramalan/bmkg")
    ]


def test_database(store_url: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'opd.db'}"
    department = sa.create_engine(url)

    def write(statement: str) -> None:
        with department.begin() as conn:
            conn.execute(sa.text(statement))

    write("CREATE TABLE laporan (nomor INTEGER, opd TEXT, dibuat TEXT, diubah TEXT, status TEXT)")
    write(
        "INSERT INTO laporan VALUES (1, 'dlh', '2026-08-18 08:00:00', '2026-08-18 09:00:00', 'received'),"
        " (2, 'dlh', '2026-08-18 08:00:00', '2026-08-18 09:00:00', 'entah')"
    )
    city = City(store_url, DATABASE.format(url=url), tmp_path)
    source = DatabaseSource(city.settings.sources[0], city.pipeline, city.now, tmp_path)
    with Running(source):
        eventually(lambda: city.counts("sp4n") == (1, 0, 1))
        write("UPDATE laporan SET status = 'closed', diubah = '2026-08-18 10:00:00' WHERE nomor = 1")
        eventually(lambda: city.counts("sp4n") == (2, 0, 1))
    again = DatabaseSource(city.settings.sources[0], city.pipeline, city.now, tmp_path)
    assert again.poll() == 0, "the position was kept in the store"
    ((opened, status),) = city.rows("SELECT opened_at, status FROM service_request")
    assert datetime.fromtimestamp(opened / 1e6, UTC) == datetime(2026, 8, 18, 0, 0, tzinfo=UTC), "WITA"
    assert status == "closed"


def test_file(store_url: str, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    city = City(
        store_url,
        '[[source]]\nname = "arsip"\ntype = "file"\nfeed = "service_request"\n'
        'folder = "inbox"\nevery = "100ms"',
        tmp_path,
    )
    lines = inbox / "a.jsonl"
    lines.write_text("\n".join([*(record(n) for n in range(50)), "rusak", record(0)]))
    os.utime(lines, (time.time() - 60,) * 2)
    source = FileSource(city.settings.sources[0], city.pipeline, city.now)
    source.look()
    assert city.counts("arsip") == (50, 1, 1)
    assert city.rows("SELECT place FROM reject") == [("inbox/a.jsonl:51",)]
    FileSource(city.settings.sources[0], city.pipeline, city.now).look()
    assert city.counts("arsip") == (50, 1, 1), "taken once"


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/mati" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:  # the base class prints
        return


def test_probe(store_url: str, tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"http://127.0.0.1:{server.server_address[1]}"
    city = City(
        store_url,
        '[[source]]\nname = "probe"\ntype = "probe"\nevery = "200ms"\n'
        f'[[application]]\napp = "hidup"\nurl = "{host}/"\n'
        f'[[application]]\napp = "mati"\nurl = "{host}/mati"',
        tmp_path,
    )

    def applications() -> Any:
        with city.store.read() as conn:
            return inventory(conn, city.settings)

    with Running(ProbeSource(city.settings.sources[0], city.pipeline, city.now, applications)):
        eventually(lambda: city.counts("probe")[0] >= 8)
    server.shutdown()
    server.server_close()
    assert city.counts("probe")[1:] == (0, 0)
    found = city.rows("SELECT DISTINCT app, CAST(up AS INTEGER), error FROM uptime_check ORDER BY 1")
    assert found == [("hidup", 1, None), ("mati", 0, "http 503")]


def test_the_banten_inventory_is_imported(
    store_url: str, tmp_path: Path, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CITY + f'[store]\nurl = "{store_url}"\n')
    file = shared / "opd" / "banten_2017_daftar_website_aplikasi.csv"
    arguments = ["application", str(file), "--map", "banten", "--config", str(config)]
    assert load_main(arguments) == 0
    assert capsys.readouterr().out == "accepted 100\nalready known 0\nrejected 0\n"
    assert load_main(arguments) == 0
    assert capsys.readouterr().out == "accepted 0\nalready known 100\nrejected 0\n"
    city = City(store_url, "", tmp_path)
    with city.store.read() as conn:
        found = inventory(conn, city.settings)
    assert len(found) == 100
    assert all(application.owner for application in found)
    assert [a.app for a in found if a.url is None] == ["banten-88"]
    assert [a.app for a in found if a.hosting is None] == ["setdprd.bantenprov.go.id"]


def test_an_import_says_the_line_of_each_reject(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CITY + f'[store]\nurl = "sqlite:///{tmp_path}/p.db"\n')
    file = tmp_path / "laporan.csv"
    head = "id,opd,opened_at,updated_at,status\n"
    good = "{},dlh,2026-08-18T08:00:00+07:00,2026-08-18T09:00:00+07:00,received\n"
    bad = ",dlh,2026-08-18T08:00:00+07:00,2026-08-18T09:00:00+07:00,received\n"
    naive = "z{},dlh,2026-08-18T08:00:00,2026-08-18T09:00:00,received\n"
    naives = "".join(naive.format(n) for n in range(60))
    file.write_text(head + good.format(1) + bad + naives + good.format(2))
    assert load_main(["service_request", str(file), "--config", str(config)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["accepted 2", "already known 0", "rejected 61"]
    assert lines[3].startswith("  60 × ")
    place = f"{tmp_path.name}/laporan.csv"
    assert lines[5].startswith(f"{place}:3  missing_field: id")
    assert lines[6].startswith(f"{place}:4  ")
    assert lines[-1] == "... and 11 more, on the sources page"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["service_request", "tidak-ada.csv"], "there is no such file"),
        (["service_request", "config.toml"], "not a kind of file that is read"),
        (["service_request", "config.toml", "--map", "tidak-ada"], "use one of: banten"),
        (["service_request", "config.toml", "--map", "banten"], "import it as application"),
        (["ramalan", "config.toml"], "invalid choice"),
    ],
)
def test_arguments_that_do_not_do_end_with_2(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    why: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text(CITY + f'[store]\nurl = "sqlite:///{tmp_path}/p.db"\n')
    codes: list[object] = []
    try:
        codes.append(load_main(arguments))
    except SystemExit as ended:
        codes.append(ended.code)
    assert codes == [2]
    assert why in capsys.readouterr().err
