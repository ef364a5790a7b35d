"""The evaluator: judges every KPI when its domain changed, keeps the history, and says so.

One evaluator works at a time however many ingest processes there are; `ingest.election` elects it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ingest.election import Election
from ingest.turns import Turns
from kpis.announce import PAST, READINGS, Listener, announce, versions
from kpis.catalogue import DOMAINS, Measured, catalogue
from kpis.clock import Now
from kpis.config import Settings
from kpis.days import local_day
from kpis.errors import StoreError
from kpis.history import make_day, roll_up, rolled
from kpis.judge import judged
from kpis.readings import BUCKET_US, Key, measure, reading, reading_change, reading_history, stored, target_of
from kpis.store import Store, instant, micros, upsert
from kpis.types import Domain, Measurement, Severity

log = logging.getLogger(__name__)

# While records pour in, what was is mended at most a thirtieth of the time.
_REST_OF_PAST = 29.0
_PAST_GAP_AT_MOST_S = 5.0
# Overdue, uptime and ages move by the clock alone.
_TIMER_S = 10.0
_SETTLE_S = 3.0
_SETTLE_AT_MOST_S = 15.0
_SETTLE_AGAIN_S = 300.0
_HOURS = 24
# How far back a severity that held all day is followed, a day at a time.
_DAYS = 30
_KEEP = timedelta(days=400)
# A store that has a history and no cells of its days yet catches up in so many steps.
_DAYS_AT_ONCE = 3


Choose = Callable[[Sequence[Measured]], list[Measured]]


class Evaluator:
    """Runs until told to stop; an outage of the store is logged once and waited out."""

    def __init__(
        self, store: Store, settings: Settings, now: Now, taken: Callable[[], int] = lambda: 0
    ) -> None:
        """`taken` is how many records this process took in so far."""
        self._store = store
        self._settings = settings
        self._now = now
        self._taken = taken
        self._turns = Turns()
        self._seen: dict[str, int] = {}
        self._resting = False
        self._past_at: float | None = 0.0
        self._past_first = time.monotonic()
        self._past_most = _SETTLE_AT_MOST_S
        self._rolled: date | None = None
        self._marks: list[datetime] = []
        self._measured: dict[datetime, dict[Key, Measurement]] = {}

    def run(self, stop: threading.Event) -> None:
        """Blocks until `stop`; waits for its election first."""
        down = False
        while not stop.is_set():
            try:
                with Election(self._store) as elected:
                    if elected.won:
                        down = False
                        self._serve(stop, elected)
                    else:
                        stop.wait(2.0)
            except StoreError as error:
                if not down:
                    log.error("evaluation waits: %s", error)
                down = True
                stop.wait(1.0)

    def _serve(self, stop: threading.Event, elected: Election) -> None:
        listener = Listener(self._store, facts=True)
        try:
            seen = listener.version()
            self.cycle(everything=True)
            last_timer = time.monotonic()
            mend_at = 0.0
            while not stop.is_set():
                busy = bool(self._marks) or self._past_due()
                rest = max(0.0, min(mend_at - time.monotonic(), 0.5))
                found = listener.wait(seen, rest if busy else 0.5)
                elected.check()
                now = time.monotonic()
                timer = now - last_timer >= _TIMER_S
                if (found != seen and now >= self._turns.at) or timer:
                    self._turns.count(now, self._taken())
                    self.cycle(everything=timer, choose=partial(self._turns.choose, now))
                    # What rests is looked at again although nothing new is announced.
                    seen = -1 if self._resting else found
                    last_timer = time.monotonic() if timer else last_timer
                elif busy and now >= mend_at:
                    self._mend_past()
                    spent = time.monotonic() - now
                    # The past has time while the present pours in; else it is done with at once.
                    rest = min(_REST_OF_PAST * spent, _PAST_GAP_AT_MOST_S) if found != seen else 0.0
                    mend_at = now + spent + rest
                elif found != seen:
                    stop.wait(self._turns.at - now)
        finally:
            listener.close()

    def cycle(self, *, everything: bool = False, choose: Choose = list) -> int:
        """Judges the domains that changed, those of them that `choose` takes, or all there are.

        The number of readings written.
        """
        at = self._now()
        began = time.monotonic()
        with self._store.read() as conn:
            found = versions(conn)
            self._note_past(found)
            changed = [d for d in DOMAINS if found.get(d.domain) != self._seen.get(d.domain)]
            domains = list(DOMAINS) if everything else choose(changed)
            measured, costs = self._measure(conn, at, domains)
            before = stored(conn, {kpi.key for domain in domains for kpi in domain.kpis})
        sources_changed = found.get("sources") != self._seen.get("sources")
        written = 0
        if domains or sources_changed:
            with self._store.write() as conn:
                written = self._write(conn, at, measured, before)
                self._roll_up(conn, at)
                if written or everything or sources_changed:
                    announce(conn, [READINGS])
        ended = time.monotonic()
        self._turns.had(ended, costs, ended - began)
        self._resting = len(domains) < len(changed)
        rest = {d.domain.value for d in changed} - {d.domain.value for d in domains}
        self._seen = {name: self._seen.get(name, -1) if name in rest else v for name, v in found.items()}
        return written

    def _measure(
        self, conn: Connection, at: datetime, domains: Iterable[Measured]
    ) -> tuple[dict[Key, Measurement], dict[Domain, float]]:
        """The domains' measurements, and the seconds each took."""
        measured: dict[Key, Measurement] = {}
        costs = {}
        for domain in domains:
            began = time.monotonic()
            measured.update(measure(conn, self._settings, at, [domain]))
            costs[domain.domain] = time.monotonic() - began
        return measured, costs

    def _note_past(self, found: Mapping[str, int]) -> None:
        if found.get(PAST, 0) != self._seen.get(PAST, 0):
            self._past_first = time.monotonic() if self._past_at is None else self._past_first
            self._past_at = time.monotonic()

    def _roll_up(self, conn: Connection, at: datetime) -> None:
        """Makes the cells of the days that ended, some at a time until none is left, then once a day."""
        today = local_day(at, self._settings.zone)
        if self._rolled != today and roll_up(conn, self._settings.zone, today, _DAYS_AT_ONCE) < _DAYS_AT_ONCE:
            self._rolled = today

    def _write(
        self,
        conn: Connection,
        at: datetime,
        measured: Mapping[Key, Measurement],
        before: Mapping[Key, sa.Row[Any]],
    ) -> int:
        us = micros(at)
        rows, history, changes = [], [], []
        for key, m in measured.items():
            old = before.get(key)
            row = self._row(key, m, us, old)
            if old is None or any(
                getattr(old, name) != value for name, value in row.items() if name != "evaluated_at"
            ):
                rows.append(row)
            place = {"kpi": key[0], "opd": key[1] or ""}
            if old is None or old.severity != row["severity"]:
                changes.append(
                    {
                        **place,
                        "at": us,
                        "before": old.severity if old else "",
                        "after": row["severity"],
                        "value": m.value,
                    }
                )
            if old is None or old.value != m.value or old.evaluated_at // BUCKET_US != us // BUCKET_US:
                history.append(
                    {
                        **place,
                        "at": us // BUCKET_US * BUCKET_US,
                        "value": m.value,
                        "severity": row["severity"],
                    }
                )
        upsert(conn, reading, ("kpi", "opd"), rows)
        upsert(conn, reading_history, ("kpi", "opd", "at"), history)
        upsert(conn, reading_change, ("kpi", "opd", "at"), changes)
        return len(rows)

    def _row(self, key: Key, m: Measurement, us: int, old: sa.Row[Any] | None) -> dict[str, Any]:
        severity = self._severity(key, m)
        held = old is not None and old.severity == severity
        return {
            "kpi": key[0],
            "opd": key[1] or "",
            "value": m.value,
            "observed_at": None if m.observed_at is None else micros(m.observed_at),
            "settled": m.settled,
            "numerator": m.numerator,
            "denominator": m.denominator,
            "reporting": m.reporting,
            "expected": m.expected,
            "severity": severity.value,
            "since": old.since if old is not None and held else us,
            "evaluated_at": us,
        }

    def _severity(self, key: Key, m: Measurement) -> Severity:
        return judged(m, target_of(self._settings, *key), catalogue()[key[0]].better)

    # --- the past -----------------------------------------------------------------------------

    def _past_due(self) -> bool:
        """Whether late data has settled, or has kept coming for so long that the trend cannot wait."""
        if self._past_at is None:
            return False
        now = time.monotonic()
        return now - self._past_at >= _SETTLE_S or now - self._past_first >= self._past_most

    def _mend_past(self) -> None:
        """Measures one hour of the last day again, or one day of the last month; when all are done, writes.

        One hour at a time, so that what happens now is never kept waiting for what was.
        """
        if not self._marks:
            top = micros(self._now()) // 3_600_000_000
            hours = [*range(_HOURS), *(_HOURS * day for day in range(2, _DAYS + 1))]
            self._marks = [instant((top - back) * 3_600_000_000) for back in hours]
            self._measured = {}
            self._past_at = None
            self._past_most = _SETTLE_AGAIN_S
        mark = self._marks.pop()
        with self._store.read() as conn:
            self._measured[mark] = measure(conn, self._settings, mark)
        if not self._marks:
            with self._store.write() as conn:
                self._write_past(conn)
                announce(conn, [READINGS])
            self._measured = {}

    def _write_past(self, conn: Connection) -> None:
        all_marks = sorted(self._measured)
        marks = all_marks[-_HOURS:]
        h = reading_history
        conn.execute(h.delete().where(h.c.at >= micros(marks[0]), h.c.at <= micros(marks[-1])))
        oldest = micros(self._now() - _KEEP)
        conn.execute(h.delete().where(h.c.at < oldest))
        conn.execute(reading_change.delete().where(reading_change.c.at < oldest))
        history = [
            {
                "kpi": key[0],
                "opd": key[1] or "",
                "at": micros(mark),
                "value": m.value,
                "severity": self._severity(key, m).value,
            }
            for mark in marks
            for key, m in self._measured[mark].items()
        ]
        upsert(conn, h, ("kpi", "opd", "at"), history)
        self._roll_up_again(conn, marks)
        for key, row in stored(conn).items():
            began = self._began(key, row, all_marks)
            if began is not None and began < row.since:
                place = sa.and_(reading.c.kpi == key[0], reading.c.opd == (key[1] or ""))
                conn.execute(reading.update().where(place).values(since=began))

    def _roll_up_again(self, conn: Connection, marks: Iterable[datetime]) -> None:
        """Days that are over and were measured again get their cells again."""
        zone = self._settings.zone
        newest = rolled(conn)
        for day in sorted({local_day(mark, zone) for mark in marks}):
            if newest is not None and day <= newest:
                make_day(conn, zone, day)

    def _began(self, key: Key, row: sa.Row[Any], marks: Iterable[datetime]) -> int | None:
        """The first mark from which the present severity held at every later one, if there is any.

        Marks are an hour apart within the last day and a day apart before it.
        """
        began: int | None = None
        for mark in reversed(list(marks)):
            m = self._measured[mark].get(key)
            if m is None or m.value is None or self._severity(key, m).value != row.severity:
                break
            began = micros(mark)
        return began
