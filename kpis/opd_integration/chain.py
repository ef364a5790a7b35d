"""The budget chain: plan → budget → procurement → contract → realisation, per activity code.

The checks (domain.md): a later stage needs the one before it; plan and budget agree within the
tolerance; procurement ≤ budget; contract ≤ procurement; realisation ≤ contract. A stage that has
not come yet is not a break. Only the first break of a code counts: what follows it is its shadow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from kpis.announce import versions
from kpis.config import Settings
from kpis.opd_integration.tables import ledger
from kpis.store import instant, micros
from kpis.views import ChainStage, LedgerBreak

STAGES = ("plan", "budget", "procurement", "contract", "realisation")
# What the pipeline announces beside the domain when ledger rows came in: syncs come far more often.
LEDGER_VERSION = "ledger"
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Activity:
    """One code of one year; amounts in rupiah by stage."""

    opd: str
    year: int
    code: str
    name: str | None = None
    amounts: dict[str, float] = field(default_factory=dict)
    updated: dict[str, int] = field(default_factory=dict)


def first_break(amounts: dict[str, float], tolerance: float) -> tuple[str, str] | None:
    """`(stage, reason)` of the first break, reason `missing_before`, `differs` or `exceeds`."""
    for before, stage in pairwise(STAGES):
        if stage not in amounts:
            continue
        if before not in amounts:
            return stage, "missing_before"
        allowed = abs(amounts[before]) * tolerance
        if stage == "budget" and abs(amounts[stage] - amounts[before]) > allowed:
            return stage, "differs"
        if amounts[stage] > amounts[before] + allowed:
            return stage, "exceeds"
    return None


def activities(conn: Connection, at: datetime) -> Iterator[Activity]:
    """Every code of every OPD as the ledger rows up to `at` say it; several rows of one stage add up.

    OPD share codes (every kecamatan has the same for its office), so a code is one OPD's own: the
    slack of one must hide no break of another.
    """
    key = (ledger.c.opd, ledger.c.year, ledger.c.code)
    # One row a code: the store puts the stages side by side far quicker than Python would.
    named = sa.func.nullif(ledger.c.name, "")
    told = [sa.func.max(_of_stage(named, stage)) for stage in sorted(STAGES)]
    query = (
        sa.select(
            *key, sa.func.coalesce(*told),
            *(sa.func.sum(_of_stage(ledger.c.amount, stage)) for stage in STAGES),
            *(sa.func.max(_of_stage(ledger.c.updated_at, stage)) for stage in STAGES),
        )
        .where(ledger.c.updated_at <= micros(at))
        .group_by(*key)
        .order_by(*key)
    )  # fmt: skip
    for opd, year, code, name, *cells in conn.execute(query):
        amounts, updated = cells[: len(STAGES)], cells[len(STAGES) :]
        yield Activity(
            opd=opd, year=year, code=code, name=name,
            amounts={s: a for s, a in zip(STAGES, amounts, strict=True) if a is not None},
            updated={s: u for s, u in zip(STAGES, updated, strict=True) if u is not None},
        )  # fmt: skip


def _of_stage(column: sa.ColumnElement[Any], stage: str) -> sa.ColumnElement[Any]:
    return sa.case((ledger.c.stage == stage, column))


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain at one moment: open first breaks, oldest first; the number of codes by OPD; the newest
    row's instant in microseconds, None of an empty ledger; codes and rupiah by OPD and stage."""

    breaks: tuple[LedgerBreak, ...] = ()
    codes: Mapping[str, int] = field(default_factory=dict)
    newest: int | None = None
    reached: Mapping[tuple[str, str], tuple[int, float]] = field(default_factory=dict)

    def stages(self, opd: str | None) -> tuple[ChainStage, ...]:
        """The stages in their order, for the city or one OPD."""
        broken = Counter(b.stage for b in self.breaks if opd in (None, b.opd))
        found = []
        for stage in STAGES:
            told = [cell for (code, at), cell in self.reached.items() if at == stage and opd in (None, code)]
            codes, amount = sum(n for n, _ in told), sum(rupiah for _, rupiah in told)
            found.append(ChainStage(stage=stage, codes=codes, amount=amount, breaks=broken[stage]))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class _Known:
    """The chain over the whole ledger as it stood at one version of it."""

    version: int
    tolerance: float
    chain: Chain


# By engine: a process has one store, and it goes with its store.
_known: WeakKeyDictionary[Engine, _Known] = WeakKeyDictionary()


def chain(conn: Connection, settings: Settings, at: datetime) -> Chain:
    """The chain at `at`. What the whole ledger says is worked out once for each version of it
    (`kpis.announce`), not on every page and in every cycle; only a moment before its newest row is
    worked out anew. Not for a transaction that has itself written to the ledger."""
    tolerance = settings.opd_integration.tolerance
    version = versions(conn).get(LEDGER_VERSION, 0)
    known = _known.get(conn.engine)
    if known is None or (known.version, known.tolerance) != (version, tolerance):
        known = _Known(version, tolerance, _worked_out(conn, tolerance, _END_OF_TIME))
        _known[conn.engine] = known
    newest = known.chain.newest
    if newest is None or newest <= micros(at):
        return known.chain
    return _worked_out(conn, tolerance, at)


def _worked_out(conn: Connection, tolerance: float, at: datetime) -> Chain:
    found: list[LedgerBreak] = []
    codes: Counter[str] = Counter()
    reached: dict[tuple[str, str], tuple[int, float]] = {}
    newest: int | None = None
    for activity in activities(conn, at):
        codes[activity.opd] += 1
        newest = max(newest or 0, *activity.updated.values())
        for stage, amount in activity.amounts.items():
            count, rupiah = reached.get((activity.opd, stage), (0, 0.0))
            reached[activity.opd, stage] = count + 1, rupiah + amount
        broken = first_break(activity.amounts, tolerance)
        if broken is None:
            continue
        stage, reason = broken
        before = STAGES[STAGES.index(stage) - 1]
        found.append(
            LedgerBreak(
                opd=activity.opd, year=activity.year, code=activity.code, name=activity.name, stage=stage,
                reason=reason, amount=activity.amounts[stage], against=activity.amounts.get(before),
                since=instant(max(activity.updated[stage], activity.updated.get(before, 0))),
            )
        )  # fmt: skip
    found.sort(key=lambda b: (b.since, b.code, b.opd))
    return Chain(tuple(found), codes, newest, reached)
