"""A Chromium of one's own, outside pytest's fixtures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests import machine

FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-pings",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """The installed Chromium, headless; it reaches nothing but loopback."""
    found = machine.find_chromium()
    if found is None:
        raise RuntimeError("Chromium is not installed; ./run test installs it where it may")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*FLAGS, *more])
        try:
            yield browser
        finally:
            browser.close()
