"""The facts of service requests, newest version of each, and their day cells."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.feeds import Cells, FeedTable, source_columns
from kpis.store import metadata
from kpis.types import Domain

# A request in one of these no longer waits for the city; only `closed` counts as closed.
ENDED = ("closed", "rejected", "archived", "withdrawn")

service_request = sa.Table(
    "service_request",
    metadata,
    *source_columns(),
    sa.Column("opd", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("opened_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("class", sa.Text),
    sa.Column("category", sa.Text),
    sa.Column("channel", sa.Text),
    sa.Column("kelurahan", sa.Text),
    sa.Column("kecamatan", sa.Text),
    sa.Column("lat", sa.Float(53)),
    sa.Column("lon", sa.Float(53)),
    sa.Column("verified_at", sa.BigInteger),
    sa.Column("assigned_at", sa.BigInteger),
    sa.Column("answered_at", sa.BigInteger),
    sa.Column("closed_at", sa.BigInteger),
    sa.Column("due_at", sa.BigInteger),
    sa.Column("paused_days", sa.Float(53)),
    sa.Column("reopened", sa.Integer),
    sa.Column("confirmed", sa.Boolean),
    sa.Column("text", sa.Text),
    sa.Column("reply_by", sa.Text),
    # When it stopped waiting: closed_at, or the record's own time for the other ways to end.
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("opened_day", sa.Date, nullable=False),
    sa.Column("closed_day", sa.Date),
    sa.Index("service_request_waiting", "ended_at", "opd", "due_at", "opened_at"),
    sa.Index("service_request_closed", "closed_at"),
    sa.Index("service_request_answered", "answered_at"),
    sa.Index("service_request_updated", "updated_at"),
)

request_day = sa.Table(
    "request_day",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("opd", sa.Text, primary_key=True),
    sa.Column("opened", sa.BigInteger, nullable=False, default=0),
    sa.Column("closed", sa.BigInteger, nullable=False, default=0),
)


def _one(_rows: sa.FromClause) -> sa.ColumnElement[int]:
    return sa.literal_column("1", sa.BigInteger)


def _none(_rows: sa.FromClause) -> sa.ColumnElement[int]:
    return sa.literal_column("0", sa.BigInteger)


REQUEST_CELLS = (
    Cells(
        table=request_day,
        keys=lambda r: {"day": r.c.opened_day, "opd": r.c.opd},
        measures=lambda r: {"opened": _one(r), "closed": _none(r)},
        where=lambda r: r.c.opened_day.is_not(None),
    ),
    Cells(
        table=request_day,
        keys=lambda r: {"day": r.c.closed_day, "opd": r.c.opd},
        measures=lambda r: {"opened": _none(r), "closed": _one(r)},
        where=lambda r: r.c.closed_day.is_not(None),
    ),
)


def _add(conn: Connection, _settings: Settings, rows: sa.FromClause) -> None:
    for cells in REQUEST_CELLS:
        cells.apply(conn, rows, 1)


def _remove(conn: Connection, _settings: Settings, rows: sa.FromClause) -> None:
    for cells in REQUEST_CELLS:
        cells.apply(conn, rows, -1)


FEED = FeedTable(
    feed="service_request",
    table=service_request,
    domain=Domain.SERVICE_REQUESTS,
    moment="updated_at",
    newest="updated_at",
    add=_add,
    remove=_remove,
    rollups=(request_day,),
)
