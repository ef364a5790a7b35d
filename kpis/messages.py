"""Messages between citizens and officials on a request: the facts alone, so far."""

from __future__ import annotations

import sqlalchemy as sa

from kpis.feeds import FeedTable, source_columns
from kpis.store import metadata

message = sa.Table(
    "message",
    metadata,
    *source_columns(),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("channel", sa.Text),
    sa.Index("message_request", "request", "at"),
)

MESSAGES = FeedTable(feed="message", table=message, domain=None, moment="at")
