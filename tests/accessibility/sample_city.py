"""The real dashboard, gate, stream and policy, on the sample's snapshots: full pages without a store."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from playwright.sync_api import Browser, Page, expect

from dashboard.app import Dashboard
from dashboard.server import server_of
from dashboard.snapshot import Key
from kpis.types import Snapshot
from layouts.pages import PAGES
from tests.dashboard.fakes import FakeListener, FakeTables
from tests.layouts import sample, views
from tests.layouts.thin import thinned
from tests.layouts.views_kpi import KPI
from tests.layouts.views_people import OPD


class SampleTables(FakeTables):
    """Answers with the sample of each page. `changes` are put into every snapshot, as a test sets them."""

    def __init__(self) -> None:
        super().__init__(sample.SETTINGS)
        self.changes: dict[str, Any] = {}

    def read(self, key: Key) -> Snapshot:
        made = views.SNAPSHOTS[key.page]
        found = made(code=key.opd) if key.opd else made()
        changed = {"detail": thinned(found.detail), **self.changes}
        return replace(found, version=self.version, **changed)

    def aged(self, last: Snapshot) -> Snapshot:
        return replace(last, store_ok=False)


@dataclass
class SampleCity:
    """A running dashboard of the sample. `change(...)` is what an evaluator's commit would be."""

    url: str
    tables: SampleTables
    listener: FakeListener = field(repr=False)

    def opened(self, browser: Browser, path: str, **context: Any) -> Page:
        """The page of an address, drawn and connected, in a context of its own (`browser.new_page`'s)."""
        still = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"}
        page = browser.new_page(**{**still, **context})
        page.goto(self.url + path, wait_until="commit")
        connected(page)
        return page

    def change(self, **changes: object) -> None:
        self.tables.changes = changes
        self.tables.version += 1
        self.listener.ring(self.tables.version)


def paths() -> dict[str, str]:
    """Name → address of everything a person can open: every page, every further wall screen."""
    found = {page.name: page.path.replace("<code>", OPD).replace("<key>", KPI) for page in PAGES}
    for screen in sample.SETTINGS.screens[1:]:
        found[f"wall-{screen.name}"] = f"/wall/{screen.name}"
    return found


@contextmanager
def running() -> Iterator[SampleCity]:
    """Serves in a thread of this process until the block ends."""
    tables, listener = SampleTables(), FakeListener()
    dashboard = Dashboard(sample.SETTINGS, tables, listener, PAGES)
    taken = socket.create_server(("127.0.0.1", 0))
    server = server_of(dashboard, lambda: None)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    assert server.started
    yield SampleCity(f"http://127.0.0.1:{taken.getsockname()[1]}", tables, listener)
    server.should_exit = True
    thread.join(10)
    taken.close()


def connected(page: Page) -> None:
    """Returns once the page is drawn and its stream has spoken."""
    expect(page.locator("#connection")).to_have_attribute("data-state", "ok", timeout=30_000)


def wear(page: Page, theme: str) -> None:
    """Puts the page into a theme, as its address would: two elements carry its name."""
    page.evaluate(
        """theme => document.querySelectorAll("html, #pendopo").forEach(one => {
            one.dataset.theme = theme; one.dataset.bsTheme = theme; })""",
        theme,
    )
