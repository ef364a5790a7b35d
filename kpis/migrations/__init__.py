"""Brings a store that an earlier release made to the present schema, with everything in it.

`versions/` holds one script a step; its revision is the number of the schema it leads to. Each spells
its tables out instead of importing them, so that it still does the same when the tables have moved on.
Tables that are new altogether need no script: they are made where they are missing.
docs/adr/0007-migrations-and-retention.md says why.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script, ScriptDirectory
from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.errors import ConfigError, SchemaError
from kpis.schema import SCHEMA, alone, make_tables, refuse_newer, schema_of, schema_table
from kpis.store import Store

# What an evaluator holds for as long as it judges (ingest/election.py).
_EVALUATOR_SEAT = 20262027

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Migrated:
    """From which schema (None: the store was empty) to which, and how long it took."""

    found: int | None
    now: int
    seconds: float


def steps(found: int) -> list[Script]:
    """The scripts that lead from schema `found` to the present one, oldest first."""
    folder = ScriptDirectory(str(Path(__file__).parent))
    scripts = sorted(folder.walk_revisions(), key=lambda script: int(script.revision))
    return [script for script in scripts if int(script.revision) > found]


def found_in(settings: Settings) -> int | None:
    """The schema of the configured store; None when it is empty. Raises StoreUnavailable."""
    if settings.store.embedded and not Path(settings.store.url.removeprefix("sqlite:///")).exists():
        return None
    with Store(settings.store) as store, store.read() as conn:
        return schema_of(conn)


def migrate(settings: Settings, say: Say = lambda _: None) -> Migrated:
    """Migrates the configured store in one transaction: it is at the present schema afterwards, or as it was.

    A second call at the same time waits and finds nothing to do. Raises StoreUnavailable, ConfigError
    when the folder of an embedded store cannot be written, and SchemaError when a newer release made the
    store or an ingest works on it.
    """
    began = time.monotonic()
    with Store(settings.store) as store, _turn(store), store.alter() as conn:
        alone(conn)
        _claim(conn)
        found = schema_of(conn)
        refuse_newer(found)
        for script in [] if found is None else steps(found):
            say(f"schema {script.revision}: {script.doc}")
            with Operations.context(MigrationContext.configure(conn)):
                script.module.upgrade(say)
            conn.execute(schema_table.update().values(version=int(script.revision)))
        make_tables(conn)
    return Migrated(found, SCHEMA, time.monotonic() - began)


def _claim(conn: Connection) -> None:
    """Takes, on PostgreSQL and until the end of the transaction, the seat that a running ingest holds.

    An ingest of the earlier release that went on afterwards would write past the new tables.
    """
    if conn.dialect.name != "postgresql":
        return
    if not conn.execute(sa.select(sa.func.pg_try_advisory_xact_lock(_EVALUATOR_SEAT))).scalar():
        raise SchemaError("an ingest works on this store; stop it first, and start it again afterwards")


@contextmanager
def _turn(store: Store) -> Iterator[None]:
    """On the embedded store: one migration after the other, and none beside an ingest."""
    if not store.embedded:
        yield
        return
    path = Path(store.url.removeprefix("sqlite:///"))
    with _beside(path, ".migrate") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        with _beside(path, ".ingest") as seat:
            try:
                fcntl.flock(seat, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise SchemaError(f"an ingest works on {path}; stop it first") from None
            yield


def _beside(path: Path, ending: str) -> IO[str]:
    """The file beside the embedded store that is locked instead of it."""
    try:
        return path.with_name(path.name + ending).open("w")
    except OSError as error:
        raise ConfigError(
            "store.url", f"{path.parent} cannot be written: {error.strerror}", "run this as the store's owner"
        ) from None
