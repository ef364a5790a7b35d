"""From a topic to the configured sources it belongs to (contract.md, MQTT)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from paho.mqtt.client import topic_matches_sub

from ingest.arrivals import Arrival
from kpis.config import FEEDS, SourceSettings
from kpis.errors import ConfigError

_ROUTES_KEPT = 10_000
_Route = tuple[str, str, str | None]  # source, config, feed


class Topics:
    """The filters to subscribe to, and the arrivals a message makes.

    A source that names its feed goes before one that reads the feed from the topic; when several
    name one, each gets its own arrival, because each reads the payload with its own mapping.
    Raises ConfigError for a topic that is no filter.
    """

    def __init__(self, sources: Sequence[SourceSettings]) -> None:
        for source in sources:
            _check_filter(source)
        self._sources = sources
        self._routes: dict[bytes, tuple[str, tuple[_Route, ...]]] = {}
        self.names = tuple(source.name for source in sources)
        self.filters = tuple(dict.fromkeys(source.topic for source in sources if source.topic))

    def arrivals(self, topic: bytes, payloads: Sequence[bytes], at: datetime) -> list[Arrival]:
        """What messages of one topic make, one source after the other."""
        known = self._routes.get(topic)
        if known is None:
            if len(self._routes) >= _ROUTES_KEPT:
                self._routes.clear()
            place = topic.decode("utf-8", "replace")
            known = self._routes[topic] = place, self._find(place)
        place, routes = known
        return [
            Arrival(source, config, feed, payload, at, "mqtt", place)
            for source, config, feed in routes
            for payload in payloads
        ]

    def _find(self, topic: str) -> tuple[_Route, ...]:
        feed, name = _contract(topic)
        matching = [s for s in self._sources if s.topic and topic_matches_sub(s.topic, topic)]
        if not matching:
            # the session still holds a subscription of an earlier configuration
            config = self._sources[0].name
            return ((name or config, config, None),)
        named = [s for s in matching if s.feed is not None]
        if named:
            return tuple((name or s.name, s.name, s.feed) for s in named)
        return tuple((name or s.name, s.name, feed) for s in matching[:1])


def _check_filter(source: SourceSettings) -> None:
    """Raises ConfigError unless the wildcards stand as MQTT 3.1.1 has them (section 4.7.1)."""
    *above, last = (source.topic or "").split("/")
    wild = any("#" in level for level in above) or ("#" in last and last != "#")
    if wild or any("+" in level and level != "+" for level in (*above, last)):
        what = "+ stands for one whole level, # for all that follow, at the end"
        raise ConfigError(f"source.{source.name}.topic", f"is {source.topic!r}", what)


def _contract(topic: str) -> tuple[str | None, str | None]:
    """Feed and source of `city/v1/<feed>/<source>`; no feed when the contract does not know it."""
    levels = topic.split("/")
    if len(levels) != 4 or levels[:2] != ["city", "v1"] or not levels[3]:
        return None, None
    return (levels[2] if levels[2] in FEEDS else None), levels[3]
