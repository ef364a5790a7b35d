"""The contract's KPIs once more, written from its words alone in SQL over the facts of a SQLite store.

Nothing here is shared with the code that is measured but the names of tables and columns. Roll-ups are
not read. Where the contract leaves a figure open, docs/adr/0004 says how it is decided.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import holidays

from kpis.config import Settings

HOUR = 3_600_000_000
DAY = 24 * HOUR
STAGES = ("plan", "budget", "procurement", "contract", "realisation")

Figures = dict[tuple[str, str | None], float | None]
Scope = str | None

REQUESTS = """
WITH told AS (
  SELECT *, CASE WHEN status IN ('closed', 'rejected', 'archived', 'withdrawn')
                 THEN coalesce(closed_at, updated_at) END AS ended
  FROM service_request WHERE :opd IS NULL OR opd = :opd),
waiting AS (SELECT * FROM told WHERE opened_at <= :t AND (ended IS NULL OR ended > :t)),
closed AS (SELECT * FROM told WHERE status = 'closed' AND closed_at > :t - 30 * :day AND closed_at <= :t)
SELECT
  (SELECT count(*) FROM waiting) AS requests_open,
  (SELECT avg(due_at < :t) FROM waiting WHERE due_at IS NOT NULL) AS requests_overdue_share,
  (SELECT avg(closed_at <= due_at) FROM closed WHERE due_at IS NOT NULL) AS requests_on_time_share_30d,
  (SELECT avg(coalesce(reopened, 0) > 0) FROM closed) AS requests_reopened_share_30d,
  (SELECT avg(coalesce(confirmed, 0)) FROM closed) AS requests_confirmed_share_30d
"""

CLOSE_DAYS = """
SELECT (closed_at - opened_at) * 1.0 / :day FROM service_request
WHERE status = 'closed' AND closed_at > :t - 30 * :day AND closed_at <= :t AND (:opd IS NULL OR opd = :opd)
ORDER BY 1
"""

RESPONSE_HOURS = """
SELECT (answered_at - opened_at) * 24.0 / :day FROM service_request
WHERE answered_at > :t - 30 * :day AND answered_at <= :t AND (:opd IS NULL OR opd = :opd)
ORDER BY 1
"""

# A check holds until the next one, for three intervals at most. At one instant down beats up.
UPTIME = """
WITH seen AS (
  SELECT app, observed_at AS began, min(up) AS up FROM uptime_check WHERE observed_at <= :t GROUP BY 1, 2),
held AS (
  SELECT app, up, began,
         min(coalesce(lead(began) OVER (PARTITION BY app ORDER BY began), :t), began + :silence) AS ended
  FROM seen)
SELECT app, up, sum(max(0, ended - max(began, :since))) FROM held GROUP BY app, up
"""

LATEST = """
SELECT app, min(up) FROM uptime_check AS c
WHERE observed_at = (SELECT max(observed_at) FROM uptime_check WHERE app = c.app AND observed_at <= :t)
GROUP BY app
"""

RUNS = """
SELECT avg(ok) FROM sync_run
WHERE started_at > :t - :day AND started_at <= :t AND (:opd IS NULL OR opd = :opd)
"""

NEWEST_GOOD = """
SELECT opd, system, interface, max(started_at), rows_read, rows_rejected, matched, unmatched
FROM sync_run WHERE ok AND started_at <= :t GROUP BY 1, 2, 3
"""

# SQLite takes the other columns of a query with one max() from the row that holds the maximum.
DATA_AGE = """
SELECT (:t - min(newest)) * 1.0 / :hour FROM (
  SELECT opd, system, max(data_as_of) AS newest FROM (
    SELECT opd, system, interface, data_as_of, max(started_at) FROM sync_run
    WHERE data_as_of IS NOT NULL AND started_at <= :t GROUP BY opd, system, interface)
  GROUP BY opd, system)
WHERE :opd IS NULL OR opd = :opd
"""

LEDGER = """
SELECT year, code, stage, min(opd), sum(amount) FROM ledger WHERE updated_at <= :t GROUP BY 1, 2, 3
"""

PEOPLE = """
WITH clocked AS (
  SELECT employee, min(at) AS first_in FROM attendance
  WHERE kind = 'in' AND at >= :midnight AND at < :midnight + :day AND at <= :t
    AND opd IN (SELECT value FROM json_each(:opds))
  GROUP BY employee),
told AS (
  SELECT employee, max(category) AS category FROM attendance_day
  WHERE day = :date AND opd IN (SELECT value FROM json_each(:opds)) GROUP BY employee),
people AS (
  SELECT employee, first_in, category FROM clocked LEFT JOIN told USING (employee)
  UNION ALL
  SELECT employee, NULL, category FROM told WHERE employee NOT IN (SELECT employee FROM clocked)),
judged AS (
  SELECT first_in, category, coalesce(category IN ('izin', 'sakit', 'cuti'), 0) AS leave FROM people)
SELECT
  coalesce(sum(NOT leave AND (first_in IS NOT NULL OR category = 'hadir')), 0) AS present,
  coalesce(sum(NOT leave AND first_in IS NULL AND category = 'dinas_luar'), 0) AS off_site,
  coalesce(sum(leave), 0) AS on_leave,
  coalesce(sum(NOT leave AND first_in > :late), 0) AS late,
  count(*) AS told
FROM judged
"""

CHECK_INS = """
SELECT avg(coalesce(doubtful, 0)) FROM attendance
WHERE kind = 'in' AND at >= :midnight AND at < :midnight + :day AND at <= :t
    AND (:opd IS NULL OR opd = :opd)
"""


def percentile_cont(values: list[float], fraction: float) -> float | None:
    """SQL's percentile_cont of sorted values: row number 1 + fraction × (n − 1), interpolated."""
    if not values:
        return None
    row = fraction * (len(values) - 1)
    below = int(row)
    above = min(below + 1, len(values) - 1)
    return (above - row) * values[below] + (row - below) * values[above] if above > below else values[below]


@dataclass
class PlainSql:
    """The figures of one store as they were at one moment."""

    conn: sqlite3.Connection
    settings: Settings
    at: datetime

    @property
    def t(self) -> int:
        return _us(self.at)

    def _values(self, **more: int | str | None) -> dict[str, int | str | None]:
        return {"t": self.t, "day": DAY, "hour": HOUR, **more}

    def figures(self) -> Figures:
        """Every KPI of the contract for the city (None) and for each OPD."""
        scopes: list[Scope] = [None, *(opd.code for opd in self.settings.city.opds)]
        found: Figures = {}
        for part in (self._requests, self._applications, self._integration, self._attendance):
            for scope in scopes:
                for kpi, value in part(scope).items():
                    found[kpi, scope] = None if value is None else float(value)
        return found

    def _one(self, query: str, **more: int | str | None) -> sqlite3.Row:
        row: sqlite3.Row = self.conn.execute(query, self._values(**more)).fetchone()
        return row

    # --- service requests ---

    def _requests(self, scope: Scope) -> dict[str, float | None]:
        row = self._one(REQUESTS, opd=scope)
        days, hours = (
            [value for (value,) in self.conn.execute(query, self._values(opd=scope))]
            for query in (CLOSE_DAYS, RESPONSE_HOURS)
        )
        return {
            **dict(zip(row.keys(), row, strict=True)),
            "requests_close_days_p50_30d": percentile_cont(days, 0.5),
            "requests_close_days_p90_30d": percentile_cont(days, 0.9),
            "requests_first_response_hours_p50_30d": percentile_cont(hours, 0.5),
        }

    # --- applications ---

    @cached_property
    def _opd_of_app(self) -> dict[str, Scope]:
        """Which OPD answers for each application that was checked."""
        known = {opd.code for opd in self.settings.city.opds}
        query = "SELECT app, opd FROM application ORDER BY updated_at"
        found: dict[str, Scope] = {
            app: opd if opd in known else None for app, opd in self.conn.execute(query)
        }
        found.update({a.app: a.opd for a in self.settings.applications})
        return found

    @cached_property
    def _latest(self) -> dict[str, bool]:
        """Whether each application was up when it was last checked."""
        return {app: bool(up) for app, up in self.conn.execute(LATEST, self._values())}

    @cached_property
    def _seconds(self) -> dict[int, dict[str, tuple[float, float]]]:
        """Microseconds down and up of each application in the last day and the last thirty."""
        silence = 3 * (self.settings.app_uptime.interval // timedelta(microseconds=1))
        found: dict[int, dict[str, tuple[float, float]]] = {}
        for days in (1, 30):
            values = self._values(since=self.t - days * DAY, silence=silence)
            spans = {(app, up): span for app, up, span in self.conn.execute(UPTIME, values)}
            found[days] = {app: (spans.get((app, 0), 0), spans.get((app, 1), 0)) for app, _ in spans}
        return found

    def _applications(self, scope: Scope) -> dict[str, float | None]:
        apps = [app for app in self._latest if scope is None or self._opd_of_app.get(app) == scope]
        maintained = {m.app for m in self.settings.maintenance if m.starts_at <= self.at < m.ends_at}
        down = [app for app in apps if not self._latest[app] and app not in maintained]
        month = self._uptime(30, apps)
        objective = self.settings.app_uptime.objective
        return {
            "apps_down_now": len(down) if apps else None,
            "app_uptime_24h": self._uptime(1, apps),
            "app_uptime_30d": month,
            "error_budget_left_30d": None if month is None else 1 - (1 - month) / (1 - objective),
        }

    def _uptime(self, days: int, apps: list[str]) -> float | None:
        down = sum(self._seconds[days][app][0] for app in apps)
        observed = down + sum(self._seconds[days][app][1] for app in apps)
        return 1 - down / observed if observed else None

    # --- integration ---

    def _integration(self, scope: Scope) -> dict[str, float | None]:
        top = self._integrated
        seen = self._one(
            "SELECT count(*) FROM sync_run WHERE started_at <= :t AND (:opd IS NULL OR opd = :opd)", opd=scope
        )[0]
        registered = any(scope in (None, i.opd) for i in self.settings.interfaces)
        integrated = len(top) if scope is None else int(scope in top)
        broken, told = self._breaks
        return {
            "opd_integrated": integrated if seen or registered else None,
            "sync_success_share_24h": self._one(RUNS, opd=scope)[0],
            "data_age_hours_worst": self._one(DATA_AGE, opd=scope)[0],
            "consistency_breaks": sum(scope in (None, opd) for opd in broken) if told else None,
        }

    @cached_property
    def _integrated(self) -> set[str]:
        """OPD all of whose interfaces, at least one, stand on the top step."""
        rules = self.settings.opd_integration
        spans = {
            (i.opd, i.system, i.interface): i.interval or rules.interval for i in self.settings.interfaces
        }
        seen = "SELECT DISTINCT opd, system, interface FROM sync_run WHERE started_at <= :t"
        step: dict[tuple[str, str, str], bool] = dict.fromkeys(spans, False)
        step.update({tuple(row): False for row in self.conn.execute(seen, self._values())})
        for opd, system, interface, at, read, refused, same, other in self.conn.execute(
            NEWEST_GOOD, self._values()
        ):
            key = (opd, system, interface)
            reach = 3 * (spans.get(key, rules.interval) // timedelta(microseconds=1))
            codes = (same or 0) + (other or 0)
            matches = codes > 0 and (same or 0) / codes >= rules.matched
            clean = not read or (refused or 0) / read <= rules.rejected
            step[key] = self.t - at <= reach and matches and clean
        by_opd: dict[str, list[bool]] = defaultdict(list)
        for (opd, _, _), reached in step.items():
            by_opd[opd].append(reached)
        return {opd for opd, reached in by_opd.items() if all(reached)}

    @cached_property
    def _breaks(self) -> tuple[list[str], bool]:
        """The OPD of every activity code with a break, and whether there is a ledger at all."""
        amounts: dict[tuple[int, str], dict[str, float]] = defaultdict(dict)
        opds: dict[tuple[int, str], str] = {}
        for year, code, stage, opd, amount in self.conn.execute(LEDGER, self._values()):
            amounts[year, code][stage] = amount
            opds[year, code] = opd
        return [opds[key] for key, stages in amounts.items() if self._is_broken(stages)], bool(amounts)

    def _is_broken(self, stages: dict[str, float]) -> bool:
        for before, after in pairwise(STAGES):
            if after not in stages:
                continue
            if before not in stages:
                return True
            more = stages[after] - stages[before]
            allowed = self.settings.opd_integration.tolerance * abs(stages[before])
            if more > allowed or (after == "budget" and -more > allowed):
                return True
        return False

    # --- attendance ---

    def _attendance(self, scope: Scope) -> dict[str, float | None]:
        local = self.at.astimezone(self.settings.zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        rules = self.settings.e_attendance
        fasting = any(r.first <= local.date() <= r.last for r in rules.ramadan)
        start = rules.ramadan_start if fasting else rules.shift_start
        late = midnight + timedelta(hours=start.hour, minutes=start.minute) + rules.grace
        today = {"opd": scope, "midnight": _us(midnight), "date": local.date().isoformat()}
        opds = [opd for opd in self.settings.city.opds if scope in (None, opd.code)]
        people = self._one(PEOPLE, late=_us(late), opds=json.dumps([opd.code for opd in opds]), **today)
        counted = [opd.code for opd in opds if opd.employees is not None]
        rated = self._one(PEOPLE, late=_us(late), opds=json.dumps(counted), **today)
        headcount = sum(opd.employees or 0 for opd in opds)
        due = (headcount if is_worked(local.date(), self.settings) else 0) - rated["on_leave"]
        attended = rated["present"] + rated["off_site"]
        return {
            "attendance_rate_today": attended / due if due > 0 and people["told"] else None,
            "late_share_today": people["late"] / people["present"] if people["present"] else None,
            "doubtful_share_today": self._one(CHECK_INS, **today)[0],
        }


def is_worked(day: date, settings: Settings) -> bool:
    """Whether `day` is a working day of the offices."""
    rules = settings.e_attendance
    national = holidays.country_holidays("ID", years=day.year, categories=("public", "government"))
    if day in rules.days_on:
        return True
    off = day in rules.days_off or (rules.national_holidays and day in national)
    return day.isoweekday() in rules.workdays and not off


def _us(at: datetime) -> int:
    return int(at.replace(microsecond=0).timestamp()) * 1_000_000 + at.microsecond


def plain_figures(store: Path, settings: Settings, moments: Iterable[datetime]) -> dict[datetime, Figures]:
    """The figures at several moments, from the file of an embedded store that is only read."""
    conn = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    conn.row_factory = sqlite3.Row
    try:
        return {at: PlainSql(conn, settings, at).figures() for at in moments}
    finally:
        conn.close()
