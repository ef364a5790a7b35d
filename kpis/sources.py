"""What each source sent, what was refused and why, and how far each was read."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kpis.config import Settings
from kpis.judge import freshness
from kpis.store import instant, maybe_instant, metadata, micros
from kpis.types import Freshness
from kpis.views import Count, RejectRow, SourceRow, SourcesView

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US

source_state = sa.Table(
    "source_state",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("config", sa.Text, nullable=False),
    sa.Column("door", sa.Text, nullable=False),
    sa.Column("last_at", sa.BigInteger),
    sa.Column("heard_at", sa.BigInteger),
    sa.Column("accepted", sa.BigInteger, nullable=False, default=0),
    sa.Column("known", sa.BigInteger, nullable=False, default=0),
    sa.Column("rejected", sa.BigInteger, nullable=False, default=0),
    sa.Column("error", sa.Text),
    # While more waits: how old the newest record of the last batch was when it was committed.
    sa.Column("behind_s", sa.Integer),
)

source_feed = sa.Table(
    "source_feed",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("feed", sa.Text, primary_key=True),
)

source_hour = sa.Table(
    "source_hour",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("hour", sa.BigInteger, primary_key=True),
    sa.Column("accepted", sa.BigInteger, nullable=False),
    sa.Column("known", sa.BigInteger, nullable=False),
    sa.Column("rejected", sa.BigInteger, nullable=False),
    sa.Index("source_hour_recent", "hour"),
)

source_position = sa.Table(
    "source_position",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

reject = sa.Table(
    "reject",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("config", sa.Text, nullable=False),
    sa.Column("feed", sa.Text),
    sa.Column("door", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("field", sa.Text),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("raw", sa.Text, nullable=False),
    # Of what came in, before masking: the same bad record again is counted, not kept twice.
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("first_at", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("replayed_at", sa.BigInteger),
    # Whose record it is, where it says so and the city knows the OPD.
    sa.Column("opd", sa.Text),
    sa.UniqueConstraint("source", "digest", name="reject_once"),
    sa.Index("reject_last", "last_at"),
    sa.Index("reject_waiting", "replayed_at", "reason", "times"),
    sa.Index("reject_opd", "opd", "replayed_at", "reason", "times"),
)


def source_rows(conn: Connection, settings: Settings, at: datetime) -> tuple[SourceRow, ...]:
    """Every source that ever sent or is configured, silent and failing ones first."""
    t = micros(at)
    feeds: dict[str, list[str]] = {}
    for source, feed in conn.execute(
        sa.select(source_feed.c.source, source_feed.c.feed).order_by(source_feed.c.feed)
    ):
        feeds.setdefault(source, []).append(feed)
    h = source_hour
    day = sa.select(h.c.source, sa.func.sum(h.c.accepted), sa.func.sum(h.c.rejected)).where(
        h.c.hour > (t - _DAY_US) // _HOUR_US * _HOUR_US, h.c.hour <= t
    )
    recent = {source: (int(a), int(r)) for source, a, r in conn.execute(day.group_by(h.c.source))}
    configured = {s.name: s for s in settings.sources}
    found: dict[str, SourceRow] = {}
    states = conn.execute(sa.select(source_state)).all()
    # A door reads for all that send through it.
    behind = {row.source: row.behind_s for row in states}
    for row in states:
        config = configured.get(row.source) or configured.get(row.config)
        interval = config.interval if config else None
        # A poll that found nothing new is a sign of life; a push source lives by what it sends.
        seen = max(row.last_at or 0, row.heard_at or 0) or None
        state = Freshness.FRESH if interval is None and seen else Freshness.NEVER
        if interval is not None:
            state = freshness(maybe_instant(seen), at, interval)
        found[row.source] = SourceRow(
            source=row.source,
            door=row.door,
            feeds=tuple(feeds.get(row.source, ())),
            last_at=maybe_instant(row.last_at),
            accepted=row.accepted,
            known=row.known,
            rejected=row.rejected,
            accepted_24h=recent.get(row.source, (0, 0))[0],
            rejected_24h=recent.get(row.source, (0, 0))[1],
            interval_s=interval.total_seconds() if interval else None,
            freshness=state.value,
            error=row.error,
            behind_s=behind.get(row.config),
        )
    for name, config in configured.items():
        if name not in found and config.type != "mqtt":
            found[name] = SourceRow(
                source=name,
                door=config.type,
                feeds=(config.feed,) if config.feed else (),
                last_at=None,
                accepted=0,
                known=0,
                rejected=0,
                accepted_24h=0,
                rejected_24h=0,
                interval_s=config.interval.total_seconds() if config.interval else None,
                freshness=Freshness.NEVER.value,
                error=None,
                behind_s=None,
            )
    worst = ("stale", "never", "late", "fresh")
    return tuple(sorted(found.values(), key=lambda s: (s.error is None, worst.index(s.freshness), s.source)))


def _reject_row(row: sa.Row[tuple[object, ...]]) -> RejectRow:
    return RejectRow(
        id=row.id,
        source=row.source,
        feed=row.feed,
        door=row.door,
        place=row.place,
        first_at=instant(row.first_at),
        last_at=instant(row.last_at),
        times=row.times,
        reason=row.reason,
        field=row.field,
        detail=row.detail,
        replayed_at=maybe_instant(row.replayed_at),
        raw=row.raw,
    )


def view(conn: Connection, settings: Settings, at: datetime, chosen: int | None = None) -> SourcesView:
    """The sources page: sources, rejects by reason (not yet replayed), the newest 50 rejects."""
    waiting = reject.c.replayed_at.is_(None)
    by_reason = sa.select(reject.c.reason, sa.func.sum(reject.c.times).label("n")).where(waiting)
    newest = sa.select(reject).where(waiting).order_by(reject.c.last_at.desc(), reject.c.id.desc()).limit(50)
    one = conn.execute(sa.select(reject).where(reject.c.id == chosen)).first() if chosen is not None else None
    return SourcesView(
        sources=source_rows(conn, settings, at),
        reasons=tuple(
            Count(label=reason, count=int(n))
            for reason, n in conn.execute(
                by_reason.group_by(reject.c.reason).order_by(sa.desc("n"), reject.c.reason)
            )
        ),
        rejects=tuple(_reject_row(row) for row in conn.execute(newest)),
        chosen=None if one is None else _reject_row(one),
        asked=chosen,
    )


def rejects_of(conn: Connection, opd: str) -> tuple[Count, ...]:
    """How many records of one OPD wait for mending, by reason, most first."""
    r = reject.c
    query = sa.select(r.reason, sa.func.sum(r.times).label("n")).where(r.opd == opd, r.replayed_at.is_(None))
    found = conn.execute(query.group_by(r.reason).order_by(sa.desc("n"), r.reason))
    return tuple(Count(label=reason, count=int(n)) for reason, n in found)


def silent(rows: tuple[SourceRow, ...]) -> int:
    """How many sources fail, or were not heard for three expected intervals."""
    return sum(1 for s in rows if s.error is not None or s.freshness == Freshness.STALE.value)


__all__ = [
    "reject",
    "rejects_of",
    "silent",
    "source_feed",
    "source_hour",
    "source_position",
    "source_rows",
    "source_state",
    "view",
]
