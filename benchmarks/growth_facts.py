"""The facts of a past as statements that both stores run: integer arithmetic decides who, when and how.

Nothing is drawn by lot, so that a past is the same each time, and the newest thirty days of a longer
one are those of a shorter one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.growth_shape import APPS, CODES, INTERFACES, NOW, Shape
from kpis.store import EPOCH, micros

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_WIB = 7 * _HOUR
_NOW = micros(NOW)
_HISTORY_DAYS = 400  # what the evaluator keeps
_QUARTERS_DAYS = 2


@dataclass(frozen=True, slots=True)
class Facts:
    """The statements of one shape in one dialect (`postgresql` or `sqlite`), for these OPD and KPIs."""

    shape: Shape
    dialect: str
    opds: Sequence[str]
    kpis: Sequence[str]

    def statements(self) -> Iterator[tuple[str, str]]:
        """`(table, statement)` in the order they have to run."""
        yield "application", self._applications()
        yield "uptime_check", self._checks()
        yield "attendance", self._clock_ins()
        yield "attendance_day", self._away()
        yield "sync_run", self._syncs()
        yield "service_request", self._requests()
        yield "ledger", self._ledger()
        for feed, month in (
            ("uptime_check", self._month("observed_at")),
            ("sync_run", self._month("started_at")),
            ("attendance", self._month_of_day()),
            ("attendance_day", self._month_of_day()),
        ):
            yield from self._keys(f"{feed}_key", f"SELECT source, id, {month} FROM {feed}")
        yield from self._told()

    def _keys(self, table: str, rows: str) -> Iterator[tuple[str, str]]:
        """The keys, and on PostgreSQL their index at once, which is far quicker than row by row."""
        fill = table, f"INSERT INTO {table} (source, id, month) {rows}"
        if self.dialect == "sqlite":
            yield fill
            return
        yield table, f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey"
        yield fill
        yield table, f"ALTER TABLE {table} ADD PRIMARY KEY (source, id)"

    # --- what the dialects spell apart ---

    def _series(self, count: float, name: str) -> str:
        """0, 1, … below `count`, as rows `name.i`."""
        last = max(int(count), 1) - 1
        if self.dialect == "postgresql":
            return f"generate_series(0, CAST({last} AS BIGINT)) AS {name}(i)"
        return (
            f"(WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i < {last})"
            f" SELECT i FROM s) AS {name}"
        )

    def _day(self, number: str) -> str:
        """The date of a number of days since 1970."""
        if self.dialect == "postgresql":
            return f"(DATE '1970-01-01' + CAST({number} AS INTEGER))"
        return f"date(({number}) * 86400, 'unixepoch')"

    def _day_at(self, us: str) -> str:
        """The city's date of an instant."""
        return self._day(f"(({us}) + {_WIB}) / {_DAY}")

    def _month(self, us: str) -> str:
        if self.dialect == "postgresql":
            return f"CAST(to_char(to_timestamp({us} / 1000000) AT TIME ZONE 'UTC', 'YYYYMM') AS INTEGER)"
        return f"CAST(strftime('%Y%m', {us} / 1000000, 'unixepoch') AS INTEGER)"

    def _month_of_day(self) -> str:
        if self.dialect == "postgresql":
            return "CAST(to_char(day, 'YYYYMM') AS INTEGER)"
        return "CAST(strftime('%Y%m', day) AS INTEGER)"

    def _opd(self, number: str) -> str:
        """A join with the OPD that a number means: its code is `o.column2`."""
        rows = ", ".join(f"({n}, '{code}')" for n, code in enumerate(self.opds))
        return f"JOIN (VALUES {rows}) AS o ON o.column1 = ({number}) % {len(self.opds)}"

    # --- the feeds ---

    def _applications(self) -> str:
        return (
            "INSERT INTO application (source, id, app, updated_at, name, opd, owner)"
            f" SELECT 'aset', 'app-' || (100 + a.i), 'app-' || (100 + a.i), {_NOW - 40 * _DAY},"
            " 'Aplikasi ' || a.i, o.column2, 'diskominfo'"
            f" FROM {self._series(APPS, 'a')} {self._opd('a.i')}"
        )

    def _checks(self) -> str:
        """Each application down for about one stretch of two hours in twelve days; two of them were
        given up when half of the past was over."""
        step = round(self.shape.check_s * 1e6)
        count = self.shape.days * _DAY // step
        at = f"{_NOW} - t.i * {step} - a.i * {step // APPS}"
        up = f"(({at}) / {2 * _HOUR} * 7919 + a.i * 104729) % 151 <> 0"
        return (
            "INSERT INTO uptime_check (source, id, app, observed_at, up, latency_ms, status_code, probe)"
            f" SELECT 'pemantau', 'c' || (1000000000 - t.i * {APPS} - a.i), 'app-' || (100 + a.i), {at},"
            f" {up}, 80 + (t.i * 31 + a.i * 17) % 200, CASE WHEN {up} THEN 200 ELSE 503 END, 'pusat-data'"
            f" FROM {self._newest_last(count)} CROSS JOIN {self._series(APPS, 'a')}"
            f" WHERE a.i < {APPS - 2} OR t.i > {count // 2}"
        )

    def _newest_last(self, count: int) -> str:
        """`t.i` from `count` down to 0, so that rows go in as time went."""
        return f"(SELECT {max(count, 1)} - 1 - z.i AS i FROM {self._series(count, 'z')}) AS t"

    def _workdays(self) -> str:
        """`d.n`, days since 1970 from the first to today, Monday to Friday (day 0 was a Thursday)."""
        first = (self.shape.first_day - EPOCH.date()).days
        days = f"SELECT {first} + z.i AS n FROM {self._series(self.shape.days + 1, 'z')}"
        return f"(SELECT n FROM ({days}) AS e WHERE (n + 3) % 7 < 5) AS d"

    def _clock_ins(self) -> str:
        morning = (
            f"d.n * {_DAY} - {_WIB} + {6 * _HOUR + _HOUR * 5 // 6} + (p.i * 37 + d.n * 13) % 50 * 60000000"
        )
        evening = f"d.n * {_DAY} - {_WIB} + {16 * _HOUR + _HOUR // 12} + (p.i * 31 + d.n * 7) % 60 * 60000000"
        at = f"CASE WHEN k.i = 0 THEN {morning} ELSE {evening} END"
        return (
            "INSERT INTO attendance (source, id, opd, employee, at, kind, doubtful, day)"
            " SELECT 'presensi', 'a' || (d.n * 100000 + p.i) || '-' || k.i, o.column2, 'p' || p.i,"
            f" {at}, CASE WHEN k.i = 0 THEN 'in' ELSE 'out' END, (p.i + d.n) % 97 = 0, {self._day('d.n')}"
            f" FROM {self._workdays()} CROSS JOIN {self._series(2, 'k')}"
            f" CROSS JOIN {self._series(self.shape.people, 'p')} {self._opd('p.i')}"
            f" WHERE (p.i * 17 + d.n * 29) % 33 <> 0 AND {at} <= {_NOW}"
        )

    def _away(self) -> str:
        names = ("cuti", "sakit", "dinas_luar", "tanpa_keterangan")
        what = " ".join(f"WHEN {n} THEN '{name}'" for n, name in enumerate(names))
        return (
            "INSERT INTO attendance_day (source, id, opd, day, employee, category)"
            f" SELECT 'presensi', 'k' || (d.n * 100000 + p.i), o.column2, {self._day('d.n')}, 'p' || p.i,"
            f" CASE (p.i + d.n) % 4 {what} END"
            f" FROM {self._workdays()} CROSS JOIN {self._series(self.shape.people, 'p')} {self._opd('p.i')}"
            " WHERE (p.i * 17 + d.n * 29) % 33 = 0"
        )

    def _syncs(self) -> str:
        """One interface never succeeded, every tenth never says how old its data are, one was given up
        when half of the past was over."""
        step = round(self.shape.sync_s * 1e6)
        count = self.shape.days * _DAY // step
        at = f"{_NOW} - t.i * {step} - j.i * {step // INTERFACES}"
        return (
            "INSERT INTO sync_run (source, id, opd, system, interface, started_at, ok, finished_at,"
            " rows_read, rows_rejected, data_as_of, matched, unmatched, error, day)"
            f" SELECT 'splp', 's' || (1000000000 - t.i * {INTERFACES} - j.i), o.column2,"
            f" 'sistem-' || j.i % 7, 'antarmuka-' || j.i, {at}, j.i <> 7 AND (t.i * 7 + j.i * 3) % 50 <> 0,"
            f" {at} + 90000000, 1000, 5, CASE WHEN j.i % 10 <> 3 THEN {at} - {_HOUR} END, 970, 30,"
            f" CASE WHEN j.i = 7 THEN 'ditolak' END, {self._day_at(at)}"
            f" FROM {self._newest_last(count)} CROSS JOIN {self._series(INTERFACES, 'j')} {self._opd('j.i')}"
            f" WHERE j.i <> {INTERFACES - 1} OR t.i > {count // 2}"
        )

    def _requests(self) -> str:
        """Answered in a third of the time they take, which is 12 hours to 45 days; the city keeps pace."""
        step = round(_DAY / self.shape.requests)
        count = self.shape.days * _DAY // step
        took = f"({_HOUR * 12} + t.i * 7919 % 1000 * (t.i * 7919 % 1000) * {45 * _DAY // 1_000_000})"
        once = (
            f"(SELECT t.i, {_NOW} - t.i * {step} AS opened, {took} AS took FROM {self._newest_last(count)})"
        )
        ended = f"r.opened + r.took <= {_NOW}"
        answered = f"CASE WHEN r.opened + r.took / 3 <= {_NOW} THEN r.opened + r.took / 3 END"
        good = "r.i % 13 <> 0"
        return (
            "INSERT INTO service_request (source, id, opd, status, opened_at, updated_at, class, category,"
            " channel, kelurahan, kecamatan, answered_at, closed_at, due_at, reopened, confirmed, text,"
            " ended_at, opened_day, closed_day)"
            " SELECT 'lapor', 'r' || (1000000000 - r.i), o.column2,"
            f" CASE WHEN NOT {ended} THEN CASE r.i % 3 WHEN 0 THEN 'received' WHEN 1 THEN 'verified'"
            f" ELSE 'in_progress' END WHEN {good} THEN 'closed' ELSE 'rejected' END,"
            f" r.opened, CASE WHEN {ended} THEN r.opened + r.took ELSE coalesce({answered}, r.opened) END,"
            " 'complaint', 'kategori-' || r.i % 12, 'kanal-' || r.i % 5, 'kelurahan-' || r.i % 40,"
            f" 'kecamatan-' || r.i % 5, {answered}, CASE WHEN {ended} AND {good} THEN r.opened + r.took END,"
            f" r.opened + {14 * _DAY}, CASE WHEN r.i % 25 = 0 THEN 1 ELSE 0 END, r.i % 3 = 0,"
            " 'Lampu jalan di depan pasar padam sejak tiga hari, mohon diperiksa.',"
            f" CASE WHEN {ended} THEN r.opened + r.took END, {self._day_at('r.opened')},"
            f" CASE WHEN {ended} AND {good} THEN {self._day_at('r.opened + r.took')} END"
            f" FROM {once} AS r {self._opd('r.i')}"
        )

    def _ledger(self) -> str:
        """Every year's codes with all five stages; of a hundred codes one breaks at its contract."""
        names = ("plan", "budget", "procurement", "contract", "realisation")
        stage = " ".join(f"WHEN {n} THEN '{name}'" for n, name in enumerate(names))
        first = self.shape.years[0]
        years = f"({self.shape.years[-1]} - {first} - y.i)"
        at = f"{_NOW} - {years} * {365 * _DAY} - (200 - 40 * s.i) * {_DAY} + c.i"
        return (
            "INSERT INTO ledger (source, id, opd, year, code, stage, amount, updated_at, name)"
            f" SELECT 'sipd', ({first} + y.i) || '-' || c.i || '-' || s.i, o.column2, {first} + y.i,"
            f" '1.02.' || c.i, CASE s.i {stage} END,"
            " 1000000 + c.i * 1000 + CASE WHEN c.i % 100 = 0 AND s.i = 3 THEN 500 ELSE 0 END,"
            f" {at}, 'Kegiatan ' || c.i"
            f" FROM {self._series(len(self.shape.years), 'y')} CROSS JOIN {self._series(CODES, 'c')}"
            f" CROSS JOIN {self._series(len(names), 's')} {self._opd('c.i')}"
        )

    # --- what is written beside the facts ---

    def _told(self) -> Iterator[tuple[str, str]]:
        """Sources and their hours, two rejects a day, and what the evaluator wrote for as long as it keeps
        it: every quarter of an hour of two days, and of what is older one mark in twenty-four."""
        feeds = ("uptime_check", "attendance", "sync_run", "service_request", "ledger")
        pairs = zip(("pemantau", "presensi", "splp", "lapor", "sipd"), feeds, strict=True)
        named = f"(VALUES {', '.join(map(str, pairs))}) AS f"
        hours = self.shape.days * 24
        yield (
            "source_state",
            "INSERT INTO source_state (source, config, door, last_at, heard_at, accepted, known, rejected)"
            f" SELECT f.column1, f.column1, 'mqtt', {_NOW}, {_NOW}, 1000, 0, 0 FROM {named}",
        )
        yield "source_feed", f"INSERT INTO source_feed SELECT f.column1, f.column2 FROM {named}"
        yield (
            "source_hour",
            "INSERT INTO source_hour (source, hour, accepted, known, rejected)"
            f" SELECT f.column1, {_NOW // _HOUR * _HOUR} - h.i * {_HOUR}, 100, 0, 1"
            f" FROM {self._series(hours, 'h')} CROSS JOIN {named}",
        )
        yield (
            "reject",
            "INSERT INTO reject (source, config, feed, door, place, reason, field, detail, raw, digest,"
            " first_at, last_at, times)"
            " SELECT 'lapor', 'lapor', 'service_request', 'mqtt', 'city', 'unknown_' || r.i % 8, 'opd',"
            f" 'tidak dikenal', '{{}}', 'd' || r.i, {_NOW} - r.i * {_DAY // 2}, {_NOW} - r.i * {_DAY // 2}, 1"
            f" FROM {self._series(self.shape.days * 2, 'r')}",
        )
        kpis = "(VALUES " + ", ".join(f"('{kpi}')" for kpi in self.kpis) + ") AS k"
        scopes = "(VALUES (''), " + ", ".join(f"('{code}')" for code in self.opds) + ") AS o"
        days = min(self.shape.days, _HISTORY_DAYS)
        recent = min(days, _QUARTERS_DAYS)
        quarter, rare = _HOUR // 4, 6 * _HOUR
        quarters = f"{_NOW // quarter * quarter} - t.i * {quarter}"
        older = f"{_NOW // _HOUR * _HOUR - recent * _DAY - _HOUR} - t.i * {rare}"
        for at, count in ((older, (days - recent) * 4), (quarters, recent * 96)):
            if count > 0:
                yield (
                    "reading_history",
                    "INSERT INTO reading_history (kpi, opd, at, value, severity)"
                    f" SELECT k.column1, o.column1, {at}, t.i % 7, 'watch'"
                    f" FROM {self._newest_last(count)} CROSS JOIN {kpis} CROSS JOIN {scopes}",
                )
        codes = ", ".join(f"('{code}', {n})" for n, code in enumerate(self.opds))
        yield (
            "reading_change",
            "INSERT INTO reading_change (kpi, opd, at, before, after, value)"
            f" SELECT k.column1, o.column1, {_NOW} - t.i * {5 * _DAY} - o.column2 * {_HOUR}, 'watch',"
            " 'act', 1"
            f" FROM {self._newest_last(days // 5)} CROSS JOIN {kpis}"
            f" CROSS JOIN (VALUES {codes}) AS o",
        )
