"""Where the OPD stand among each other, by targets met. Pure functions of readings.

A place is fair only among what is known: a stale reading, one without a target and one that rests on a
handful of cases leave the count, and an OPD of which too little is left has no place at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from kpis.types import Freshness, Reading, Severity, Unit

FEW_CASES = 10
"""Below this many cases a share or a median says more about chance than about an OPD."""
FEW_FIGURES = 5
"""Below this many judged figures an OPD is not ranked."""

_JUDGED = (Severity.ON_TARGET, Severity.WATCH, Severity.ACT)
Judged = Mapping[str, Severity]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One OPD among `of` ranked ones. `place` is None for one that cannot be ranked fairly.

    Those who met the same share of their targets have the same place, and `tied` counts the others.
    `gained` is how many more of `compared` targets it meets than a month ago; None without a past.
    """

    opd: str
    met: int
    judged: int
    place: int | None = None
    of: int = 0
    tied: int = 0
    gained: int | None = None
    compared: int = 0

    @property
    def share(self) -> Fraction:
        return Fraction(self.met, self.judged) if self.judged else Fraction(0)

    @property
    def quarter(self) -> int | None:
        """1 is the best quarter of those ranked, 4 the last."""
        return None if self.place is None else (self.place - 1) * 4 // self.of + 1


def few_cases(reading: Reading) -> bool:
    """Whether a share, a median or a percentile stands on fewer cases than can be judged fairly."""
    counted = reading.unit is not Unit.COUNT and reading.denominator is not None
    return counted and (reading.denominator or 0) < FEW_CASES


def counts(reading: Reading) -> bool:
    """Whether a reading is judged, current, and stands on enough cases to be compared."""
    current = reading.freshness in (Freshness.FRESH, Freshness.LATE)
    return current and reading.severity in _JUDGED and not few_cases(reading)


def ranked(
    by_opd: Mapping[str, Iterable[Reading]], before: Mapping[str, Judged] | None = None
) -> tuple[Place, ...]:
    """Every OPD of `by_opd`, best first; those without a place stand last.

    `before` holds what each OPD's figures were judged a month ago, by KPI key.
    """
    rows = [
        _row(opd, [r for r in found if counts(r)], (before or {}).get(opd, {}))
        for opd, found in by_opd.items()
    ]
    fair = sorted((r for r in rows if r.judged >= FEW_FIGURES), key=lambda r: (-r.share, -r.judged, r.opd))
    placed = [
        Place(
            opd=row.opd, met=row.met, judged=row.judged, of=len(fair),
            gained=row.gained, compared=row.compared, place=1 + sum(one.share > row.share for one in fair),
            tied=sum(one.share == row.share for one in fair) - 1,
        )
        for row in fair
    ]  # fmt: skip
    return (*placed, *sorted((r for r in rows if r.judged < FEW_FIGURES), key=lambda r: r.opd))


def _row(opd: str, found: Sequence[Reading], before: Judged) -> Place:
    both = [r for r in found if before.get(r.kpi) in _JUDGED]
    gained = None
    if len(both) >= FEW_FIGURES:
        gained = sum(_met(r.severity) - _met(before[r.kpi]) for r in both)
    return Place(
        opd=opd,
        met=sum(_met(r.severity) for r in found),
        judged=len(found),
        gained=gained,
        compared=len(both),
    )


def _met(severity: Severity) -> int:
    return int(severity is Severity.ON_TARGET)


def best(places: Sequence[Place]) -> tuple[Place, ...]:
    """Those in the first place, all of them where several share it."""
    return tuple(p for p in places if p.place == 1)


def most_improved(places: Sequence[Place]) -> tuple[Place, ...]:
    """Those who gained most since a month ago, all of them where several did; none when nobody gained."""
    gains = [p.gained for p in places if p.place is not None and p.gained is not None and p.gained > 0]
    most = max(gains, default=0)
    return tuple(p for p in places if p.place is not None and p.gained == most) if most else ()
