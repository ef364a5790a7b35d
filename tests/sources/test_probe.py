"""Checks against real local servers: up, down in every way, and the certificate's end."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from ingest.sources.probe import ProbeSource
from ingest.sources.probe_check import Checker, Finding
from kpis.config import Application
from tests.servers import Mosquitto, free_port
from tests.sources.recorder import Recorder, Running, eventually, settings_of


class _Site(BaseHTTPRequestHandler):
    """`/503` answers with that status; `/slow` is silent; `/loop` redirects to itself; `/cut` ends early."""

    def do_GET(self) -> None:
        self.server.asked.append((self.path, time.monotonic()))  # type: ignore[attr-defined]
        path = self.path.strip("/")
        if path == "slow":
            time.sleep(3)
        if path in ("loop", "moved"):
            self.send_response(302)
            self.send_header("Location", "/loop" if path == "loop" else "/")
            self.end_headers()
            return
        self.send_response(int(path) if path.isdigit() else 200)
        self.send_header("Content-Length", "100" if path == "cut" else "4")
        self.end_headers()
        self.wfile.write(b"baik")

    def log_message(self, *_: object) -> None:  # the base class prints
        return


class Site:
    def __init__(self, certificate: Path | None = None, key: Path | None = None) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
        self.server.asked = []  # type: ignore[attr-defined]
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def asked(self) -> list[tuple[str, float]]:
        found: list[tuple[str, float]] = self.server.asked  # type: ignore[attr-defined]
        return found

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def check(url: str, timeout_s: float = 5) -> Finding:
    async def once() -> Finding:
        async with Checker(timeout_s) as checker:
            return await checker.check(url)

    return asyncio.run(once())


def test_an_answer_below_400_is_up_with_its_latency(site: Site) -> None:
    found = check(f"http://{site.host}/")
    assert found.up
    assert found.status_code == 200
    assert found.error is None
    assert found.latency_ms is not None
    assert 0 < found.latency_ms < 2000


def test_redirects_are_followed_and_an_address_needs_no_scheme(site: Site) -> None:
    assert check(f"{site.host}/moved").up
    assert [path for path, _ in site.asked] == ["/moved", "/"]


@pytest.mark.parametrize(
    ("path", "error", "status"),
    [
        ("503", "http 503", 503),
        ("404", "http 404", 404),
        ("loop", "redirects", None),
        ("cut", "protocol", None),
    ],
)
def test_an_answer_that_is_no_page_is_down(site: Site, path: str, error: str, status: int | None) -> None:
    found = check(f"http://{site.host}/{path}")
    assert not found.up
    assert found.error == error
    assert found.status_code == status


def test_silence_is_down_after_the_timeout(site: Site) -> None:
    assert check(f"http://{site.host}/slow", 0.3) == Finding(up=False, error="timeout")


def test_a_closed_port_a_name_that_is_none_and_nonsense_are_told_apart() -> None:
    assert check(f"http://127.0.0.1:{free_port()}/").error == "connect"
    assert check("http://tidak-ada.invalid/").error == "dns"
    assert check("ftp://127.0.0.1/").error == "url"
    assert check("http://[::/").error == "url"


def test_a_server_that_speaks_something_else_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: server.accept()[0].sendall(b"220 smtp\r\n\r\n"), daemon=True).start()
        assert check(f"http://127.0.0.1:{server.getsockname()[1]}/").error == "protocol"


def test_a_certificate_nobody_trusts_is_down(secured_mosquitto: Mosquitto) -> None:
    folder = secured_mosquitto.folder
    site = Site(folder / "ca.pem", folder / "key.pem")
    assert check(f"https://{site.host}/") == Finding(up=False, error="tls")
    site.close()


def test_the_certificates_end_is_told(secured_mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = secured_mosquitto.folder
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    site = Site(folder / "ca.pem", folder / "key.pem")
    found = check(f"https://{site.host}/")
    site.close()
    assert found.up
    assert found.cert_expires_at is not None
    assert timedelta(days=1) < found.cert_expires_at - datetime.now(UTC) < timedelta(days=3)


# --- the source ---


def app(name: str, url: str | None, *, probe: bool = True) -> Application:
    return Application(app=name, name=name, opd=None, owner=None, url=url, hosting=None, probe=probe)


def source_of(
    tmp_path: Path, sink: Recorder, inventory: list[Application], every: str = "200ms"
) -> ProbeSource:
    text = f'[[source]]\nname = "probe"\ntype = "probe"\nevery = "{every}"\ntimeout = "2s"\n'
    settings = settings_of(text, tmp_path)
    return ProbeSource(settings.sources[0], sink, lambda: datetime.now(UTC), lambda: inventory)


def test_every_application_is_checked_again_and_again(tmp_path: Path, site: Site) -> None:
    sink = Recorder()
    inventory = [
        app("satu", f"http://{site.host}/"),
        app("dua", f"http://{site.host}/503"),
        app("tanpa-alamat", None),
        app("jangan", f"http://{site.host}/jangan", probe=False),
    ]
    with Running(source_of(tmp_path, sink, inventory)):
        eventually(lambda: len(sink.arrivals) >= 8)
    records = [msgspec.json.decode(payload) for payload in sink.payloads]
    assert {record["app"] for record in records} == {"satu", "dua"}
    one = next(record for record in records if record["app"] == "dua")
    at = datetime.fromisoformat(one["observed_at"])
    assert one["id"] == f"dua:{int(at.timestamp() * 1000)}"
    assert (one["up"], one["error"], one["status_code"], one["probe"]) == (False, "http 503", 503, "probe")
    arrival = sink.arrivals[0]
    assert (arrival.feed, arrival.door, arrival.source) == ("uptime_check", "probe", "probe")
    assert len({record["id"] for record in records}) == len(records)


def test_checks_are_spread_over_the_interval(tmp_path: Path, site: Site) -> None:
    sink = Recorder()
    inventory = [app(f"app-{n}", f"http://{site.host}/{n}") for n in range(200, 260)]
    with Running(source_of(tmp_path, sink, inventory, "2s")):
        eventually(lambda: len({path for path, _ in site.asked}) == 60)
    first: dict[str, float] = {}
    for path, at in site.asked:
        first.setdefault(path, at)
    moments = sorted(first.values())
    most = max(sum(1 for m in moments if start <= m < start + 0.2) for start in moments)
    assert moments[-1] - moments[0] > 1.2
    assert most < 25, "no herd: 60 checks over 2 s are about 6 in 0.2 s"


def test_checks_wait_while_the_store_is_away(tmp_path: Path, site: Site) -> None:
    sink = Recorder()
    sink.away = True
    with Running(source_of(tmp_path, sink, [app("satu", f"http://{site.host}/")])):
        eventually(lambda: len(site.asked) > 5 and bool(sink.errors))
        seen = len(site.asked)
        sink.away = False
        eventually(lambda: len(sink.arrivals) >= seen)
        eventually(lambda: sink.notes[-1][2] is None)
    assert "checks wait" in sink.errors[0]


def test_what_is_dropped_is_told(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.sources.probe.BACKLOG", 3)
    sink = Recorder()
    sink.away = True
    with Running(source_of(tmp_path, sink, [app("satu", f"http://{site.host}/")], "100ms")):
        eventually(lambda: len(site.asked) > 8)
        sink.away = False
        eventually(lambda: any("dropped while the store was away" in error for error in sink.errors))
