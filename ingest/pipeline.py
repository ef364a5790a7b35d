"""Records → validated rows → facts and roll-ups in one transaction; what cannot be used is kept as a reject.

A door hands over arrivals and acknowledges them only after `take` returned: at-least-once delivery
outside, exactly-once effect in the tables.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import structs
from sqlalchemy.engine import Connection

from ingest.arrivals import Arrival, Outcome, Position, Refusal
from ingest.fields import storable
from ingest.keeping import keep
from ingest.masks import mask, mask_json
from ingest.reading import Kept, Reader, Refused, raw_text
from ingest.rows import COLUMNS
from ingest.tally import add_counts, set_position
from kpis import sources
from kpis.announce import PAST, announce
from kpis.catalogue import FEED_TABLES
from kpis.clock import Now
from kpis.config import Settings
from kpis.errors import StoreError, StoreUnavailable
from kpis.opd_integration.chain import LEDGER_VERSION
from kpis.opd_integration.seen import OLD, OLD_RUNS
from kpis.retention import kept_months
from kpis.store import Store, insert, micros

log = logging.getLogger(__name__)

SOURCES = "sources"
_SETTLED = timedelta(hours=1)
# What was judged longer ago is judged again: the horizon moves, and a store can be away for days.
_JUDGED_FOR = timedelta(hours=1)


@dataclass(slots=True)
class _Batch:
    """One transaction's worth: usable records, refused ones, and counts by source."""

    kept: list[Kept] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    accepted: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    newest: int | None = None


class _Judged(list[Arrival]):
    """Arrivals with what they turned out to be, and when the first was looked at."""

    def __init__(self, arrivals: Sequence[Arrival], batch: _Batch, at: datetime) -> None:
        super().__init__(arrivals)
        self.batch = batch
        self.at = at


class Pipeline:
    """The one way into the KPI tables. Thread-safe."""

    def __init__(self, store: Store, settings: Settings, now: Now) -> None:
        self._store = store
        self._settings = settings
        self._now = now
        self._reader = Reader(settings, now, self._kept_months)
        # How much came in so far; a count that two threads raise at once may miss some.
        self.taken = 0

    def _kept_months(self) -> Mapping[str, int]:
        with self._store.read() as conn:
            return kept_months(conn)

    def prepare(self, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
        """The arrivals for `take`, with all done that needs no store: one batch can be judged while
        another is written. Before the first `take` they are given back as they are.
        """
        if not self._reader.ready:
            return arrivals
        at = self._now()
        return _Judged(arrivals, self._read(arrivals), at)

    def gather(self, parts: Sequence[Sequence[Arrival]]) -> Sequence[Arrival]:
        """One batch of several, which are used up."""
        whole = [arrival for part in parts for arrival in part]
        batch, offset, at = _Batch(), 0, self._now()
        for part in parts:
            if not isinstance(part, _Judged):
                return whole
            if offset:
                _move(part.batch, offset)
            batch.kept += part.batch.kept
            batch.refused += part.batch.refused
            offset += len(part)
            at = min(at, part.at)
        return _Judged(whole, batch, at)

    def take(self, arrivals: Sequence[Arrival], position: Position | None = None) -> Outcome:
        """Commits the arrivals and, with them, how far their source was read.

        Raises StoreUnavailable when nothing was written; the caller keeps the arrivals and comes
        again. A bad record never raises: it is kept as a reject and counted.
        """
        batch = None
        if isinstance(arrivals, _Judged) and self._now() - arrivals.at < _JUDGED_FOR:
            batch = arrivals.batch
        arrivals = list(arrivals)
        self.taken += len(arrivals)
        try:
            return self._commit(arrivals, position, batch or self._read(arrivals))
        except StoreUnavailable:
            raise
        except StoreError as error:
            # Some record holds what the store will not take. Halves find it without losing the others.
            if len(arrivals) <= 1:
                return self._take_apart(arrivals, position, str(error))
            log.warning("the store refused a batch of %d, halving it: %s", len(arrivals), error)
            middle = len(arrivals) // 2
            return _joined(self.take(arrivals[:middle]), self.take(arrivals[middle:], position), middle)

    def _take_apart(self, arrivals: list[Arrival], position: Position | None, why: str) -> Outcome:
        """Refuses the one record that the store will not take; of an array, that one alone."""
        records = [record for arrival in arrivals for record in _records(arrival)]
        if len(records) <= 1:
            return self._refuse(arrivals, position, why)
        outcome = self.take(records, position)
        outcome.refusals = [Refusal(0, r.reason, r.field, r.detail) for r in outcome.refusals]
        return outcome

    def retry(self, arrivals: Sequence[Arrival], rejects: Sequence[int]) -> Outcome:
        """Kept rejects again, with their ids, in one transaction.

        One that can be used now is marked as replayed; one that cannot learns today's reason and
        stays, once. A replay is no sign of life of its source, so only its sums are raised.
        """
        try:
            return self._retry(list(arrivals), rejects)
        except StoreUnavailable:
            raise
        except StoreError as error:
            if len(arrivals) <= 1:
                return Outcome(rejected=1, refusals=[Refusal(0, "store_refused", None, str(error))])
            middle = len(arrivals) // 2
            first = self.retry(arrivals[:middle], rejects[:middle])
            return _joined(first, self.retry(arrivals[middle:], rejects[middle:]), middle)

    def _retry(self, arrivals: list[Arrival], rejects: Sequence[int]) -> Outcome:
        batch = self._read(arrivals)
        t, s = sources.reject, sources.source_state
        with self._store.write() as conn:
            touched = self._keep(conn, batch)
            still = {refused.index: refused for refused in batch.refused}
            for index, place in enumerate(rejects):
                values: dict[str, Any] = {"replayed_at": micros(self._now())}
                if (refused := still.get(index)) is not None:
                    values = {
                        "reason": refused.reason,
                        "field": refused.field,
                        "detail": refused.detail,
                        "opd": refused.opd,
                    }
                conn.execute(t.update().where(t.c.id == place).values(**values))
            for name in {*batch.accepted, *batch.known}:
                sums = {
                    "accepted": s.c.accepted + batch.accepted[name],
                    "known": s.c.known + batch.known[name],
                }
                conn.execute(s.update().where(s.c.source == name).values(**sums))
            announce(conn, {*touched, SOURCES})
        outcome = _outcome(batch)
        outcome.rejected = len(outcome.refusals)
        return outcome

    def position(self, source: str) -> str | None:
        """How far `source` was read when it was last committed; None at the beginning."""
        p = sources.source_position
        with self._store.read() as conn:
            value: str | None = conn.execute(sa.select(p.c.value).where(p.c.source == source)).scalar()
            return value

    def heard(self, source: str, door: str, error: str | None, behind_s: int | None = None) -> None:
        """Notes that a source was looked at, what was wrong with it, and how far behind it is read."""
        s = sources.source_state
        now = micros(self._now())
        with self._store.write() as conn:
            before = conn.execute(sa.select(s.c.error, s.c.behind_s).where(s.c.source == source)).first()
            values: dict[str, Any] = {"error": error[:500] if error else None, "door": door}
            values["behind_s"] = behind_s
            if error is None:
                values["heard_at"] = now
            fresh = {"config": source, "accepted": 0, "known": 0, "rejected": 0, **values}
            statement = insert(conn, s).values(source=source, **fresh)
            conn.execute(statement.on_conflict_do_update(index_elements=["source"], set_=values))
            if before is None or tuple(before) != (values["error"], behind_s):
                announce(conn, [SOURCES])

    def _commit(self, arrivals: list[Arrival], position: Position | None, judged: _Batch) -> Outcome:
        # What the store says of the records is noted in a copy: it may have to be asked again.
        batch = _Batch(judged.kept, list(judged.refused))
        with self._store.write() as conn:
            touched = self._keep(conn, batch)
            self._keep_refused(conn, batch, arrivals)
            self._count(conn, batch, arrivals)
            if position is not None:
                set_position(conn, position)
            if arrivals:
                announce(conn, {*touched, SOURCES} if batch.refused else touched)
        return _outcome(batch)

    def _read(self, arrivals: Sequence[Arrival]) -> _Batch:
        batch = _Batch()
        for found in self._reader.read(arrivals):
            if isinstance(found, Kept):
                batch.kept.append(found)
            else:
                batch.refused.append(found)
        return batch

    def _keep(self, conn: Connection, batch: _Batch) -> set[str]:
        """Facts and roll-ups of every feed in the batch; the names to announce."""
        by_feed: dict[str, list[Kept]] = defaultdict(list)
        for kept in batch.kept:
            by_feed[kept.feed].append(kept)
        touched: set[str] = set()
        # One order for all, so that two writers never wait for each other's feed.
        for name in sorted(by_feed):
            feed = FEED_TABLES[name]
            records = by_feed[name]
            result = keep(conn, self._settings, feed, [k.row for k in records])
            aside = result.known | result.conflicts
            new = records if not aside else [k for place, k in enumerate(records) if place not in aside]
            batch.accepted.update([k.source for k in new])
            batch.known.update([records[place].source for place in result.known])
            for place in sorted(result.conflicts):
                batch.refused.append(_conflict(records[place]))
            if new:
                touched.add(feed.domain.value if feed.domain else name)
                if name == LEDGER_VERSION:
                    touched.add(LEDGER_VERSION)
                moment = COLUMNS[name].index(feed.moment)
                moments = [k.row[moment] for k in new]
                if name != "attendance_day":
                    batch.newest = max(batch.newest or 0, max(moments))
                if self._is_past(min(moments), _SETTLED):
                    touched.add(PAST)
                if name == "sync_run" and self._is_past(min(moments), OLD):
                    touched.add(OLD_RUNS)
        return touched

    def _is_past(self, oldest: int | str, settles: timedelta) -> bool:
        """Whether an instant or a day belongs to a time already told of in the trends."""
        settled = self._now() - settles
        return oldest < settled.date().isoformat() if isinstance(oldest, str) else oldest < micros(settled)

    def _keep_refused(self, conn: Connection, batch: _Batch, arrivals: list[Arrival]) -> None:
        if not batch.refused:
            return
        t = sources.reject
        now = micros(self._now())
        # One order for all, so that two writers never wait for each other's reject.
        digests = [(refused.source, _digest(refused), refused) for refused in batch.refused]
        for _, digest, refused in sorted(digests, key=itemgetter(0, 1)):
            arrival = arrivals[refused.index]
            batch.rejected[refused.source] += 1
            statement = insert(conn, t).values(
                source=refused.source,
                config=arrival.config,
                feed=refused.feed,
                door=arrival.door,
                place=storable(arrival.place[:500]),
                reason=refused.reason,
                field=refused.field,
                detail=refused.detail,
                opd=refused.opd,
                raw=mask_json(refused.raw),
                digest=digest,
                first_at=now,
                last_at=now,
                times=1,
            )
            conn.execute(
                statement.on_conflict_do_update(
                    index_elements=["source", "digest"],
                    set_={
                        "times": t.c.times + 1,
                        "last_at": now,
                        "reason": refused.reason,
                        "field": refused.field,
                        "detail": refused.detail,
                        "opd": refused.opd,
                        "replayed_at": None,
                    },
                )
            )

    def _count(self, conn: Connection, batch: _Batch, arrivals: list[Arrival]) -> None:
        now = micros(self._now())
        by_source = {a.source: a for a in arrivals}
        config = arrivals[0] if arrivals else None
        names = {*batch.accepted, *batch.known, *batch.rejected}
        for name in sorted(names):
            arrival = by_source.get(name, config)
            assert arrival is not None
            counts = {
                "accepted": batch.accepted[name],
                "known": batch.known[name],
                "rejected": batch.rejected[name],
            }
            add_counts(conn, name, arrival, counts, now)
        f = sources.source_feed
        pairs = sorted({(k.source, k.feed) for k in batch.kept})
        if pairs:
            statement = insert(conn, f).on_conflict_do_nothing()
            conn.execute(statement, [{"source": source, "feed": feed} for source, feed in pairs])

    def _refuse(self, arrivals: list[Arrival], position: Position | None, why: str) -> Outcome:
        """Keeps what the store would not take as a fact."""
        batch = _Batch()
        for index, arrival in enumerate(arrivals):
            batch.refused.append(
                Refused(
                    index, arrival.feed, arrival.source, "store_refused", None, why, raw_text(arrival.payload)
                )
            )
        with self._store.write() as conn:
            self._keep_refused(conn, batch, arrivals)
            self._count(conn, batch, arrivals)
            if position is not None:
                set_position(conn, position)
            announce(conn, [SOURCES])
        return _outcome(batch)


def _records(arrival: Arrival) -> list[Arrival]:
    """An arrival for each record of an array; the arrival itself when it is no array."""
    if isinstance(arrival.payload, bytes):
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            items = msgspec.json.decode(arrival.payload)
            if isinstance(items, list):
                return [structs.replace(arrival, payload=msgspec.json.encode(item)) for item in items]
    return [arrival]


def _move(batch: _Batch, offset: int) -> None:
    """Counts the records' places from `offset` on."""
    for kept in batch.kept:
        kept.index += offset
    for refused in batch.refused:
        refused.index += offset


def _digest(refused: Refused) -> str:
    return hashlib.blake2b(f"{refused.feed}\n{refused.raw}".encode(), digest_size=16).hexdigest()


def _conflict(kept: Kept) -> Refused:
    detail = mask(str(kept.row[1]))
    columns = COLUMNS[kept.feed]
    opd = kept.row[columns.index("opd")] if "opd" in columns else None
    raw = raw_text(kept.came)
    return Refused(kept.index, kept.feed, kept.source, "id_conflict", "id", detail, raw, opd)


def _joined(first: Outcome, rest: Outcome, middle: int) -> Outcome:
    """One outcome of two halves; the second began at `middle` of what was given."""
    rest.refusals = [Refusal(r.index + middle, r.reason, r.field, r.detail) for r in rest.refusals]
    first.add(rest)
    return first


def _outcome(batch: _Batch) -> Outcome:
    return Outcome(
        accepted=batch.accepted.total(),
        known=batch.known.total(),
        rejected=batch.rejected.total(),
        newest=batch.newest,
        refusals=[Refusal(r.index, r.reason, r.field, r.detail) for r in batch.refused],
    )
