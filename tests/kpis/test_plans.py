"""No page and no cycle reads a growing table from one end to the other: each query finds its rows."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa

from dashboard.snapshot import Key
from dashboard.tables import Tables
from ingest.evaluate import Evaluator
from kpis import readings
from kpis.readings import measure
from kpis.store import Store
from layouts.pages import PAGES
from tests.pipeline.world import FEEDS, NOW, World, record

# What grows with the city's years. The ledger's chain is read whole: every code of it is compared.
GROWING = (
    "service_request", "request_day", "uptime_check", "app_run", "sync_run", "sync_day", "attendance",
    "attendance_day", "attendance_person", "attendance_cell", "message", "milestone", "reading_history",
    "reading_change", "source_hour", "reject",
)  # fmt: skip
_SCANS = re.compile(rf"^SCAN ({'|'.join(GROWING)})\b(?! USING INDEX reject_last$)")


def asked(store: Store) -> dict[str, Any]:
    """Fills with every question to the tables from now on, and what it was given; stages aside."""
    found: dict[str, Any] = {}

    def keep(_conn: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "WITH")) and "stage_" not in statement:
            found.setdefault(statement, given)

    sa.event.listen(store._reader, "before_cursor_execute", keep)
    sa.event.listen(store._writer, "before_cursor_execute", keep)
    return found


def test_what_grows_is_looked_up(embedded: World) -> None:
    for feed in FEEDS:
        embedded.take(feed, record(feed), {"id": ""})
    statements = asked(embedded.store)
    Evaluator(embedded.store, embedded.settings, embedded.now).cycle(everything=True)
    tables = Tables(embedded.settings, embedded.store)
    for page in PAGES:
        tables.read(Key(page.name, "dinkes" if page.scope == "opd" else None, 1))
    embedded.take("uptime_check", record("uptime_check", id="c2"))
    with embedded.store.read() as conn:
        measure(conn, embedded.settings, NOW)
        readings.current(conn, embedded.settings, NOW)
        plans = {
            statement: [row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)]
            for statement, given in dict(statements).items()
        }
    assert len(plans) > 40
    scanned = {statement: plan for statement, plan in plans.items() if any(map(_SCANS.match, plan))}
    assert not scanned, "\n".join(f"{' '.join(s.split())[:200]}\n    {plan}" for s, plan in scanned.items())


@pytest.mark.parametrize("apps", [0, 1, 3])
def test_every_application_that_was_ever_checked_is_found(world: World, apps: int) -> None:
    for number in range(apps):
        for up, minute in ((True, 10), (False, 20), (True, 30)):
            check = {"id": f"{number}-{minute}", "app": f"app{number}", "up": up}
            at = NOW.replace(hour=1, minute=minute).isoformat()
            world.take("uptime_check", record("uptime_check", observed_at=at, **check))
    found = world.reading("apps_down_now")
    assert (found.expected, found.denominator) == (apps, apps)
