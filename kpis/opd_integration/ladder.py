"""The integration ladder: what machines saw decides the step of an interface and of an OPD.

belum: nothing registered. terdaftar: an interface is registered. terhubung: its last good sync is
within three expected intervals, the bound after which data counts as stale everywhere here.
terintegrasi: besides, reference codes match and rejected rows stay within the configured rates.
sebagian: some but not all interfaces of the OPD got there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.feeds import flag_sum
from kpis.opd_integration.tables import interface_seen as i
from kpis.opd_integration.tables import sync_run as s
from kpis.percentile import share
from kpis.store import instant, maybe_instant, micros
from kpis.views import InterfaceRow, OpdStep, Step

_DAY_US = 86_400_000_000
_HOUR_US = 3_600_000_000
_ORDER = tuple(Step)

Key = tuple[str, str, str]


@dataclass(slots=True)
class _Seen:
    last: Any = None
    good: Any = None
    data_as_of: int | None = None
    runs_24h: int = 0
    ok_24h: int = 0


def _newest(t: int, column: sa.ColumnElement[int], *where: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    """`column` of an interface's newest run up to `t` that meets the conditions, found by its index."""
    same = (s.c.opd == i.c.opd, s.c.system == i.c.system, s.c.interface == i.c.interface)
    newest = sa.select(column).where(*same, s.c.started_at <= t, *where)
    return newest.order_by(s.c.started_at.desc()).limit(1).correlate(i).scalar_subquery()


def _runs_at(conn: Connection, moments: dict[Key, int], *where: sa.ColumnElement[bool]) -> dict[Key, Any]:
    """The run each interface started at its moment; of several, the one that went worst."""
    found: dict[Key, Any] = {}
    if not moments:
        return found
    query = sa.select(s).where(s.c.started_at.in_(set(moments.values())), *where)
    for row in conn.execute(query.order_by(s.c.ok.desc(), s.c.source, s.c.id)):
        key = (row.opd, row.system, row.interface)
        if moments.get(key) == row.started_at:
            found[key] = row
    return found


def _seen(conn: Connection, t: int) -> dict[Key, _Seen]:
    key = (i.c.opd, i.c.system, i.c.interface)
    looked = sa.select(
        *key,
        _newest(t, s.c.started_at),
        _newest(t, s.c.started_at, s.c.ok.is_(True)),
        _newest(t, s.c.data_as_of, s.c.data_as_of.is_not(None)),
    )
    found: dict[Key, _Seen] = {}
    last: dict[Key, int] = {}
    good: dict[Key, int] = {}
    for opd, system, interface, last_at, good_at, as_of in conn.execute(looked):
        if last_at is None:
            continue
        found[opd, system, interface] = _Seen(data_as_of=as_of)
        last[opd, system, interface] = last_at
        if good_at is not None:
            good[opd, system, interface] = good_at
    for place, row in _runs_at(conn, last).items():
        found[place].last = row
    for place, row in _runs_at(conn, good, s.c.ok.is_(True)).items():
        found[place].good = row
    day = sa.select(s.c.opd, s.c.system, s.c.interface, sa.func.count(), sa.func.sum(flag_sum(s.c.ok)))
    for opd, system, interface, runs, ok in conn.execute(
        day.where(s.c.started_at <= t, s.c.started_at > t - _DAY_US).group_by(
            s.c.opd, s.c.system, s.c.interface
        )
    ):
        found[opd, system, interface].runs_24h = runs
        found[opd, system, interface].ok_24h = ok
    return found


def _row(key: Key, seen: _Seen, settings: Settings, t: int, interval: timedelta) -> InterfaceRow:
    rules = settings.opd_integration
    last, good = seen.last, seen.good
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
        data_as_of=maybe_instant(seen.data_as_of),
        data_age_hours=None if seen.data_as_of is None else (t - seen.data_as_of) / _HOUR_US,
        runs_24h=seen.runs_24h, ok_24h=seen.ok_24h, matched_share=matched, rejected_share=rejected,
        step=step, error=last.error if last and not last.ok else None,
    )  # fmt: skip


def interface_rows(
    conn: Connection, settings: Settings, at: datetime, opd: str | None = None
) -> tuple[InterfaceRow, ...]:
    """Every registered or seen interface, lowest step first, then the oldest data."""
    t = micros(at)
    registered = {(r.opd, r.system, r.interface): r.interval for r in settings.interfaces}
    seen = _seen(conn, t)
    rows = [
        _row(
            key, seen.get(key, _Seen()), settings, t, registered.get(key) or settings.opd_integration.interval
        )
        for key in {*registered, *seen}
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
