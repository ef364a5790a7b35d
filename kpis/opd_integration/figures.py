"""What is measured of OPD integration at one moment, for the city and every OPD at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.opd_integration.chain import chain
from kpis.opd_integration.ladder import interface_rows, opd_steps
from kpis.percentile import share
from kpis.store import maybe_instant
from kpis.types import Better, Domain, Kpi, Measurement, Unit
from kpis.views import Step


@dataclass(slots=True)
class IntegrationFigures:
    """Sums of one scope. `opds` is how many OPD the scope has; `codes` counts activity codes."""

    opds: int = 1
    integrated: int = 0
    interfaces: int = 0
    reporting: int = 0
    runs: int = 0
    ok: int = 0
    oldest_hours: float | None = None
    with_age: int = 0
    breaks: int = 0
    codes: int = 0
    observed_at: datetime | None = None
    ledger_at: datetime | None = None


def figures(conn: Connection, settings: Settings, at: datetime) -> dict[str | None, IntegrationFigures]:
    """Figures by OPD code, None for the city, as they were at `at`."""
    found: dict[str | None, IntegrationFigures] = {None: IntegrationFigures(opds=len(settings.city.opds))}
    found.update({opd.code: IntegrationFigures() for opd in settings.city.opds})
    rows = interface_rows(conn, settings, at)
    by_system: dict[tuple[str, str], float] = {}
    for row in rows:
        if row.data_age_hours is not None:
            system = (row.opd, row.system)
            by_system[system] = min(by_system.get(system, row.data_age_hours), row.data_age_hours)
        for scope in (found[None], found.get(row.opd)):
            if scope is None:
                continue
            scope.interfaces += 1
            scope.reporting += row.runs_24h > 0
            scope.runs += row.runs_24h
            scope.ok += row.ok_24h
            scope.with_age += row.data_age_hours is not None
            if row.last_run_at is not None:
                scope.observed_at = max(scope.observed_at or row.last_run_at, row.last_run_at)
    for (opd, _system), hours in by_system.items():
        for scope in (found[None], found.get(opd)):
            if scope is not None:
                scope.oldest_hours = max(scope.oldest_hours or 0.0, hours)
    for step in opd_steps(settings, rows):
        top = step.step is Step.TERINTEGRASI
        found[step.opd].integrated += top
        found[None].integrated += top
    _ledger(conn, settings, at, found)
    return found


def _ledger(
    conn: Connection, settings: Settings, at: datetime, found: dict[str | None, IntegrationFigures]
) -> None:
    now = chain(conn, settings, at)
    by_opd = Counter(b.opd for b in now.breaks)
    for opd, scope in found.items():
        scope.breaks = len(now.breaks) if opd is None else by_opd[opd]
        scope.codes = sum(now.codes.values()) if opd is None else now.codes.get(opd, 0)
        scope.ledger_at = maybe_instant(now.newest)


def _age(f: IntegrationFigures) -> Measurement:
    return Measurement(
        value=f.oldest_hours, observed_at=f.observed_at, reporting=f.with_age, expected=f.interfaces
    )


_D = Domain.OPD_INTEGRATION
KPIS: tuple[Kpi, ...] = (
    Kpi(
        key="opd_integrated",
        domain=_D,
        title="Integrated OPD",
        unit=Unit.COUNT,
        better=Better.HIGHER,
        take=lambda f: Measurement(
            value=f.integrated if f.observed_at or f.interfaces else None,
            observed_at=f.observed_at,
            numerator=f.integrated,
            denominator=f.opds,
            reporting=f.reporting,
            expected=f.interfaces,
        ),
    ),
    Kpi(
        key="sync_success_share_24h",
        domain=_D,
        title="Successful syncs, 24 hours",
        unit=Unit.SHARE,
        better=Better.HIGHER,
        take=lambda f: Measurement(
            value=share(f.ok, f.runs),
            observed_at=f.observed_at,
            numerator=f.ok,
            denominator=f.runs,
            reporting=f.reporting,
            expected=f.interfaces,
        ),
    ),
    Kpi(
        key="data_age_hours_worst",
        domain=_D,
        title="Oldest data, hours",
        unit=Unit.HOURS,
        better=Better.LOWER,
        take=_age,
    ),
    Kpi(
        key="consistency_breaks",
        domain=_D,
        title="Budget chain breaks",
        unit=Unit.COUNT,
        better=Better.LOWER,
        take=lambda f: Measurement(
            value=f.breaks if f.ledger_at else None,
            observed_at=f.ledger_at,
            numerator=f.breaks,
            denominator=f.codes,
        ),
    ),
)
