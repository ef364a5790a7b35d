"""Compares roll-ups that are sums with their facts, and mends them by what they are off.

By how much a cell is off does not change while writers add to it and to the facts alike: it is worked
out in one consistent state without holding anybody up, and added in short transactions. So that no
two rebuilds add the same, each addition raises a version that must be the one that was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ingest.rollups import first_whole_day
from kpis.announce import PAST, announce, versions
from kpis.config import Settings
from kpis.feeds import Cells
from kpis.store import Store, insert, lock
from kpis.types import Domain

_PIECE = 1000


@dataclass(frozen=True)
class Sums:
    """One table of sums by day, filled by one feed."""

    feed: str
    domain: Domain
    fact: sa.Table
    cells: tuple[Cells, ...]

    @property
    def table(self) -> sa.Table:
        return self.cells[0].table

    def differing(self, store: Store, settings: Settings) -> int:
        """How many cells are off; the store stays as it is."""
        with store.read() as conn:
            off = self._off(conn, settings).subquery()
            return int(conn.scalar(sa.select(sa.func.count()).select_from(off)) or 0)

    def mend(self, store: Store, settings: Settings) -> int:
        """Makes every cell right, and says how many were not."""
        total = 0
        finished = False
        while not finished:
            count, finished = self._mend_once(store, settings)
            total += count
        return total

    def _mend_once(self, store: Store, settings: Settings) -> tuple[int, bool]:
        """How many cells were mended, and False when another rebuild came in between."""
        name, count = f"rebuild.{self.table.name}", 0
        with store.read() as conn:
            seen = versions(conn).get(name, 0)
            off = conn.execute(self._off(conn, settings), execution_options={"yield_per": _PIECE})
            for rows in off.partitions():
                with store.write() as other:
                    lock(other, self.feed)
                    if versions(other).get(name, 0) != seen:
                        return count, False
                    self._add(other, rows)
                    announce(other, {name, PAST, self.domain.value})
                seen += 1
                count += len(rows)
        if count:
            with store.write() as conn:
                lock(conn, self.feed)
                empty = (self.table.c[name] == 0 for name in self._measures())
                conn.execute(self.table.delete().where(*empty))
        return count, True

    def _measures(self) -> list[str]:
        return list(self.cells[0].measures(self.fact))

    def _off(self, conn: Connection, settings: Settings) -> sa.Select[Any]:
        """The keys of each cell that is off and by how much, sums of the facts less what stands."""
        since = first_whole_day(conn, settings, self.feed)
        keys, measures = list(self.cells[0].keys(self.fact)), self._measures()
        parts = [self._by_facts(cells, since) for cells in self.cells]
        stand = sa.select(*(self.table.c[name] for name in keys), *(-self.table.c[name] for name in measures))
        parts.append(stand if since is None else stand.where(self.table.c.day >= since))
        both = sa.union_all(*parts).subquery("both")
        sums = [sa.func.sum(both.c[name]) for name in measures]
        group = [both.c[name] for name in keys]
        off = [total.label(name) for total, name in zip(sums, measures, strict=True)]
        query: sa.Select[Any] = sa.select(*group, *off)
        return query.group_by(*group).having(sa.or_(*(total != 0 for total in sums)))

    def _by_facts(self, cells: Cells, since: Any) -> sa.Select[Any]:
        keys = cells.keys(self.fact)
        sums = [sa.func.sum(value).label(name) for name, value in cells.measures(self.fact).items()]
        named: list[Any] = [value.label(name) for name, value in keys.items()]
        query: sa.Select[Any] = sa.select(*named, *sums)
        query = query.where(cells.where(self.fact)).group_by(*keys.values())
        return query if since is None else query.where(keys["day"] >= since)

    def _add(self, conn: Connection, rows: Sequence[Any]) -> None:
        measures = self._measures()
        values = [{k: int(v) if k in measures else v for k, v in row._mapping.items()} for row in rows]
        statement = insert(conn, self.table)
        sums = {name: self.table.c[name] + statement.excluded[name] for name in measures}
        keys = [c.name for c in self.table.primary_key]
        conn.execute(statement.on_conflict_do_update(index_elements=keys, set_=sums), values)
