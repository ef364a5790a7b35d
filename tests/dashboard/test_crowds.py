"""A thousand open pages: what befalls the store or the server ends with the newest figures on all of them."""

from __future__ import annotations

import pytest

from benchmarks.live_stage import Crowd
from benchmarks.live_stage import Server as Watched
from kpis.announce import Listener
from kpis.store import Store
from tests.dashboard.running import Hand, RunningDashboard
from tests.keeper import Keeper
from tests.servers import Postgres

PAGES = 1000


def crowd(server: RunningDashboard, within: float = 0.0) -> Crowd:
    return Crowd("stream", Watched("dashboard", server.pid, server.port, ""), PAGES, within)


def newest(store: Store) -> int:
    listener = Listener(store)
    try:
        return listener.version()
    finally:
        listener.close()


def shown(pages: Crowd, store: Store) -> tuple[int, int]:
    """How many pages are open, and how many of them do not show the newest figures."""
    pages.begin()
    heard = pages.end(newest(store))
    return heard["viewers"], heard["behind"]


def test_the_store_is_killed_under_a_thousand_pages(keeper: Keeper, durable_postgres: Postgres) -> None:
    server = RunningDashboard(keeper, durable_postgres.fresh())
    with server.open_store() as store:
        hand = Hand(store)
        hand.write("requests_open", 1204)
        with crowd(server) as pages:
            assert pages.ready(60)
            durable_postgres.kill()
            durable_postgres.start()
            hand.write("requests_open", 1808)
            assert shown(pages, store) == (PAGES, 0)
    server.stop()


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_thousand_pages_come_back_to_a_server_that_has_just_started(keeper: Keeper, end: str) -> None:
    """They come within a second, while figures go on changing."""
    server = RunningDashboard(keeper)
    with server.open_store() as store:
        hand = Hand(store)
        hand.write("requests_open", 1204)
        with crowd(server) as pages:
            assert pages.ready(60)
            getattr(server, end)()
            server.start()
        with crowd(server, within=1.0) as pages:
            value = 0
            while not pages.ready(0.2):
                value += 1
                hand.write("requests_open", value)
            assert shown(pages, store) == (PAGES, 0)
    server.stop()
