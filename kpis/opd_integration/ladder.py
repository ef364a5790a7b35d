"""The integration ladder: what machines saw decides the step of an interface and of an OPD.

belum: nothing registered. terdaftar: an interface is registered. terhubung: its last good sync is
within three expected intervals, the bound after which data counts as stale everywhere here.
terintegrasi: besides, reference codes match and rejected rows stay within the configured rates.
sebagian: some but not all interfaces of the OPD got there.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.opd_integration.seen import Key, Seen, seen
from kpis.percentile import share
from kpis.store import instant, maybe_instant, micros
from kpis.views import InterfaceRow, OpdStep, Step

_HOUR_US = 3_600_000_000
_ORDER = tuple(Step)


def _row(
    key: Key, found: Seen, settings: Settings, t: int, interval: timedelta, registered: bool
) -> InterfaceRow:
    rules = settings.opd_integration
    last, good = found.last, found.good
    matched = rejected = None
    if good is not None:
        matched = share(good.matched or 0, (good.matched or 0) + (good.unmatched or 0))
        rejected = share(good.rows_rejected or 0, good.rows_read or 0)
    step = Step.TERDAFTAR
    if good is not None and t - good.started_at <= 3 * (interval // timedelta(microseconds=1)):
        step = Step.TERHUBUNG
        if matched is not None and matched >= rules.matched and (rejected or 0) <= rules.rejected:
            step = Step.TERINTEGRASI
    return InterfaceRow(
        opd=key[0], system=key[1], interface=key[2],
        last_run_at=instant(last.started_at) if last else None,
        last_ok=bool(last.ok) if last else None,
        last_ok_at=instant(good.started_at) if good else None,
        data_as_of=maybe_instant(found.data_as_of),
        data_age_hours=None if found.data_as_of is None else (t - found.data_as_of) / _HOUR_US,
        runs_24h=found.runs_24h, ok_24h=found.ok_24h, matched_share=matched, rejected_share=rejected,
        step=step, error=last.error if last and not last.ok else None, interval_s=interval.total_seconds(),
        registered=registered,
    )  # fmt: skip


def interface_rows(
    conn: Connection, settings: Settings, at: datetime, opd: str | None = None
) -> tuple[InterfaceRow, ...]:
    """Every registered or seen interface, lowest step first, then the oldest data."""
    t = micros(at)
    registered = {(r.opd, r.system, r.interface): r.interval for r in settings.interfaces}
    known = seen(conn, t)
    rows = [
        _row(
            key,
            known.get(key, Seen()),
            settings,
            t,
            registered.get(key) or settings.opd_integration.interval,
            key in registered,
        )
        for key in {*registered, *known}
        if opd in (None, key[0])
    ]
    rows.sort(key=lambda r: (_ORDER.index(r.step), -(r.data_age_hours or 0.0), r.opd, r.system, r.interface))
    return tuple(rows)


def opd_step(opd: str, rows: list[InterfaceRow]) -> OpdStep:
    """The step one OPD stands on by its interfaces, and what the next one lacks."""
    top = sum(1 for r in rows if r.step is Step.TERINTEGRASI)
    connected = sum(1 for r in rows if r.step is not Step.TERDAFTAR)
    if not rows:
        step, lacks = Step.BELUM, "register an interface"
    elif top == len(rows):
        step, lacks = Step.TERINTEGRASI, None
    elif top:
        step, lacks = Step.SEBAGIAN, "bring every interface to the top step"
    elif connected:
        step, lacks = Step.TERHUBUNG, "match reference codes and lower rejected rows"
    else:
        step, lacks = Step.TERDAFTAR, "sync successfully within the interval"
    return OpdStep(opd=opd, step=step, lacks=lacks, interfaces=len(rows), integrated=top)


def opd_steps(settings: Settings, interfaces: tuple[InterfaceRow, ...]) -> tuple[OpdStep, ...]:
    """Every OPD's step, lowest first."""
    by_opd: dict[str, list[InterfaceRow]] = {opd.code: [] for opd in settings.city.opds}
    for row in interfaces:
        by_opd.setdefault(row.opd, []).append(row)
    steps = [opd_step(opd.code, by_opd[opd.code]) for opd in settings.city.opds]
    return tuple(sorted(steps, key=lambda s: (_ORDER.index(s.step), s.opd)))
