"""How often somebody may ask: a bucket per asker, that fills with time and is emptied by asking."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable


class Limit:
    """`burst` at once, then one every `every` seconds, for each of at most `keep` askers remembered."""

    def __init__(
        self, burst: int, every: float, *, keep: int = 1000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._every = every
        self._keep = keep
        self._clock = clock
        # For each asker the moment until which it has used up what it gets.
        self._until: OrderedDict[str, float] = OrderedDict()

    def allows(self, asker: str) -> bool:
        """Whether this one may be served; it counts only when it is."""
        now = self._clock()
        until = max(self._until.get(asker, now), now)
        if until - now > (self._burst - 1) * self._every:
            return False
        self._until[asker] = until + self._every
        self._until.move_to_end(asker)
        while len(self._until) > self._keep:
            self._until.popitem(last=False)
        return True
