"""Who says that something changed, and who waits for it.

On PostgreSQL a NOTIFY goes out with the commit; the embedded store has no such thing, so there a
waiter looks at one row, which costs about as much as looking at the clock.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.errors import StoreUnavailable
from kpis.store import Store, change_table, insert

CHANNEL = "pendopo_change"
READINGS = "readings"
# What the pipeline announces when a record of a time came in that the trends have told of already.
PAST = "past"
_POLL_S = 0.05


def announce(conn: Connection, names: Iterable[str]) -> None:
    """Raises the version of each name in this transaction; waiters hear of it after the commit."""
    for name in sorted(names):
        statement = insert(conn, change_table).values(name=name, version=1)
        conn.execute(
            statement.on_conflict_do_update(
                index_elements=["name"], set_={"version": change_table.c.version + 1}
            )
        )
        if conn.dialect.name == "postgresql":
            conn.execute(sa.text("SELECT pg_notify(:channel, :name)"), {"channel": CHANNEL, "name": name})


def versions(conn: Connection) -> dict[str, int]:
    """The version of every name that was ever announced."""
    return {row.name: row.version for row in conn.execute(sa.select(change_table))}


class Listener:
    """Waits for readings to change or, with `facts`, for anything else; one thread at a time."""

    def __init__(self, store: Store, *, facts: bool = False) -> None:
        self._store = store
        self._facts = facts
        self._connection: Any = None
        self._lock = threading.Lock()

    def version(self) -> int:
        """The newest committed version, 0 before the first. Raises StoreUnavailable."""
        with self._store.read() as conn:
            mine = change_table.c.name != READINGS if self._facts else change_table.c.name == READINGS
            return int(conn.execute(sa.select(sa.func.sum(change_table.c.version)).where(mine)).scalar() or 0)

    def wait(self, seen: int, timeout: float) -> int:
        """Blocks until the version differs from `seen` or `timeout` seconds passed; the newest version.

        Raises StoreUnavailable when the store is away.
        """
        deadline = time.monotonic() + timeout
        with self._lock:
            while True:
                self._listen()
                found = self.version()
                left = deadline - time.monotonic()
                if found != seen or left <= 0:
                    return found
                self._sleep(left)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _listen(self) -> None:
        if self._store.embedded or self._connection is not None:
            return
        pooled = self._store.raw()
        connection = pooled.driver_connection
        pooled.detach()
        try:
            connection.set_session(autocommit=True)
            connection.cursor().execute(f"LISTEN {CHANNEL}")
        except Exception as error:  # psycopg2 raises its own tree for a connection that died
            connection.close()
            raise StoreUnavailable(f"cannot listen for changes: {error}") from error
        self._connection = connection

    def _sleep(self, left: float) -> None:
        if self._connection is None:
            time.sleep(min(_POLL_S, left))
            return
        try:
            # Not select(): it takes no descriptor above 1,023, and every open page holds one.
            poll = select.poll()
            poll.register(self._connection, select.POLLIN)
            if poll.poll(min(left, 5.0) * 1000):
                self._connection.poll()
                self._connection.notifies.clear()
        except Exception as error:  # psycopg2 raises its own tree for a connection that died
            self.close()
            raise StoreUnavailable(f"listening broke off: {error}") from error
