"""Fixtures: real servers that start when a test first asks for one, and a clock that stands still."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests import machine
from tests.keeper import Keeper
from tests.screen import FLAGS
from tests.servers import MariaDb, Mosquitto, Postgres

ROOT = Path(__file__).resolve().parent.parent

# A test that does not run must say why, and this is the only reason there is.
ALLOWED_SKIP = "shared data absent"

# A busy machine is no failure of the code; and what CI says of one commit is the same every time.
hypothesis.settings.register_profile("pendopo", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("pendopo")

_skipped: dict[str, str] = {}


@pytest.fixture(scope="session")
def keeper() -> Iterator[Keeper]:
    """Starts and ends server processes; its folder lives as long as the session."""
    keeper = Keeper()
    yield keeper
    keeper.close()


@pytest.fixture(scope="session")
def postgres(keeper: Keeper) -> Postgres:
    """One PostgreSQL for the session, not durable. A test that stops or kills it uses `durable_postgres`."""
    return Postgres(keeper)


@pytest.fixture
def durable_postgres(keeper: Keeper) -> Iterator[Postgres]:
    """A PostgreSQL of the test's own with fsync on: to be stopped, started and killed."""
    server = Postgres(keeper, durable=True)
    yield server
    server.kill()


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[Callable[[], str]]:
    """Each call gives the URL of a new empty database, dropped after the test."""
    made: list[str] = []

    def fresh() -> str:
        made.append(postgres.fresh())
        return made[-1]

    yield fresh
    for url in made:
        postgres.drop(url)


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'pendopo.db'}"
    fresh: Callable[[], str] = request.getfixturevalue("postgres_url")
    return fresh()


@pytest.fixture
def mosquitto(keeper: Keeper) -> Iterator[Mosquitto]:
    """A broker of the test's own, open to anybody on loopback."""
    server = Mosquitto(keeper)
    yield server
    server.kill()


@pytest.fixture
def secured_mosquitto(keeper: Keeper) -> Iterator[Mosquitto]:
    """A broker that speaks TLS only (`ca_file`) and lets in only pendopo, with the password rahasia."""
    server = Mosquitto(keeper, users={"pendopo": "rahasia"}, tls=True)
    yield server
    server.kill()


@pytest.fixture(scope="session")
def mariadb(keeper: Keeper) -> MariaDb:
    """One MariaDB for the session."""
    return MariaDb(keeper)


@pytest.fixture
def mariadb_url(mariadb: MariaDb) -> Iterator[str]:
    """The URL of a new empty MariaDB database, dropped after the test."""
    url = mariadb.fresh()
    yield url
    mariadb.drop(url)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The installed Chromium."""
    found = machine.find_chromium()
    assert found, "Chromium is not installed; ./run test installs it where it may"
    return found


# Playwright's synchronous door keeps an event loop running in this thread for as long as it is open,
# and async tests cannot run beside it: one browser per module, not per session.
@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """Headless Chromium that reaches nothing but loopback."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a 1920×1080 screen; the test fails when the page wrote an error to its console."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    errors: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(f"{message.text} ({message.location.get('url', '')})")

    page.on("console", heard)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors, errors


class FrozenClock:
    """A clock that moves only when it is told to. Call it, or its `now()`, for the instant it shows."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def now(self) -> datetime:
        return self.at

    def set(self, at: datetime) -> None:
        self.at = at.astimezone(UTC)

    def tick(self, **span: float) -> datetime:
        """Moves on by `timedelta(**span)`: `clock.tick(minutes=5)`."""
        self.at += timedelta(**span)
        return self.at


@pytest.fixture
def clock() -> FrozenClock:
    """A frozen clock: Wednesday 19 August 2026, 10:00 in Jakarta, a working day."""
    return FrozenClock(datetime(2026, 8, 19, 3, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data: $PENDOPO_SHARED, else shared/data beside the project's folder."""
    folder = Path(os.environ.get("PENDOPO_SHARED") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"{ALLOWED_SKIP}: no folder {folder}; set PENDOPO_SHARED to where it is")
    return folder


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(getattr(report, "wasxfail", report.longrepr))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped:
        _skipped[report.nodeid] = _reason(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.skipped:
        _skipped[report.nodeid] = _reason(report)


def _unexcused() -> dict[str, str]:
    return {test: reason for test, reason in _skipped.items() if not reason.startswith(ALLOWED_SKIP)}


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A skipped test proves nothing: unless its reason is the allowed one, the session fails."""
    if _unexcused() and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for test, reason in _skipped.items():
        verdict = "NOT RUN" if reason.startswith(ALLOWED_SKIP) else "NOT RUN, not allowed"
        terminalreporter.write_line(f"{verdict}: {test}: {reason}")
