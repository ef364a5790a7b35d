"""`/screen`: a code, a token in a cookie no script reads, and reports nobody else can send."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboard.app import Dashboard
from dashboard.screens import reports
from dashboard.screens.limits import Limit
from dashboard.tables import Tables
from kpis.errors import StoreUnavailable
from kpis.screens.codes import digest
from kpis.screens.tables import screen_device
from layouts.pages import PAGES
from tests.conftest import FrozenClock
from tests.dashboard.fakes import FakeListener
from tests.pipeline.world import NOW
from tests.screens.conftest import Hall

JSON = {"content-type": "application/json", "origin": "http://pendopo"}
GOOD: dict[str, Any] = {
    "connection": "open", "build": "0123456789ab", "page": "overview", "width": 1920, "height": 1080,
    "scale": 1, "nodes": 812, "heap": 24_000_000, "due": 1_787_108_400_000, "painted": 1_787_108_400_000,
}  # fmt: skip


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """One store is enough here: test_enrolment and test_health try both."""
    return f"sqlite:///{tmp_path / 'pendopo.db'}"


@pytest.fixture
def dashboard(hall: Hall, clock: FrozenClock) -> Iterator[Dashboard]:
    """A dashboard on the hall's store. The city's clock is the frozen one."""
    object.__setattr__(hall.settings, "clock", _Frozen(clock))
    made = Dashboard(hall.settings, Tables(hall.settings, hall.store), FakeListener(), PAGES)
    yield made
    made.snapshots.close()


class _Frozen:
    """The city's clock, which shows what a frozen one shows."""

    speed = 1.0

    def __init__(self, clock: FrozenClock) -> None:
        self.now = clock.now

    def span(self, real: Any) -> Any:
        return real


@pytest.fixture
async def client(dashboard: Dashboard) -> AsyncIterator[httpx.AsyncClient]:
    await dashboard.devices.refresh()
    transport = httpx.ASGITransport(dashboard.gate, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://pendopo") as client:
        yield client


def code_of(page: httpx.Response) -> str:
    found = re.search(r'id="code"[^>]*>([^<]+)<', page.text)
    assert found
    return found[1]


async def enrolled(client: httpx.AsyncClient, hall: Hall, name: str = "lobi") -> str:
    """The client goes the whole way; its token."""
    hall.assign(code_of(await client.get("/screen")), name)
    said = await client.post("/screen/wait", json={}, headers=JSON)
    assert said.status_code == 200
    token = client.cookies.get("pendopo_screen")
    assert token
    return token


async def test_a_waiting_screen_becomes_the_one_its_code_was_given_to(
    client: httpx.AsyncClient, hall: Hall
) -> None:
    code = code_of(await client.get("/screen"))
    waiting = await client.post("/screen/wait", json={}, headers=JSON)
    assert waiting.json()["code"] == code
    hall.assign(code, "lobi")
    assert (await client.post("/screen/wait", json={}, headers=JSON)).json() == {"home": "/wall/lobi"}
    assert digest(client.cookies["pendopo_screen"]) in hall.tokens()
    again = await client.get("/screen")
    assert (again.status_code, again.headers["location"]) == (303, "/wall/lobi")
    assert (await client.get("/wall/lobi")).status_code == 200


async def test_the_same_browser_shows_the_same_code_until_it_runs_out(
    client: httpx.AsyncClient, clock: FrozenClock
) -> None:
    code = code_of(await client.get("/screen"))
    assert code_of(await client.get("/screen")) == code
    clock.tick(minutes=10)
    said = (await client.post("/screen/wait", json={}, headers=JSON)).json()
    assert said["code"] != code


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
async def test_the_cookies_are_for_nobody_but_this_server(
    dashboard: Dashboard, hall: Hall, scheme: str, secure: bool
) -> None:
    transport = httpx.ASGITransport(dashboard.gate)
    origin = {**JSON, "origin": f"{scheme}://pendopo"}
    async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://pendopo") as client:
        page = await client.get("/screen")
        hall.assign(code_of(page), "lobi")
        said = await client.post("/screen/wait", json={}, headers=origin)
    for reply in (page, said):
        for line in reply.headers.get_list("set-cookie"):
            morsel = next(iter(SimpleCookie(line).values()))
            assert (bool(morsel["httponly"]), morsel["samesite"], morsel["path"]) == (True, "Strict", "/")
            assert bool(morsel["secure"]) is secure
    kept = SimpleCookie(said.headers.get_list("set-cookie")[0])["pendopo_screen"]
    assert int(kept["max-age"]) > 300 * 24 * 3600, "a screen is enrolled once"


async def test_the_waiting_page_says_nothing_of_the_city_and_breaks_no_policy(
    client: httpx.AsyncClient,
) -> None:
    page = await client.get("/screen")
    assert page.headers["cache-control"] == "no-store"
    policy = page.headers["content-security-policy"]
    nonce = re.search(r"script-src 'nonce-([^']+)'", policy)
    assert nonce
    assert re.findall(r"<script\b([^>]*)>", page.text) == [f' nonce="{nonce[1]}"']
    assert 'lang="id"' in page.text
    assert 'lang="en"' in page.text
    assert re.findall(r'(?:src|href)="(?!/(?!/))[^"]*"', page.text) == []


async def test_asking_with_head_makes_no_code(client: httpx.AsyncClient, hall: Hall) -> None:
    reply = await client.head("/screen")
    assert (reply.status_code, reply.headers.get_list("set-cookie")) == (200, [])


async def test_one_who_asks_for_codes_without_end_is_told_to_wait(client: httpx.AsyncClient) -> None:
    said = []
    for _ in range(14):
        client.cookies.clear()
        said.append((await client.get("/screen")).status_code)
    assert said == [200] * 10 + [429] * 4


async def test_a_token_that_was_revoked_leads_to_a_new_code(
    client: httpx.AsyncClient, hall: Hall, dashboard: Dashboard
) -> None:
    await enrolled(client, hall)
    hall.revoke("lobi")
    await dashboard.devices.refresh()
    barred = await client.get("/wall/lobi")
    assert barred.status_code == 403
    assert 'content="10;url=/screen"' in barred.text
    assert (await client.post("/screen/health", json=GOOD, headers=JSON)).status_code == 403
    hall.assign(code_of(await client.get("/screen")), "balai")
    said = await client.post("/screen/wait", json={}, headers=JSON)
    assert said.json() == {"home": "/wall/balai"}
    assert (await client.get("/wall/balai")).status_code == 200


async def test_while_the_tokens_are_not_known_a_screen_is_told_to_come_again(
    dashboard: Dashboard, hall: Hall
) -> None:
    token = hall.enrol("lobi")
    transport = httpx.ASGITransport(dashboard.gate)
    cookies = {"pendopo_screen": token}
    async with httpx.AsyncClient(transport=transport, base_url="http://pendopo", cookies=cookies) as client:
        for path in ("/screen", "/wall/lobi", "/service-requests"):
            reply = await client.get(path)
            assert (reply.status_code, "refresh" in reply.text) == (503, True), path
        assert (await client.post("/screen/health", json=GOOD, headers=JSON)).status_code == 503
        await dashboard.devices.refresh()
        assert (await client.get("/wall/lobi")).status_code == 200


async def test_an_outage_of_the_store_takes_no_screens_token(
    client: httpx.AsyncClient, dashboard: Dashboard, hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    await enrolled(client, hall)
    assert (await client.get("/wall/lobi")).status_code == 200

    def away(*_: object) -> Any:
        raise StoreUnavailable("the store cannot be reached: test")

    for name in ("tokens", "read", "report", "waiting", "ask", "claim"):
        monkeypatch.setattr(dashboard.devices.store, name, away)
    with pytest.raises(StoreUnavailable):
        await dashboard.devices.refresh()
    assert (await client.get("/wall/lobi")).status_code == 200
    assert (await client.post("/screen/health", json=GOOD, headers=JSON)).status_code == 503
    assert (await client.get("/service-requests")).status_code == 403
    client.cookies.clear()
    assert (await client.get("/screen")).status_code == 503


# --- Reports -----------------------------------------------------------------------------------


async def test_a_screen_tells_how_it_is(client: httpx.AsyncClient, hall: Hall) -> None:
    await enrolled(client, hall)
    assert (await client.post("/screen/health", json=GOOD, headers=JSON)).status_code == 200
    row = hall.rows()["lobi"]
    assert (row.page, row.nodes, row.heap_bytes, row.scale) == ("overview", 812, 24_000_000, 1.0)
    assert row.heard_at == hall.clock.now()
    assert row.painted_at is not None
    assert row.painted_at <= row.heard_at, "no picture is newer than now"


async def test_no_other_site_can_report_for_a_screen(client: httpx.AsyncClient, hall: Hall) -> None:
    await enrolled(client, hall)
    for headers in (
        {"content-type": "application/json", "origin": "http://elsewhere"},
        {"content-type": "text/plain", "origin": "http://pendopo"},
        {"content-type": "application/json"},
    ):
        reply = await client.post("/screen/health", content="{}", headers=headers)
        assert reply.status_code == 405
    assert hall.rows()["lobi"].heard_at is None


async def test_one_without_a_token_reports_nothing(client: httpx.AsyncClient, hall: Hall) -> None:
    assert (await client.post("/screen/health", json=GOOD, headers=JSON)).status_code == 403
    client.cookies.set("pendopo_screen", "x" * 43)
    assert (await client.post("/screen/health", json=GOOD, headers=JSON)).status_code == 403
    assert hall.count(screen_device) == 0


BAD = (
    b"", b"[]", b"{}", b"{", b"null", b'"x"', b"\xff",
    *(json.dumps({**GOOD, **change}).encode() for change in (
        {"nodes": -1}, {"nodes": "12"}, {"heap": 1.5}, {"build": "x"}, {"connection": "fine"},
        {"painted": 1}, {"due": 10**30}, {"scale": 0}, {"page": "x" * 65}, {"width": 10**6}, {"more": 1},
    )),
)  # fmt: skip


@pytest.mark.parametrize("body", BAD)
def test_what_is_no_report_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        reports.read(body, frozenset(["overview"]), NOW)
    assert reports.read(json.dumps(GOOD).encode(), frozenset(["overview"]), NOW).page == "overview"


async def test_a_refused_report_leaves_the_row_as_it_was(client: httpx.AsyncClient, hall: Hall) -> None:
    await enrolled(client, hall)
    reply = await client.post("/screen/health", content=BAD[-1], headers=JSON)
    assert reply.status_code == 400
    assert hall.rows()["lobi"].heard_at is None


async def test_a_page_that_is_not_the_screens_is_not_kept(client: httpx.AsyncClient, hall: Hall) -> None:
    await enrolled(client, hall)
    await client.post("/screen/health", json={**GOOD, "page": "mayor"}, headers=JSON)
    assert hall.rows()["lobi"].page is None


async def test_a_report_is_bounded_in_size_and_in_number(client: httpx.AsyncClient, hall: Hall) -> None:
    await enrolled(client, hall)
    large = {**GOOD, "page": "x" * 2000}
    said = [(await client.post("/screen/health", json=large, headers=JSON)).status_code]
    said += [(await client.post("/screen/health", json=GOOD, headers=JSON)).status_code for _ in range(3)]
    assert said == [413, 200, 200, 429]


@pytest.mark.parametrize("path", ["/screen/wait", "/screen/health"])
async def test_what_is_posted_cannot_be_got(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 405
    assert (await client.post("/screen", json={}, headers=JSON)).status_code == 405


def test_a_limit_lets_a_burst_through_and_then_one_at_a_time() -> None:
    now = 0.0
    limit = Limit(3, 10.0, keep=2, clock=lambda: now)
    assert [limit.allows("a") for _ in range(5)] == [True, True, True, False, False]
    assert limit.allows("b"), "another asker has a limit of its own"
    now = 10.0
    assert [limit.allows("a") for _ in range(2)] == [True, False]
    now = 1000.0
    assert [limit.allows("a") for _ in range(4)] == [True, True, True, False]
    for asker in "cdefg":
        assert limit.allows(asker)
    assert len(limit._until) <= 2, "it remembers no more than it was told"
