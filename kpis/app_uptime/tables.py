"""The facts of application checks, the runs they form, and the application inventory."""

from __future__ import annotations

import sqlalchemy as sa

from kpis.app_uptime import runs
from kpis.feeds import FeedTable, event_columns, key_table, source_columns
from kpis.store import metadata
from kpis.types import Domain

uptime_check = sa.Table(
    "uptime_check",
    metadata,
    *event_columns(),
    sa.Column("app", sa.Text, nullable=False),
    sa.Column("observed_at", sa.BigInteger, nullable=False),
    sa.Column("up", sa.Boolean, nullable=False),
    sa.Column("latency_ms", sa.Float(53)),
    sa.Column("status_code", sa.Integer),
    sa.Column("error", sa.Text),
    sa.Column("probe", sa.Text),
    sa.Column("cert_expires_at", sa.BigInteger),
    sa.Column("content_changed_at", sa.BigInteger),
    sa.Index("uptime_check_app", "app", "observed_at"),
    postgresql_partition_by="RANGE (observed_at)",
)

uptime_check_key = key_table("uptime_check")

# A run is a stretch of checks that agree, with no gap of more than three expected intervals. It is
# all that uptime over any window needs, and there are as many runs as there were changes of state.
app_run = sa.Table(
    "app_run",
    metadata,
    sa.Column("app", sa.Text, primary_key=True),
    sa.Column("started_at", sa.BigInteger, primary_key=True),
    sa.Column("last_at", sa.BigInteger, nullable=False),
    sa.Column("up", sa.Boolean, nullable=False),
)


def checked_apps(run: sa.Table = app_run) -> sa.CTE:
    """Every application with a run, as rows of `app`: one step down the index each, however many runs.

    Neither store skips through an index by itself, and runs grow for as long as the city does.
    """
    found = sa.select(sa.func.min(run.c.app).label("app")).cte("checked", recursive=True)
    after = sa.select(sa.func.min(run.c.app)).where(run.c.app > found.c.app).scalar_subquery()
    return found.union_all(sa.select(after).where(found.c.app.is_not(None)))


application = sa.Table(
    "application",
    metadata,
    *source_columns(),
    sa.Column("app", sa.Text, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("opd", sa.Text),
    sa.Column("owner", sa.Text),
    sa.Column("url", sa.Text),
    sa.Column("hosting", sa.Text),
    sa.Column("kind", sa.Text),
    sa.Column("note", sa.Text),
    sa.Index("application_app", "app"),
)

FEED = FeedTable(
    feed="uptime_check",
    table=uptime_check,
    key=uptime_check_key,
    by="observed_at",
    domain=Domain.APP_UPTIME,
    moment="observed_at",
    add=lambda conn, settings, rows: runs.apply(conn, settings, rows, uptime_check, app_run),
    rollups=(app_run,),
)

INVENTORY = FeedTable(
    feed="application",
    table=application,
    domain=Domain.APP_UPTIME,
    moment="updated_at",
    newest="updated_at",
    versioned=False,
)
