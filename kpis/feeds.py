"""How each feed is kept: its fact table, which of two versions stays, and the roll-ups it feeds.

Events (a check, a clock-in, a sync run) never change and come by the million: PostgreSQL keeps them
in one partition a month, so that a month can be dropped whole. No index of a partitioned table is
unique across its months, so a key table beside it says which `(source, id)` are known. Things (a
request, a ledger line) change and are looked up by their id: one table, its primary key.
See docs/adr/0008-events-by-month.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.store import insert, metadata
from kpis.types import Domain

Apply = Callable[[Connection, Settings, sa.FromClause], None]


def nothing(_conn: Connection, _settings: Settings, _rows: sa.FromClause) -> None:
    """For feeds without roll-ups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedTable:
    """One feed's facts. `newest` names the column that decides between two versions of one id
    (None: an id never changes). `add` applies rows that came in, already in the facts, to the
    roll-ups; `remove` takes out rows about to be replaced. `rollups` are emptied by a rebuild.
    `moment` is the column that says when the thing happened. `versioned` False means a new version
    that differs in nothing but its time is no news. Events have a `key` table and the column `by`,
    an instant or a day, whose month they are kept under; things have neither.
    """

    feed: str
    table: sa.Table
    domain: Domain | None
    moment: str
    key: sa.Table | None = None
    by: str | None = None
    newest: str | None = None
    versioned: bool = True
    add: Apply = nothing
    remove: Apply = nothing
    rollups: tuple[sa.Table, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """A roll-up whose cells are sums: `keys` and `measures` name the cell table's columns by the
    expressions over a fact row that fill them; rows where `where` is false do not count."""

    table: sa.Table
    keys: Callable[[sa.FromClause], dict[str, sa.ColumnElement[object]]]
    measures: Callable[[sa.FromClause], dict[str, sa.ColumnElement[int]]]
    where: Callable[[sa.FromClause], sa.ColumnElement[bool]]

    def apply(self, conn: Connection, rows: sa.FromClause, sign: int) -> None:
        """Adds (`sign` 1) or takes out (-1) the contributions of `rows`."""
        keys = self.keys(rows)
        measures = {n: (sa.func.sum(e) * sign).label(n) for n, e in self.measures(rows).items()}
        query = (
            sa.select(*(e.label(n) for n, e in keys.items()), *measures.values())
            .where(self.where(rows))
            .group_by(*keys.values())
        )
        statement = insert(conn, self.table).from_select([*keys, *measures], query)
        conn.execute(
            statement.on_conflict_do_update(
                index_elements=list(keys),
                set_={n: self.table.c[n] + statement.excluded[n] for n in measures},
            )
        )


def source_columns() -> tuple[sa.Column[str], sa.Column[str]]:
    """`(source, id)`: the same pair again is the same thing."""
    return (
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
    )


def event_columns() -> tuple[sa.Column[str], sa.Column[str]]:
    """`(source, id)` of an event; its key table holds each pair once."""
    return sa.Column("source", sa.Text, nullable=False), sa.Column("id", sa.Text, nullable=False)


def key_table(feed: str) -> sa.Table:
    """Which `(source, id)` of an event feed are known, and the month (yyyymm) their fact is kept under."""
    return sa.Table(
        f"{feed}_key",
        metadata,
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("month", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def flag_sum(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """1 where the condition holds, else 0; for sums on both stores."""
    return sa.case((condition, 1), else_=0)
