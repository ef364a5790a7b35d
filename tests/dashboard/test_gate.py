"""Every address: what answers, with which headers, and what does not exist."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from dashboard.app import Dashboard
from layouts.pages import PAGES
from tests.dashboard.fakes import FakeListener, FakeTables, reading, settings

LAYOUT = "/_view/id/dark/wall/-/-/-/today/-/-/_dash-layout"
UNKNOWN = (
    "/nowhere", "/wall/more", "/opd/nobody", "/opd/dlh/more", "/docs", "/redoc", "/openapi.json",
    "/api/v1", "/api/v2/readings", "/assets/none.js", "/assets/../config.toml", "/_dash-layout",
    "/_dash-component-suites/dash/none.js", "/_reload-hash",
    "/_view/id/dark/none/-/-/-/today/-/-/_dash-layout",
    "/_view/id/dark/opd/nobody/-/-/today/-/-/_dash-layout",
    "/_view/id/dark/wall/-/-/-/today/-/-/_reload-hash",
    "/live?page=none", "/live?page=wall&opd=dlh", "/live", "/_favicon.ico",
)  # fmt: skip


@pytest.fixture
def tables() -> FakeTables:
    return FakeTables(settings())


@pytest.fixture
async def client(tables: FakeTables) -> AsyncIterator[httpx.AsyncClient]:
    dashboard = Dashboard(settings(), tables, FakeListener(), PAGES)
    transport = httpx.ASGITransport(dashboard.gate, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://pendopo") as client:
        yield client


async def test_the_root_leads_to_the_wall(client: httpx.AsyncClient) -> None:
    reply = await client.get("/?lang=en")
    assert (reply.status_code, reply.headers["location"]) == (307, "/wall?lang=en")


@pytest.mark.parametrize("path", UNKNOWN)
async def test_an_unknown_address_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(
    "path", ["/wall", LAYOUT, "/nowhere", "/healthz", "/api/v1/readings", "/assets/live.js", "/"]
)
async def test_every_reply_carries_the_security_headers(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'self'" in headers["content-security-policy"]
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert "server" not in headers


async def test_every_script_of_a_page_has_this_replys_nonce(client: httpx.AsyncClient) -> None:
    nonces = set()
    for _ in range(2):
        reply = await client.get("/wall")
        policy = reply.headers["content-security-policy"]
        allowed = re.search(r"script-src 'nonce-([^']+)' 'strict-dynamic'", policy)
        assert allowed
        scripts = re.findall(r"<script\b([^>]*)>", reply.text)
        assert len(scripts) > 5
        run = [one for one in scripts if "application/json" not in one]
        assert all(f'nonce="{allowed[1]}"' in one for one in run)
        nonces.add(allowed[1])
    assert len(nonces) == 2


async def test_a_page_asks_nobody_else_for_anything(client: httpx.AsyncClient) -> None:
    text = (await client.get("/wall")).text
    assert re.findall(r'(?:src|href)="(?!/(?!/)|#)[^"]*"', text) == []


async def test_a_page_does_not_say_what_runs_here(client: httpx.AsyncClient) -> None:
    config = re.search(r'id="_dash-config"[^>]*>(.*?)</script>', (await client.get("/wall")).text)
    assert config
    assert not {"python_version", "dash_version", "plotly_version"} & set(json.loads(config[1]))


async def test_no_page_opens_a_websocket(client: httpx.AsyncClient) -> None:
    assert "websocket" not in (await client.get("/wall")).text


@pytest.mark.parametrize(
    ("query", "cookie", "language", "theme"),
    [
        ("", "", "id", "dark"),
        ("?lang=en", "", "en", "dark"),
        ("?lang=en&theme=light", "lang=id; theme_wall=dark", "en", "light"),
        ("", "lang=en; theme_wall=light", "en", "light"),
        ("", "theme=light", "id", "dark"),
        ("?lang=xx&theme=pink", "lang=yy", "id", "dark"),
    ],
)
async def test_language_and_theme_stand_on_the_document(
    client: httpx.AsyncClient, query: str, cookie: str, language: str, theme: str
) -> None:
    text = (await client.get("/wall" + query, headers={"cookie": cookie} if cookie else {})).text
    assert f'<html lang="{language}"' in text
    assert f'data-theme="{theme}"' in text
    assert f"/_view/{language}/{theme}/wall/-/-/-/today/-/-/_dash-layout" in text


async def test_a_choice_is_remembered_and_nothing_else_is(client: httpx.AsyncClient) -> None:
    said = (await client.get("/wall?lang=en&theme=light")).headers.get_list("set-cookie")
    assert [one.split(";")[0] for one in said] == ["lang=en", "theme_wall=light"]
    assert all("SameSite=Lax" in one for one in said)
    assert (await client.get("/wall", headers={"cookie": ""})).headers.get_list("set-cookie") == []
    assert (await client.get("/wall?lang=xx")).headers.get_list("set-cookie") == []


async def test_the_layout_holds_the_figures(client: httpx.AsyncClient, tables: FakeTables) -> None:
    tables.readings["requests_open"] = reading(value=4711)
    reply = await client.get(LAYOUT)
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["content-encoding"] == "gzip"
    assert "4.711" in reply.text
    assert "4,711" in (await client.get(LAYOUT.replace("/id/", "/en/"))).text
    plain = await client.get(LAYOUT, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == reply.json()


async def test_dash_answers_under_the_views_own_address(client: httpx.AsyncClient) -> None:
    reply = await client.get(LAYOUT.replace("_dash-layout", "_dash-dependencies"))
    assert (reply.status_code, reply.json()) == (200, [])


async def test_scripts_are_kept_for_ever_and_packed(client: httpx.AsyncClient) -> None:
    text = (await client.get("/wall")).text
    paths = re.findall(r'(?:src|href)="(/(?:assets|_dash-component-suites)/[^"]+)"', text)
    for name in ("pendopo.js", "pendopo.css", "favicon.ico", "icon.svg", "fonts/plex-sans-pi.woff2"):
        assert any(f"/assets/{name}?v=" in path for path in paths)
    for path in paths:
        reply = await client.get(path)
        assert reply.status_code == 200
        assert "immutable" in reply.headers["cache-control"]
        assert reply.headers.get("content-encoding") == (
            None if re.search(r"\.(woff2|png)\?", path) else "gzip"
        )
        again = await client.get(path, headers={"if-none-match": reply.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["cache-control"] == reply.headers["cache-control"]
        plain = await client.get(path, headers={"accept-encoding": "gzip;q=0"})
        assert "content-encoding" not in plain.headers
        assert plain.content == reply.content


async def test_an_asset_without_a_fingerprint_is_asked_for_again(client: httpx.AsyncClient) -> None:
    reply = await client.get("/assets/live.js")
    assert reply.headers["cache-control"] == "public, no-cache"
    again = await client.get("/assets/live.js", headers={"if-none-match": reply.headers["etag"]})
    assert again.status_code == 304


async def test_head_is_answered_like_get_except_for_a_stream(client: httpx.AsyncClient) -> None:
    assert (await client.head("/wall")).status_code == 200
    assert (await client.head("/live?page=wall")).status_code == 405


async def test_a_page_that_cannot_be_made_tries_again_by_itself(
    client: httpx.AsyncClient, tables: FakeTables
) -> None:
    tables.readings["requests_open"] = reading(value="not a number")  # type: ignore[arg-type]
    reply = await client.get("/wall")
    assert reply.status_code == 500
    assert 'http-equiv="refresh"' in reply.text
    assert "Traceback" not in reply.text


@pytest.mark.parametrize("path", ["/wall", "/api/v1/readings", "/live?page=wall"])
async def test_nothing_can_be_posted_to_a_page(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.post(path, json={})).status_code == 405


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://elsewhere", "content-type": "application/json"},
        {"origin": "http://pendopo", "content-type": "text/plain"},
        {"content-type": "application/json"},
    ],
)
async def test_a_callback_is_only_taken_from_our_own_pages(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    path = LAYOUT.replace("_dash-layout", "_dash-update-component")
    assert (await client.post(path, content="{}", headers=headers)).status_code == 405


async def test_readings_are_the_contracts_list(client: httpx.AsyncClient) -> None:
    reply = await client.get("/api/v1/readings")
    assert reply.headers["cache-control"] == "no-store"
    first = reply.json()[0]
    assert list(first) == [
        "kpi", "opd", "value", "unit", "target", "better", "severity", "freshness", "observed_at", "since",
        "reporting", "expected", "numerator", "denominator",
    ]  # fmt: skip
    assert first["kpi"] == "requests_open"
    assert datetime.fromisoformat(first["observed_at"]).tzinfo is not None


async def test_readings_of_an_unknown_opd_are_not_found(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/readings?opd=dlh")).status_code == 200
    reply = await client.get("/api/v1/readings?opd=nobody")
    assert (reply.status_code, reply.json()) == (404, {"error": "no OPD has the code 'nobody'"})


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("at=2026-08-17T09:00:00Z", "at is not known here; use opd"),
        ("opd=dlh&opd=dlh", "opd may be given once"),
    ],
)
async def test_a_question_not_understood_gets_no_answer_to_another(
    client: httpx.AsyncClient, query: str, said: str
) -> None:
    reply = await client.get(f"/api/v1/readings?{query}")
    assert (reply.status_code, reply.json()) == (400, {"error": said})


async def test_health_says_whether_the_store_answers(client: httpx.AsyncClient, tables: FakeTables) -> None:
    good = await client.get("/healthz")
    assert (good.status_code, good.json()) == (200, {"ok": True, "readings": 2, "version": 0, "store": True})
    tables.away = True
    bad = await client.get("/healthz")
    assert (bad.status_code, bad.json()["ok"], bad.json()["store"]) == (503, False, False)
    assert (await client.get("/api/v1/readings")).status_code == 503


async def test_a_page_that_was_never_read_says_that_it_will_try_again(
    client: httpx.AsyncClient, tables: FakeTables
) -> None:
    tables.away = True
    reply = await client.get("/wall")
    assert reply.status_code == 503
    assert 'http-equiv="refresh"' in reply.text


async def test_a_page_whose_store_went_away_is_served_and_says_so(
    client: httpx.AsyncClient, tables: FakeTables
) -> None:
    before = await client.get("/wall")
    assert before.status_code == 200
    tables.away = True
    assert (await client.get("/wall")).status_code == 200


def test_the_hub_needs_no_dash() -> None:
    """The hub can be its own process: none of its modules reaches Dash."""
    code = "import sys, dashboard.live, dashboard.stream, dashboard.watch; print('dash' in sys.modules)"
    root = Path(__file__).resolve().parent.parent.parent
    found = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
