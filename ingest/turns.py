"""Which domains the evaluator judges now: each rests for as long as judging it took.

A domain that is quick to judge is judged soon again and waits for a dear one at most once. While records
pour in, judging all of them together takes at most a tenth of the time; a change after a quiet time
never waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kpis.catalogue import Measured
from kpis.types import Domain

# Changes that come closer together than this are judged in one cycle.
GAP_S = 0.03
# Domains that take longer than this together are judged one after the other.
_TOGETHER_S = 0.06
# Records a second in this process from which on they pour in: they need the time themselves.
POURS = 3_000
_REST = 1.0
_REST_POURING = 9.0
_AT_MOST_S = 1.0
# A rate is measured over at least so long.
_SPAN_S = 0.2


class Turns:
    """Moments are those of `time.monotonic`; `at` is when the next turn may begin."""

    def __init__(self) -> None:
        self.at = 0.0
        self._due: dict[Domain, float] = {}
        self._cost: dict[Domain, float] = {}
        self._pouring = False
        self._counted = (0.0, 0)

    def choose(self, now: float, changed: Sequence[Measured]) -> list[Measured]:
        """Of the domains that changed those whose turn it is: the longest due first, as many as are quick."""
        due = {d.domain: self._due.get(d.domain, 0.0) for d in changed}
        ready = sorted((d for d in changed if due[d.domain] <= now), key=lambda d: due[d.domain])
        if self._pouring:
            return ready
        costs = [self._cost.get(d.domain, 0.0) for d in ready]
        return [d for place, d in enumerate(ready) if not place or sum(costs[: place + 1]) <= _TOGETHER_S]

    def had(self, now: float, costs: Mapping[Domain, float], spent: float) -> None:
        """These domains were judged, in `costs` seconds each; the turn ends now and took `spent`."""
        self.at = now + GAP_S
        if self._pouring:
            self.at = now + max(GAP_S, min(_REST_POURING * spent, _AT_MOST_S))
            return
        others = max(0.0, spent - sum(costs.values())) / max(1, len(costs))
        for domain, cost in costs.items():
            self._cost[domain] = cost
            self._due[domain] = now + min(_REST * (cost + others), _AT_MOST_S)

    def count(self, now: float, taken: int) -> None:
        """`taken` is how many records this process took in so far."""
        since, before = self._counted
        if now - since >= _SPAN_S:
            self._pouring = (taken - before) / (now - since) > POURS
            self._counted = (now, taken)
