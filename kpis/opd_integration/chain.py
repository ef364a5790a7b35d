"""The budget chain: plan → budget → procurement → contract → realisation, per activity code.

The checks (domain.md): a later stage needs the one before it; plan and budget agree within the
tolerance; procurement ≤ budget; contract ≤ procurement; realisation ≤ contract. A stage that has
not come yet is not a break. Only the first break of a code counts: what follows it is its shadow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.opd_integration.tables import ledger
from kpis.store import instant, micros
from kpis.views import LedgerBreak

STAGES = ("plan", "budget", "procurement", "contract", "realisation")


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
    query = (
        sa.select(
            ledger.c.opd, ledger.c.year, ledger.c.code, ledger.c.stage,
            sa.func.max(ledger.c.name).label("name"), sa.func.sum(ledger.c.amount).label("amount"),
            sa.func.max(ledger.c.updated_at).label("updated_at"),
        )
        .where(ledger.c.updated_at <= micros(at))
        .group_by(ledger.c.opd, ledger.c.year, ledger.c.code, ledger.c.stage)
        .order_by(ledger.c.opd, ledger.c.year, ledger.c.code, ledger.c.stage)
    )  # fmt: skip
    present: Activity | None = None
    for row in conn.execute(query):
        if present is None or (present.opd, present.year, present.code) != (row.opd, row.year, row.code):
            if present is not None:
                yield present
            present = Activity(row.opd, row.year, row.code)
        present.name = present.name or row.name
        present.amounts[row.stage] = row.amount
        present.updated[row.stage] = row.updated_at
    if present is not None:
        yield present


def breaks(
    conn: Connection, settings: Settings, at: datetime
) -> tuple[list[LedgerBreak], Counter[str], int | None]:
    """Open first breaks, the number of codes by OPD, and the newest row's instant in microseconds."""
    found: list[LedgerBreak] = []
    codes: Counter[str] = Counter()
    newest: int | None = None
    for activity in activities(conn, at):
        codes[activity.opd] += 1
        newest = max(newest or 0, *activity.updated.values())
        broken = first_break(activity.amounts, settings.opd_integration.tolerance)
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
    return found, codes, newest
