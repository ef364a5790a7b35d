"""The city speaking, live: MQTT records, rows in the OPD database, and its web server.

What has been said up to which moment is written down only after the broker took it, and every
record is a function of the seed and its moment: after any stop the city goes on where it was, and
says at most what it said before.
"""

from __future__ import annotations

import argparse
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from ingest.demo import apps, people, requests, systems, wrong
from ingest.demo.city import City, found
from ingest.demo.days import HOUR
from ingest.demo.opd_database import OpdDatabase
from ingest.demo.state import State
from ingest.demo.web import Web
from kpis.config import Settings, load

log = logging.getLogger(__name__)

Said = tuple[str, bytes]
"""A topic and a payload."""

_TURN_S = 0.5
_DETAIL = 6 * HOUR
_MOST = 14 * 24 * HOUR
_TAKEN_WITHIN_S = 30.0
_WINDOW = 500
_BUDGET_S = 600.0


def events(city: City, start: float, end: float, live_from: float) -> Iterator[Said]:
    """Everything the city says by MQTT about (start, end]."""
    for request, record in requests.changes(city, start, end):
        yield f"city/v1/service_request/{request.source}", record
    fine = max(start, end - _DETAIL)
    if start < fine:
        for record in apps.checks(city, start, fine, apps.ROUGH_S, live_from):
            yield "city/v1/uptime_check/pemantau", record
    for record in apps.checks(city, fine, end, apps.CHECK_S, live_from, probed=False):
        yield "city/v1/uptime_check/pemantau", record
    for day in city.days.span(city.days.of(start), city.days.of(end)):
        for record in people.clocks(city, day, start, end):
            yield "city/v1/attendance/presensi", record
    for link, run in systems.runs(city, start, end, live_from):
        if not link.by_database:
            yield "city/v1/sync_run/splp", systems.sync_record(run)
    yield from wrong.records(city, start, end)


class Mouth:
    """Publishes and waits until the broker has taken it."""

    def __init__(self, settings: Settings) -> None:
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id="kota-contoh", clean_session=False, protocol=paho.MQTTv311
        )
        self._client.max_inflight_messages_set(_WINDOW)
        self._client.max_queued_messages_set(0)
        self._client.connect_async(settings.broker.host, settings.broker.port, 30)
        self._client.reconnect_delay_set(1, 5)
        self._client.loop_start()

    def say(self, said: Iterator[Said], stop: threading.Event) -> bool:
        """True when everything was taken; False when it has to be said again."""
        if not self._client.is_connected():
            return False
        waiting: list[paho.MQTTMessageInfo] = []
        for topic, payload in said:
            waiting.append(self._client.publish(topic, payload, qos=1))
            if len(waiting) >= _WINDOW and not self._taken(waiting, stop):
                return False
        return self._taken(waiting, stop)

    def _taken(self, waiting: list[paho.MQTTMessageInfo], stop: threading.Event) -> bool:
        end = time.monotonic() + _TAKEN_WITHIN_S
        for info in waiting:
            try:
                while not info.is_published():
                    if stop.is_set() or time.monotonic() > end:
                        return False
                    info.wait_for_publish(0.5)
            except (ValueError, RuntimeError):
                # The connection went; paho keeps what it was given, and all of it is said again.
                return False
        waiting.clear()
        return True

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Speaker:
    """Says what happened since the last time, again and again."""

    def __init__(
        self, city: City, state: State, mouth: Mouth, offices: OpdDatabase, now: Callable[[], float]
    ) -> None:
        self._city = city
        self._state = state
        self._mouth = mouth
        self._offices = offices
        self._now = now

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.turn(stop)
            stop.wait(_TURN_S)

    def turn(self, stop: threading.Event) -> None:
        """One round: the offices' rows first, then what goes by MQTT, then the note of how far."""
        state = self._state
        start, end = max(state.spoken, self._now() - _MOST), self._now()
        if end <= start:
            return
        self._offices.fill(start, end, state.began)
        if start // _BUDGET_S != end // _BUDGET_S:
            self._offices.touch_budget(end)
            self._offices.touch_road_map(end)
        if self._mouth.say(events(self._city, start, end, state.began), stop):
            state.spoken = end
            state.save()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="ingest.demo.speak", description="Let the pretend city speak.")
    parser.add_argument("--config", required=True, metavar="FILE", help="the demo's own config.toml")
    parser.add_argument("--web-port", required=True, type=int, help="where some of its applications live")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    settings = load(args.config)
    folder = Path(args.config).absolute().parent
    state = State.load(folder)
    city = found(settings, settings.clock.now().date())

    def now() -> float:
        return settings.clock.now().timestamp()

    web = Web(city, args.web_port, now, state.began)
    web.start()
    mouth = Mouth(settings)
    try:
        Speaker(city, state, mouth, OpdDatabase(folder / "opd.db", city), now).run(stop)
    finally:
        mouth.close()
        web.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
