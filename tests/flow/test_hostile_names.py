"""Names that would be markup stay names: on every page, in every drawing, in the page's own document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from http.client import HTTPConnection
from typing import Any, cast
from urllib.parse import quote

import httpx
import pytest

from dashboard.app import Dashboard
from dashboard.render import to_json
from dashboard.snapshot import Key
from dashboard.tables import Tables
from dashboard.view import LIVE
from ingest.evaluate import Evaluator
from kpis.announce import Listener
from kpis.types import Snapshot
from layouts.pages import PAGES, Page
from layouts.shell import shell
from layouts.words import words_for
from tests.dashboard.running import RunningDashboard
from tests.keeper import Keeper
from tests.pipeline.world import NOW, World, ago, city, record

EVIL = """<script>alert('1')</script>"'&<img src=x onerror=alert(2)>"""
FORBIDDEN = {"script", "img", "iframe", "object", "embed", "style", "link", "base", "foreignobject"}
OPDS = [
    {"code": "dinkes", "name": f"Dinas {EVIL}", "abbreviation": f"D{EVIL}", "english": f"Agency {EVIL}"},
    {"code": "dishub", "name": f"Dishub {EVIL}", "employees": 20},
]


class Elements(HTMLParser):
    """The elements, attributes and text of markup, as a browser would take them."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Whatever a source may fill with a text of its own holds markup, and every page has rows to show."""
    url = f"sqlite:///{tmp_path_factory.mktemp('evil') / 'pendopo.db'}"
    targets = {kpi: {"target": 0, "act": 1} for kpi in ("requests_open", "apps_down_now")}
    sources = [{"name": "pintu", "type": "mqtt", "feed": "uptime_check", "topic": "uptime"}]
    with city(url, city={"name": f"Kota {EVIL}", "opd": OPDS}, kpi=targets, source=sources) as found:
        fill(found)
        Evaluator(found.store, found.settings, found.now).cycle(everything=True)
        yield found


def fill(world: World) -> None:
    take = world.take
    told = dict.fromkeys(("category", "channel", "kelurahan", "kecamatan", "text", "reply_by"), EVIL)
    take("service_request", record("service_request", id=EVIL, due_at=ago(days=1), **told), source=EVIL)
    app = {"id": EVIL, "app": EVIL, "name": EVIL, "owner": EVIL, "url": f"javascript:{EVIL}", "note": EVIL}
    take("application", record("application", opd="dinkes", hosting=EVIL, kind=EVIL, **app))
    linked = {"id": "w", "app": "linked", "name": EVIL, "url": f"https://a.example/{EVIL}"}
    take("application", record("application", opd="dinkes", **linked))
    for name in (EVIL, "linked"):
        take("uptime_check", record("uptime_check", id=name, app=name, up=False, error=EVIL, probe=EVIL))
    run = {"system": EVIL, "interface": EVIL, "error": EVIL, "ok": False}
    take("sync_run", record("sync_run", data_as_of=ago(days=3), **run))
    for stage, amount in (("plan", 1000), ("budget", 3000)):
        named = {"id": stage, "code": EVIL, "name": EVIL, "document": EVIL}
        take("ledger", record("ledger", stage=stage, amount=amount, **named))
    take("attendance", record("attendance", employee="p01", device=EVIL, reason=EVIL, doubtful=True))
    take("service_request", {EVIL: EVIL, "id": EVIL, "opd": EVIL}, source=EVIL)
    world.pipeline.heard(EVIL, "mqtt", EVIL)


def seen(world: World, page: Page) -> Snapshot:
    opd = "dinkes" if page.scope == "opd" else None
    clock = replace(world.settings.clock, real=NOW, city=NOW, speed=0.0)
    tables = Tables(replace(world.settings, clock=clock), world.store)
    kpi = "requests_open" if page.of_kpi else None
    return tables.read(Key(page.name, opd, 1 if page.name == "sources" else None, kpi=kpi))


def props(node: Any) -> Iterator[dict[str, Any]]:
    """Every component's properties in the JSON of a page."""
    if isinstance(node, list):
        for inner in node:
            yield from props(inner)
    elif isinstance(node, dict):
        if "props" in node:
            yield node["props"]
        for inner in node.values():
            yield from props(inner)


def harmless(name: str, value: str) -> bool:
    if name.startswith("on") or name in ("srcdoc", "style", "src"):
        return False
    return name not in ("href", "xlink:href") or value.startswith(("/", "#", "https://", "http://"))


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_shows_hostile_names_as_text(world: World, page: Page, language: str) -> None:
    words = words_for(language, world.settings.city.timezone)
    snapshot = seen(world, page)
    whole = shell(page, snapshot, words, page.frame(snapshot, words), language=language, theme="dark")
    told = ""
    for found in props(json.loads(to_json(whole))):
        assert "dangerously_allow_html" not in found
        assert all(harmless(n, v) for n, v in found.items() if isinstance(v, str) and n in ("href", "src"))
        if "markup" in found:
            markup = Elements(found["markup"])
            assert not markup.tags & FORBIDDEN
            assert all(harmless(name, value) for name, value in markup.attributes)
            # The one form there is, of the days looked at, leads back to the page itself.
            ours = found["markup"].count(f'<form method="get" action="{page.address(snapshot)}">')
            assert found["markup"].count("<form") == ours
            told += markup.text + "".join(value for _, value in markup.attributes)
        else:
            told += str(found.get("children", "")) + str(found.get("title", ""))
    assert "onerror=alert(2)>" in told, "the name is shown, and whole"


async def test_the_document_around_a_page_holds_hostile_names_as_text(world: World) -> None:
    dashboard = Dashboard(world.settings, Tables(world.settings, world.store), Listener(world.store), PAGES)
    transport = httpx.ASGITransport(app=cast(Any, dashboard.gate))
    async with httpx.AsyncClient(transport=transport, base_url="http://pendopo") as browser:
        for address, names in (("/wall", 1), ("/opd/dinkes?lang=id", 2), ("/opd/dinkes?lang=en", 2)):
            reply = await browser.get(address)
            assert reply.status_code == 200
            assert "<img" not in reply.text
            assert Elements(reply.text).text.count("onerror=alert(2)>") >= names
        named = quote(EVIL, safe="")
        for wrong in (f"/opd/{EVIL}", f"/api/v1/readings?opd={named}", f"{LIVE}?page={EVIL}", f"/{EVIL}"):
            reply = await browser.get(wrong)
            assert reply.status_code == 404, wrong
            assert "<img" not in reply.text or reply.headers["content-type"] == "application/json"
        for split in ("/?lang=id%0d%0aset-cookie:%20a=b", "/wall?lang=id%0d%0ax:y&theme=dark%0d%0ax:y"):
            reply = await browser.get(split)
            assert "set-cookie" not in reply.headers
            assert all("\r" not in value and "\n" not in value for value in reply.headers.values())


def test_nothing_outside_the_assets_is_served(keeper: Keeper) -> None:
    server = RunningDashboard(keeper)
    paths = (
        "/assets/../config.toml", "/assets/..%2fconfig.toml", "/assets/%2e%2e/config.toml", "/assets/",
        "/assets//etc/passwd", "/assets/..%2f..%2f..%2f..%2f..%2fetc%2fpasswd", "/assets/..%5cconfig.toml",
        "/_dash-component-suites/dash/../../../../../etc/passwd", "/_dash-component-suites/dash/%2e%2e/x.js",
        "/_dash-component-suites/dash/..%2f..%2fpip%2f__init__.py", "/assets/%00", "//etc/passwd",
        "/../config.toml",
    )  # fmt: skip
    for path in paths:
        for query in ("", "?m=1"):
            wire = HTTPConnection("127.0.0.1", server.port, timeout=10)
            wire.request("GET", path + query)
            reply = wire.getresponse()
            assert reply.status in (400, 404), (path, reply.status, reply.read(200))
            wire.close()
