"""What dies is started again, and said; what waits, waits longer each time."""

from __future__ import annotations

import logging
import threading

import pytest

from ingest.sources.sink import Backoff, Health, take_when_possible
from ingest.supervise import Supervised
from kpis.errors import ConfigError, SourceError
from tests.sources.recorder import Recorder, eventually


class Part:
    """Dies of `error`, or works until it is stopped when there is none."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.stopped = False

    def run(self, stop: threading.Event) -> None:
        if self.error is not None:
            raise self.error
        stop.wait()
        self.stopped = True


@pytest.mark.parametrize("error", [SourceError("sp4n: hilang"), ZeroDivisionError("salah hitung")])
def test_a_part_that_dies_is_started_again_and_noted(error: Exception) -> None:
    parts = [Part(error), Part(None)]
    made: list[Part] = []
    sink = Recorder()

    def make() -> Part:
        made.append(parts[len(made)])
        return made[-1]

    running = Supervised("sp4n", make, (Health(sink, "sp4n", "database"),))
    running.start()
    eventually(lambda: len(made) == 2)
    running.ask_to_stop()
    assert running.join(5)
    assert parts[1].stopped
    assert str(error) in sink.errors[0]
    assert sink.errors[0].endswith("starting it again")


def test_a_part_that_cannot_be_made_stops_the_start() -> None:
    def make() -> Part:
        raise ConfigError("broker.ca_file", "cannot be used")

    with pytest.raises(ConfigError):
        Supervised("mqtt", make)


def test_waits_double_up_to_a_bound_and_begin_again() -> None:
    backoff = Backoff(0.5, 3.0)
    assert [backoff.span() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    backoff.reset()
    assert backoff.span() == 0.5


def test_an_outage_is_logged_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    sink = Recorder()
    health = Health(sink, "sp4n", "database")
    for _ in range(5):
        health.ill("tidak menjawab")
    for _ in range(5):
        health.well()
    assert [record.message for record in caplog.records] == ["sp4n: tidak menjawab", "sp4n: well again"]
    assert sink.notes == [("sp4n", "database", "tidak menjawab"), ("sp4n", "database", None)]


def test_a_batch_is_tried_until_the_store_is_back_or_the_source_stops() -> None:
    sink, stop = Recorder(), threading.Event()
    sink.away = True
    threading.Timer(0.5, lambda: setattr(sink, "away", False)).start()
    outcome = take_when_possible(sink, [], None, stop)
    assert outcome is not None
    assert sink.tried > 1
    sink.away = True
    stop.set()
    assert take_when_possible(sink, [], None, stop) is None
