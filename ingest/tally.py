"""What is kept of a source beside its records: its sums, its hours, and how far it was read."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from ingest.arrivals import Arrival, Position
from kpis import sources
from kpis.store import insert

_HOUR_US = 3_600_000_000


def set_position(conn: Connection, position: Position) -> None:
    """Notes how far a source was read."""
    statement = insert(conn, sources.source_position).values(source=position.source, value=position.value)
    conn.execute(statement.on_conflict_do_update(index_elements=["source"], set_={"value": position.value}))


def add_counts(conn: Connection, name: str, arrival: Arrival, counts: dict[str, int], now: int) -> None:
    """Adds `counts` (accepted, known, rejected) to a source's sums and to the hour of `now` (us)."""
    s, h = sources.source_state, sources.source_hour
    row = {"config": arrival.config, "door": arrival.door, "last_at": now, "heard_at": now}
    statement = insert(conn, s).values(source=name, **row, **counts)
    raised = {n: s.c[n] + count for n, count in counts.items()}
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["source"],
            # A past that came as files goes on by MQTT: the page names the door of today.
            set_={"door": arrival.door, "last_at": now, "heard_at": now, **raised},
        )
    )
    statement = insert(conn, h).values(source=name, hour=now // _HOUR_US * _HOUR_US, **counts)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["source", "hour"], set_={n: h.c[n] + count for n, count in counts.items()}
        )
    )
