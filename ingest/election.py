"""Elects the one evaluator, and the one that removes what is too old, among any number of ingest processes.

On PostgreSQL an advisory lock is the seat, and it lives as long as the connection that took it; on
the embedded store a lock on a file beside it, which lives as long as the process.
"""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from kpis.errors import StoreUnavailable
from kpis.store import Store


@dataclass(frozen=True, slots=True)
class Seat:
    """What only one may do: the number of its advisory lock, and its name."""

    number: int
    name: str


EVALUATOR = Seat(20262027, "evaluator")
RETENTION = Seat(20262028, "retention")


class Election:
    """Holds a seat while inside, if it could be had: `won` says so.

    Entering raises StoreUnavailable when the store cannot be reached.
    """

    def __init__(self, store: Store, seat: Seat = EVALUATOR) -> None:
        self._store = store
        self._seat = seat
        self._file: IO[str] | None = None
        self._connection: Any = None
        self.won = False

    def __enter__(self) -> Self:
        if self._store.embedded:
            self._lock_file()
            return self
        self._connection = self._store.raw()
        try:
            self.won = bool(self._ask("SELECT pg_try_advisory_lock(%s)", self._seat.number))
        except StoreUnavailable:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def check(self) -> None:
        """Raises StoreUnavailable when the seat was lost with its connection: another may have it by now."""
        if self._connection is not None:
            self._ask("SELECT 1")

    def _ask(self, question: str, *values: object) -> Any:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(question, values)
                answer = cursor.fetchone()[0]
            # The lock is the session's, not the transaction's; none is left open to hold up a vacuum.
            self._connection.commit()
        except Exception as error:  # psycopg2 raises its own tree for a connection that died
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise StoreUnavailable(f"the seat of the {self._seat.name} is lost: {lines[0]}") from error
        return answer

    def _lock_file(self) -> None:
        path = Path(self._store.url.removeprefix("sqlite:///"))
        try:
            self._file = path.with_name(f"{path.name}.{self._seat.name}").open("w")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.won = True
        except BlockingIOError:
            self.won = False
        except OSError as error:
            self._end()
            raise StoreUnavailable(f"{path}.{self._seat.name} cannot be locked: {error.strerror}") from error

    def _end(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._connection is not None:
            # The lock lives as long as its connection, so the connection is ended, not pooled.
            self._connection.detach()
            self._connection.close()
            self._connection = None
