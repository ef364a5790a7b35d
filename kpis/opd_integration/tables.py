"""The facts of OPD integration: sync runs with day cells, the ledger, and milestones."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.feeds import Cells, FeedTable, event_columns, flag_sum, key_table, source_columns
from kpis.store import insert, metadata
from kpis.types import Domain

sync_run = sa.Table(
    "sync_run",
    metadata,
    *event_columns(),
    sa.Column("opd", sa.Text, nullable=False),
    sa.Column("system", sa.Text, nullable=False),
    sa.Column("interface", sa.Text, nullable=False),
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("ok", sa.Boolean, nullable=False),
    sa.Column("finished_at", sa.BigInteger),
    sa.Column("rows_read", sa.BigInteger),
    sa.Column("rows_rejected", sa.BigInteger),
    sa.Column("data_as_of", sa.BigInteger),
    sa.Column("matched", sa.BigInteger),
    sa.Column("unmatched", sa.BigInteger),
    sa.Column("error", sa.Text),
    sa.Column("day", sa.Date, nullable=False),
    sa.Index("sync_run_interface", "opd", "system", "interface", "started_at"),
    sa.Index("sync_run_started", "started_at"),
    postgresql_partition_by="RANGE (started_at)",
)

sync_run_key = key_table("sync_run")

sync_day = sa.Table(
    "sync_day",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("opd", sa.Text, primary_key=True),
    sa.Column("system", sa.Text, primary_key=True),
    sa.Column("interface", sa.Text, primary_key=True),
    sa.Column("runs", sa.BigInteger, nullable=False, default=0),
    sa.Column("ok", sa.BigInteger, nullable=False, default=0),
)

# Every interface that ever synced, so that a page looks each one up instead of reading all runs.
interface_seen = sa.Table(
    "interface_seen",
    metadata,
    sa.Column("opd", sa.Text, primary_key=True),
    sa.Column("system", sa.Text, primary_key=True),
    sa.Column("interface", sa.Text, primary_key=True),
)

ledger = sa.Table(
    "ledger",
    metadata,
    *source_columns(),
    sa.Column("opd", sa.Text, nullable=False),
    sa.Column("year", sa.Integer, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("amount", sa.Float(53), nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("document", sa.Text),
)

milestone = sa.Table(
    "milestone",
    metadata,
    *source_columns(),
    sa.Column("opd", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("done_on", sa.Date),
    sa.Column("kind", sa.Text),
    sa.Column("programme", sa.Text),
    sa.Column("budget", sa.Float(53)),
    sa.Column("progress", sa.Float(53)),
    sa.Index("milestone_due", "opd", "due_on"),
    sa.Index("milestone_done", "opd", "done_on"),
    sa.Index("milestone_by_day", "due_on"),
)

SYNC_CELLS = Cells(
    table=sync_day,
    keys=lambda r: {"day": r.c.day, "opd": r.c.opd, "system": r.c.system, "interface": r.c.interface},
    measures=lambda r: {"runs": sa.literal_column("1", sa.BigInteger), "ok": flag_sum(r.c.ok)},
    where=lambda r: r.c.day.is_not(None),
)


def _add(conn: Connection, _settings: Settings, rows: sa.FromClause) -> None:
    SYNC_CELLS.apply(conn, rows, 1)
    key = ("opd", "system", "interface")
    seen = sa.select(*(rows.c[name] for name in key)).distinct().where(rows.c.day.is_not(None))
    conn.execute(insert(conn, interface_seen).from_select(key, seen).on_conflict_do_nothing())


SYNC = FeedTable(
    feed="sync_run",
    table=sync_run,
    key=sync_run_key,
    by="started_at",
    domain=Domain.OPD_INTEGRATION,
    moment="started_at",
    add=_add,
    rollups=(sync_day, interface_seen),
)
LEDGER = FeedTable(
    feed="ledger", table=ledger, domain=Domain.OPD_INTEGRATION, moment="updated_at", newest="updated_at"
)
MILESTONE = FeedTable(
    feed="milestone", table=milestone, domain=Domain.OPD_INTEGRATION, moment="updated_at", newest="updated_at"
)
