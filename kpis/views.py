"""What each page shows beside its readings: one frozen view per page, filled from the tables.

Views carry aggregates and names of things, never of people. Shares are 0..1, ages in hours,
times aware. The functions that fill them stand in the domain modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from kpis.settings import Screen
from kpis.types import Domain

if TYPE_CHECKING:
    from kpis.looks import Change
    from kpis.ranks import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A label's count. `label` is a stored code (a status, channel, kelurahan …)."""

    label: str
    count: int
    overdue: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDay:
    """Requests opened and closed on one day of the city."""

    day: date
    opened: int
    closed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """One open request without its text: `id` is the source's own number."""

    source: str
    id: str
    opd: str
    status: str
    category: str | None
    channel: str | None
    kelurahan: str | None
    opened_at: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeBand:
    """Open requests between `from_days` (inclusive) and `to_days` (exclusive; None = no end) old."""

    from_days: int
    to_days: int | None
    count: int
    overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpdRequests:
    """One OPD's open and overdue requests and its last thirty days."""

    opd: str
    open: int
    overdue: int
    closed_30d: int
    close_days_p50: float | None
    close_days_p90: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsView:
    """The service request page. `days` are the last 30, oldest first; `oldest` at most 12 rows."""

    by_status: tuple[Count, ...]
    by_channel: tuple[Count, ...]
    by_category: tuple[Count, ...]
    by_kelurahan: tuple[Count, ...]
    ages: tuple[AgeBand, ...]
    by_opd: tuple[OpdRequests, ...]
    days: tuple[RequestDay, ...]
    oldest: tuple[RequestRow, ...]


class AppState(StrEnum):
    """What the latest check says; `unknown` past three expected intervals of silence."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppDay:
    """One day of one application: seconds up and down; the rest of `passed_s` was unobserved.

    `passed_s` is how much of the day is over, all of it but for today. `maintained_s` of it lay in
    declared maintenance, which leaves up and down as they were observed.
    """

    day: date
    up_s: float
    down_s: float
    passed_s: float = 86_400.0
    maintained_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRow:
    """One application of the inventory with its latest state. Gaps are None and shown as gaps."""

    app: str
    name: str
    opd: str | None
    owner: str | None
    url: str | None
    hosting: str | None
    state: AppState
    since: datetime | None
    observed_at: datetime | None
    latency_ms: float | None
    status_code: int | None
    error: str | None
    cert_expires_at: datetime | None
    uptime_24h: float | None
    uptime_30d: float | None
    days: tuple[AppDay, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UptimeView:
    """The application page: worst first. `days` in a row are the last 90, oldest first."""

    apps: tuple[AppRow, ...]
    without_owner: int
    never_checked: int
    objective: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One stretch in which an application was down: from the first failed check to the next good one,
    or until nobody looked any more (`recovered` False). `ended_at` None means that it still is.

    It may have begun before the days looked at; `down_s` is its whole length up to now.
    """

    started_at: datetime
    ended_at: datetime | None
    recovered: bool
    down_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AppView:
    """One application's page. `row` is None where the inventory has no such application.

    `outages` touch the days looked at, the newest first and at most `kpis.app_uptime.MOST_OUTAGES`
    of `outage_count`; `up_s` and `down_s` are the seconds within those days.
    """

    app: str
    row: AppRow | None
    objective: float
    outages: tuple[Outage, ...]
    outage_count: int
    up_s: float
    down_s: float


class Step(StrEnum):
    """The integration ladder; each step is earned by machine evidence (domain.md)."""

    BELUM = "belum"
    TERDAFTAR = "terdaftar"
    TERHUBUNG = "terhubung"
    SEBAGIAN = "sebagian"
    TERINTEGRASI = "terintegrasi"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceRow:
    """One interface of one OPD's system with its latest evidence. `interval_s` is how often it should run."""

    opd: str
    system: str
    interface: str
    last_run_at: datetime | None
    last_ok: bool | None
    last_ok_at: datetime | None
    data_as_of: datetime | None
    data_age_hours: float | None
    runs_24h: int
    ok_24h: int
    matched_share: float | None
    rejected_share: float | None
    step: Step
    error: str | None
    interval_s: float | None = None
    registered: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncDay:
    """The sync runs of one interface on one day."""

    day: date
    runs: int
    ok: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRun:
    """One sync run: the row behind the figures of an interface."""

    started_at: datetime
    finished_at: datetime | None
    ok: bool
    rows_read: int | None
    rows_rejected: int | None
    matched: int | None
    unmatched: int | None
    data_as_of: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceView:
    """One interface's page. `asked` is how the address spelled it, `row` None where nobody knows it.

    `runs` are the newest of the days looked at, at most `kpis.opd_integration.MOST_RUNS` of `run_count`.
    """

    asked: str
    row: InterfaceRow | None
    days: tuple[SyncDay, ...]
    runs: tuple[SyncRun, ...]
    run_count: int
    ok_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneRow:
    """One milestone. `progress` is 0..1, and 1 once it is done; `budget` in rupiah, 0 where none is told."""

    id: str
    opd: str
    title: str
    kind: str | None
    programme: str | None
    due_on: date
    done_on: date | None
    budget: float
    progress: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadPoint:
    """What was due and done by the end of one day, cumulative; done is None for days to come."""

    day: date
    due: int
    done: int | None
    budget_due: float
    budget_done: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadMap:
    """The plan: a point a week, what is late (at most some of `late_count`) and what comes next.

    `budget` is that of the milestones drawn, `budget_due` of those due by today, `budget_done` the budget
    weighted by progress.
    """

    points: tuple[RoadPoint, ...]
    total: int
    late: tuple[MilestoneRow, ...]
    late_count: int
    coming: tuple[MilestoneRow, ...]
    budget: float
    budget_due: float
    budget_done: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedDay:
    """OPD connected on one day, and how many were to be by then (None: nobody said)."""

    day: date
    connected: int
    target: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainStage:
    """One stage of the budget chain: codes that reached it, their rupiah, and first breaks there."""

    stage: str
    codes: int
    amount: float
    breaks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpdStep:
    """Where one OPD stands and what its next step lacks: a message key, or None at the top."""

    opd: str
    step: Step
    lacks: str | None
    interfaces: int
    integrated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerBreak:
    """The first break of one activity code: `stage` broke against the stage before it."""

    opd: str
    year: int
    code: str
    name: str | None
    stage: str
    reason: str
    amount: float | None
    against: float | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationView:
    """The integration page: OPD and interfaces worst first."""

    steps: tuple[OpdStep, ...]
    interfaces: tuple[InterfaceRow, ...]
    breaks: tuple[LedgerBreak, ...]
    codes: int
    chain: tuple[ChainStage, ...] = ()
    days: Mapping[tuple[str, str, str], tuple[SyncDay, ...]] = field(default_factory=dict)
    road_map: RoadMap | None = None
    connected: tuple[ConnectedDay, ...] = ()
    opds: int = 0
    matched_rule: float = 0.95
    rejected_rule: float = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class OpdAttendance:
    """One OPD's day. `expected` is headcount on a working day, 0 on a day off."""

    opd: str
    expected: int
    leave: int
    present: int
    off_site: int
    late: int
    left_early: int
    unexplained: int
    checkins: int
    doubtful: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalPoint:
    """Share of the headcount in by `minute` (minutes after midnight), today and usually.

    `usual` is the median of the same weekday of earlier weeks, `low` and `high` the quarters beside it.
    """

    minute: int
    today: float | None
    usual: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceDay:
    """One day: numerator and denominator of the attendance rate. `off` says why nobody was expected,
    and then there are no figures. A worked day whose clocks were not heard is left out: it is a gap."""

    day: date
    attended: int
    due: int
    late: int
    present: int = 0
    off: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceView:
    """The attendance page. `day_off` names the holiday or is "weekend", None on a working day.

    `usual_days` are the days behind the usual curve, newest first; `days` lie from `first` to `last`.
    """

    day: date
    day_off: str | None
    shift_start: str
    grace_minutes: int
    by_opd: tuple[OpdAttendance, ...]
    arrivals: tuple[ArrivalPoint, ...]
    days: tuple[AttendanceDay, ...]
    usual_days: tuple[date, ...] = ()
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """What one source sent. `interval_s` is its expected interval, None if none is configured.

    `behind_s` is how far behind the present it is being read, None when nothing more waits.
    """

    source: str
    door: str
    feeds: tuple[str, ...]
    last_at: datetime | None
    accepted: int
    known: int
    rejected: int
    accepted_24h: int
    rejected_24h: int
    interval_s: float | None
    freshness: str
    error: str | None
    behind_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectRow:
    """One reject: `reason` is a code of `ingest.reasons`, `field` the field at fault or None."""

    id: int
    source: str
    feed: str | None
    door: str
    place: str
    first_at: datetime
    last_at: datetime
    times: int
    reason: str
    field: str | None
    detail: str
    replayed_at: datetime | None
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesView:
    """The sources page. `asked` is the number of the reject that was linked to, `chosen` that reject if
    there is one."""

    sources: tuple[SourceRow, ...]
    reasons: tuple[Count, ...]
    rejects: tuple[RejectRow, ...]
    chosen: RejectRow | None = None
    asked: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueSoon:
    """Open requests whose time runs out within `days` working days, at the end of the day `by` at the
    latest; those due within fewer days are counted in as well."""

    days: int
    by: date
    count: int


class Why(StrEnum):
    """What is wrong with an interface, the worst first."""

    NEVER = "never"
    FAILED = "failed"
    STALE = "stale"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """An interface that did not send what it should. `overdue_s` is how long it is past its interval."""

    row: InterfaceRow
    why: Why
    overdue_s: float | None


class Promise(StrEnum):
    """How a milestone stands: past its day and not done, done after its day, to come, done in time."""

    OVERDUE = "overdue"
    DUE = "due"
    LATER = "later"
    DONE_LATE = "done_late"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """One promise. `state` is DUE within thirty days, LATER beyond. `progress` is a share or None."""

    name: str
    kind: str | None
    due_on: date
    done_on: date | None
    progress: float | None
    state: Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisesView:
    """What an OPD promised: how many stand where, and the rows that matter now. `updated_at` is when a
    milestone was last heard of, None when there is none."""

    counts: Mapping[Promise, int]
    rows: tuple[Milestone, ...]
    updated_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a figure was at an earlier moment, as it was judged then."""

    at: datetime
    value: float | None
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpdView:
    """One OPD's own page: what to do now, how it stands, what it promised.

    `overdue` are the longest of `overdue_all`, which is None while nothing was ever reported.
    `rejects` counts by reason the records of this OPD that could not be used and wait for mending.
    `before` are its figures thirty days ago by KPI key. `place` is its own among all; `best` and
    `improved` are who leads, and `ranked` how many of the city's OPD could be compared.
    """

    opd: str
    overdue: tuple[RequestRow, ...]
    overdue_all: int | None
    due: tuple[DueSoon, ...]
    apps: tuple[AppRow, ...]
    interfaces: tuple[InterfaceRow, ...]
    troubles: tuple[Trouble, ...]
    rejects: tuple[Count, ...]
    step: OpdStep
    attendance: OpdAttendance | None
    before: Mapping[str, Past]
    place: Place
    best: tuple[Place, ...]
    improved: tuple[Place, ...]
    ranked: int
    promises: PromisesView
    targets_by: Mapping[str, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpdsView:
    """The page of all OPD: of one `domain` figure by figure, or of all domains where it is None."""

    domain: Domain | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpdStanding:
    """One OPD over all its KPIs: how many are on target, watch and act; the worst and best one."""

    opd: str
    on_target: int
    watch: int
    act: int
    unknown: int
    worst_kpi: str | None
    distance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """A KPI whose severity or freshness changed: what the mayor missed since the last look."""

    kpi: str
    opd: str | None
    at: datetime
    before: str
    after: str
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """An OPD that needs a word: its most pressing figure, and how many others it has to act on."""

    opd: str
    kpi: str
    others: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Praise:
    """An OPD that deserves a word, for the targets it meets or for a figure that came right since
    `then`, thirty days ago. `kpi` and `then` are None where the place alone is the reason."""

    place: Place
    kpi: str | None = None
    then: Past | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookView:
    """What changed since a look: the first of what got worse and of what got better, and how many there
    are of each. `first` says that nobody looked before, `cut` that more changed than was read."""

    since: datetime
    first: bool
    worse: tuple[Change, ...]
    better: tuple[Change, ...]
    worse_all: int
    better_all: int
    cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MayorView:
    """What changed since the last look, five OPD that need a word and five that deserve one.

    `acting` is how many OPD have something to act on, `ranked` how many could be compared at all.
    """

    look: LookView
    need: tuple[Word, ...]
    deserve: tuple[Praise, ...]
    acting: int
    ranked: int
    compared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsGlance:
    """What a wall draws of service requests beside the readings: ages, places, the last thirty days."""

    ages: tuple[AgeBand, ...]
    by_kelurahan: tuple[Count, ...]
    days: tuple[RequestDay, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppGlance:
    """One application as a wall shows it: its state, since when, and its thirty days in one figure."""

    app: str
    opd: str | None
    state: AppState
    since: datetime | None
    observed_at: datetime | None
    uptime_30d: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UptimeGlance:
    """Every application, worst first, and the uptime promised."""

    apps: tuple[AppGlance, ...]
    objective: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationGlance:
    """Where the OPD stand on the ladder, lowest first."""

    steps: tuple[OpdStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceGlance:
    """The morning's curve and the rule it is read by. `day_off` as in `AttendanceView`; `late_from` is
    the minute of the day after which a first clock-in is late."""

    day_off: str | None
    late_from: int
    arrivals: tuple[ArrivalPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WallView:
    """One screen of the wall: which eight KPIs its overview holds, the OPD standings behind the strip
    under it, and a glance at each domain that has a page of its own on the screen, by the page's name."""

    screen: Screen
    views: Mapping[str, Any]
    tiles: tuple[str, ...]
    standings: tuple[OpdStanding, ...]
    sources_silent: int
    sources: int
