"""The one `now`. Everything that asks the time asks a clock it was given, so a test can freeze it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Clock:
    """The city's clock: real time, or (in the pretend city) time that runs `speed` times as fast.

    At real instant `real` the city's clock shows `city`. Both are aware.
    """

    real: datetime | None = None
    city: datetime | None = None
    speed: float = 1.0

    def now(self) -> datetime:
        """The present instant of the city, in UTC."""
        return self.at(datetime.now(UTC))

    def at(self, real: datetime) -> datetime:
        """What the city's clock shows at a real instant."""
        if self.real is None or self.city is None:
            return real
        return self.city + (real - self.real) * self.speed

    def span(self, real: timedelta) -> timedelta:
        """How long a real span is by the city's clock."""
        return real * self.speed
