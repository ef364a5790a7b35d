"""Which form of the tables a store has, and which one this release knows."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

import kpis.tables
from kpis.errors import SchemaError
from kpis.store import metadata

assert kpis.tables  # every module that owns tables

# The number of the tables' present form; kpis/migrations/ leads from one to the next.
SCHEMA = 5
_SEAT = 20262026

schema_table = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True))


def alone(conn: Connection) -> None:
    """Nobody else makes or changes the tables until the transaction ends; SQLite has one writer anyway."""
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_SEAT)))


def schema_of(conn: Connection) -> int | None:
    """The schema the store's tables have; None when it is empty."""
    if not sa.inspect(conn).has_table(schema_table.name):
        return None
    return conn.execute(sa.select(schema_table.c.version)).scalar()


def refuse_newer(found: int | None) -> None:
    """Raises SchemaError when a newer release than this made the store."""
    if found is not None and found > SCHEMA:
        raise SchemaError(
            f"the store has schema {found} and this release knows {SCHEMA}; start the newer release"
        )


def make_tables(conn: Connection) -> None:
    """Makes the tables that are missing, of the present schema."""
    metadata.create_all(conn)
    if conn.execute(sa.select(schema_table.c.version)).scalar() is None:
        conn.execute(schema_table.insert().values(version=SCHEMA))


def make_ready(conn: Connection) -> None:
    """Makes the tables that are missing; SchemaError when another release made those that are there."""
    alone(conn)
    found = schema_of(conn)
    refuse_newer(found)
    if found is not None and found < SCHEMA:
        raise SchemaError(
            f"the store has schema {found} and this release needs {SCHEMA}; back it up, then `./run migrate`"
        )
    make_tables(conn)
