"""The course of a figure over the days looked at, and what is usual for it.

The evaluator keeps a value each quarter of an hour; of a day that is over it keeps one cell a figure.
Up to `QUARTERS` days are shown by the quarter hour, up to `HOURS` days by the hour, more by the day,
and each stretch with its last, lowest and highest value: a longer range never hides an extreme.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.charts import KpiTrend, Step, Stretch, Usual
from kpis.days import day_start, local_day
from kpis.percentile import percentile
from kpis.readings import TREND, reading_history
from kpis.spans import TODAY, Span
from kpis.store import instant, metadata, micros
from kpis.types import TrendPoint

QUARTERS = 2
HOURS = 14
UNMADE = 2
"""Days without cells that are read from the history; right after midnight yesterday has none yet."""
WEEKS = 8
LEAST_WEEKS = 3
"""With fewer other weeks nobody can say what is usual."""
_WEEK = timedelta(days=7)
_HOUR_US = 3_600_000_000
# Quarter hours that were measured again later stand an hour apart.
_CLOSE = {Step.QUARTER: timedelta(hours=1), Step.HOUR: timedelta(hours=1), Step.DAY: timedelta(hours=25)}

Place = tuple[str, str]

# One cell a figure and day of the city, made of the history when the day is over; kept for ever.
reading_day = sa.Table(
    "reading_day",
    metadata,
    sa.Column("opd", sa.Text, primary_key=True),
    sa.Column("kpi", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("last", sa.Float(53)),
    sa.Column("low", sa.Float(53)),
    sa.Column("high", sa.Float(53)),
    sa.Column("mean", sa.Float(53)),
    sa.Index("reading_day_day", "day"),
)

h, d = reading_history, reading_day


# --- the cells of a day -----------------------------------------------------------------------


def roll_up(conn: Connection, zone: ZoneInfo, today: date, most: int = 7) -> int:
    """Makes cells of days that are over and have none: those since the newest cells, then those before
    the oldest, newest first, so that a store without cells shows its last weeks soon.

    At most `most` days at a time; returns how many, less than `most` when nothing is left to do.
    """
    made = 0
    while made < most and (day := _next(conn, zone, today)) is not None:
        make_day(conn, zone, day)
        made += 1
    return made


def _next(conn: Connection, zone: ZoneInfo, today: date) -> date | None:
    # Two questions: asked for both at once, SQLite walks the whole index.
    oldest, newest = conn.execute(sa.select(sa.func.min(d.c.day))).scalar(), rolled(conn)
    if newest is not None:
        after = sa.select(sa.func.min(h.c.at)).where(h.c.at >= day_start(newest + timedelta(days=1), zone))
        first = conn.execute(after).scalar()
        if first is not None and (day := local_day(instant(first), zone)) < today:
            return day
    before = sa.select(sa.func.max(h.c.at)).where(h.c.at < day_start(oldest or today, zone))
    last = conn.execute(before).scalar()
    return None if last is None else local_day(instant(last), zone)


def rolled(conn: Connection) -> date | None:
    """The newest day that has cells."""
    return conn.execute(sa.select(sa.func.max(d.c.day))).scalar()


def make_day(conn: Connection, zone: ZoneInfo, day: date) -> None:
    """Makes the cells of one day again from the history."""
    begin, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)
    found = _stretches(sa.literal(day, sa.Date), h.c.at >= begin, h.c.at < end)
    conn.execute(d.delete().where(d.c.day == day))
    conn.execute(d.insert().from_select(["kpi", "opd", "day", "last", "low", "high", "mean"], found))


def _stretches(slot: sa.ColumnElement[Any], *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """kpi, opd, slot, and of each slot's values the last, lowest, highest and mean."""
    known_at = sa.func.max(sa.case((h.c.value.is_not(None), h.c.at)))
    cells = (
        sa.select(
            h.c.kpi, h.c.opd, slot.label("slot"), known_at.label("at"), sa.func.min(h.c.value).label("low"),
            sa.func.max(h.c.value).label("high"), sa.func.avg(h.c.value).label("mean"),
        )
        .where(*where)
        .group_by(h.c.kpi, h.c.opd, sa.text("slot"))
        .subquery()
    )  # fmt: skip
    newest = h.alias()
    same = sa.and_(newest.c.kpi == cells.c.kpi, newest.c.opd == cells.c.opd, newest.c.at == cells.c.at)
    values = (newest.c.value.label("last"), cells.c.low, cells.c.high, cells.c.mean)
    return sa.select(cells.c.kpi, cells.c.opd, cells.c.slot, *values).outerjoin(newest, same)


# --- the course of figures --------------------------------------------------------------------


def step_of(span: Span) -> Step:
    """How fine a range is shown."""
    if span.days <= QUARTERS:
        return Step.QUARTER
    return Step.HOUR if span.days <= HOURS else Step.DAY


def window(span: Span, at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From when to when a range is drawn. Today is the last 24 hours: a day has just begun in the morning."""
    if span.name == TODAY:
        return at - TREND, at
    end = instant(day_start(span.last + timedelta(days=1), zone) - 1)
    return instant(day_start(span.first, zone)), min(at, end)


def courses(
    conn: Connection,
    kpis: Sequence[str],
    opds: Sequence[str | None],
    span: Span,
    at: datetime,
    zone: ZoneInfo,
) -> dict[Place, tuple[Stretch, ...]]:
    """The stretches of each figure, by KPI and OPD ("" for the city), gaps between them marked."""
    begin, end = window(span, at, zone)
    step = step_of(span)
    codes = [opd or "" for opd in opds]
    mine = (h.c.kpi.in_(kpis), h.c.opd.in_(codes))
    if step is Step.QUARTER:
        rows = _quarters(conn, mine, begin, end)
    elif step is Step.HOUR:
        rows = _hours(conn, mine, begin, end)
    else:
        rows = _days(conn, kpis, codes, span, zone, mine)
    found: dict[Place, list[Stretch]] = defaultdict(list)
    for place, one in rows:
        found[place].append(one)
    return {place: tuple(_with_gaps(some, step)) for place, some in found.items()}


Rows = Iterator[tuple[Place, Stretch]]


def _quarters(
    conn: Connection, mine: Iterable[sa.ColumnElement[bool]], begin: datetime, end: datetime
) -> Rows:
    query = sa.select(h.c.kpi, h.c.opd, h.c.at, h.c.value).where(
        *mine, h.c.at > micros(begin), h.c.at <= micros(end)
    )
    for kpi, opd, us, value in conn.execute(query.order_by(h.c.kpi, h.c.opd, h.c.at)):
        yield (kpi, opd), Stretch(at=instant(us), last=value, low=value, high=value)


def _hours(conn: Connection, mine: Iterable[sa.ColumnElement[bool]], begin: datetime, end: datetime) -> Rows:
    slot = h.c.at // sa.literal_column(str(_HOUR_US), sa.BigInteger)
    query = _stretches(slot, *mine, h.c.at >= micros(begin), h.c.at <= micros(end))
    for kpi, opd, hour, last, low, high, _ in conn.execute(query.order_by("kpi", "opd", "slot")):
        yield (kpi, opd), Stretch(at=instant(hour * _HOUR_US), last=last, low=low, high=high)


def _days(
    conn: Connection, kpis: Sequence[str], codes: Sequence[str], span: Span, zone: ZoneInfo,
    mine: Iterable[sa.ColumnElement[bool]],
) -> Rows:  # fmt: skip
    """Cells as far as they are made, then the history of the last days itself: today, as a rule."""
    query = sa.select(d.c.kpi, d.c.opd, d.c.day, d.c.last, d.c.low, d.c.high).where(
        d.c.opd.in_(codes), d.c.kpi.in_(kpis), d.c.day >= span.first, d.c.day <= span.last
    )
    for kpi, opd, day, last, low, high in conn.execute(query.order_by(d.c.opd, d.c.kpi, d.c.day)):
        yield (kpi, opd), Stretch(at=instant(day_start(day, zone)), last=last, low=low, high=high)
    newest = rolled(conn)
    day = max(span.first, span.last - timedelta(days=UNMADE - 1))
    if newest is not None:
        day = max(day, newest + timedelta(days=1))
    while day <= span.last:
        begin, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)
        cells = _stretches(sa.literal_column("0", sa.BigInteger), *mine, h.c.at >= begin, h.c.at < end)
        for kpi, opd, _, last, low, high, _ in conn.execute(cells):
            yield (kpi, opd), Stretch(at=instant(begin), last=last, low=low, high=high)
        day += timedelta(days=1)


def _with_gaps(points: Iterable[Stretch], step: Step) -> Iterator[Stretch]:
    """A stretch without a value between two that are too far apart to be joined."""
    before: datetime | None = None
    for one in points:
        if before is not None and one.at - before > _CLOSE[step]:
            yield Stretch(at=before + step.length, last=None, low=None, high=None)
        yield one
        before = one.at


def tile_trends(
    conn: Connection, kpis: Sequence[str], opd: str | None, span: Span, at: datetime, zone: ZoneInfo
) -> dict[str, tuple[TrendPoint, ...]]:
    """The small lines of the tiles over a range that reaches the present."""
    found = courses(conn, kpis, [opd], span, at, zone)
    return {
        kpi: tuple(TrendPoint(at=one.at, value=one.last) for one in points)
        for (kpi, _), points in found.items()
    }


# --- what is usual ----------------------------------------------------------------------------


def kpi_trend(
    conn: Connection, kpi: str, opd: str | None, span: Span, at: datetime, zone: ZoneInfo
) -> KpiTrend:
    """One figure over a range, with the band of other weeks."""
    begin, end = window(span, at, zone)
    step = step_of(span)
    points = courses(conn, [kpi], [opd], span, at, zone).get((kpi, opd or ""), ())
    if step is Step.DAY:
        usual = _usual_days(conn, kpi, opd or "", span, zone)
    else:
        usual = _usual_hours(conn, kpi, opd or "", begin, end)
    weeks = max((one.weeks for one in usual), default=0)
    return KpiTrend(step=step, begin=begin, end=end, points=points, usual=usual, weeks=weeks)


def _usual_hours(conn: Connection, kpi: str, opd: str, begin: datetime, end: datetime) -> tuple[Usual, ...]:
    """The same hour of the weeks before: each week gives the mean of that hour."""
    slot = h.c.at // sa.literal_column(str(_HOUR_US), sa.BigInteger)
    query = sa.select(slot.label("slot"), sa.func.avg(h.c.value)).where(
        h.c.kpi == kpi, h.c.opd == opd, h.c.value.is_not(None),
        h.c.at >= micros(begin - WEEKS * _WEEK) // _HOUR_US * _HOUR_US,
        h.c.at < (micros(end - _WEEK) // _HOUR_US + 1) * _HOUR_US,
    )  # fmt: skip
    rows = conn.execute(query.group_by(sa.text("slot")))
    means: dict[int, float] = {row[0]: row[1] for row in rows}
    week = _WEEK // timedelta(hours=1)
    hours = range(micros(begin) // _HOUR_US, micros(end) // _HOUR_US + 1)
    found = ((instant(hour * _HOUR_US), _band(means, hour, week)) for hour in hours)
    return tuple(_usual(found))


def _usual_days(conn: Connection, kpi: str, opd: str, span: Span, zone: ZoneInfo) -> tuple[Usual, ...]:
    """The same weekday of the weeks before: each week gives the mean of that day."""
    query = sa.select(d.c.day, d.c.mean).where(
        d.c.opd == opd, d.c.kpi == kpi, d.c.mean.is_not(None),
        d.c.day >= span.first - WEEKS * _WEEK, d.c.day <= span.last - _WEEK,
    )  # fmt: skip
    means = {day.toordinal(): mean for day, mean in conn.execute(query)}
    days = (span.first + timedelta(days=n) for n in range(span.days))
    found = ((instant(day_start(day, zone)), _band(means, day.toordinal(), 7)) for day in days)
    return tuple(_usual(found))


def _band(means: Mapping[int, float], place: int, week: int) -> list[float]:
    """The values of the weeks before, sorted."""
    return sorted(means[other] for other in range(place - WEEKS * week, place, week) if other in means)


def _usual(found: Iterable[tuple[datetime, list[float]]]) -> Iterator[Usual]:
    for at, values in found:
        low, high = percentile(values, 0.1), percentile(values, 0.9)
        if len(values) >= LEAST_WEEKS and low is not None and high is not None:
            yield Usual(at=at, low=low, high=high, weeks=len(values))
