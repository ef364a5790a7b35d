"""`./run ingest`: every configured source, the evaluator and, if configured, the embedded broker.

Prints "ingest ready" when records can come in; ends in order on SIGTERM and Ctrl-C: sources first,
with what they hold committed, the broker last.
"""

from __future__ import annotations

import argparse
import fcntl
import logging
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ingest.broker import EmbeddedBroker
from ingest.evaluate import Evaluator
from ingest.pipeline import Pipeline
from ingest.retention import Retention
from ingest.sources.database import DatabaseSource
from ingest.sources.file import FileSource
from ingest.sources.mqtt import MqttSource
from ingest.sources.probe import ProbeSource
from ingest.sources.sink import Health, Sink, Source
from ingest.supervise import Supervised
from kpis.app_uptime.inventory import inventory
from kpis.config import Application, Settings, SourceSettings, load
from kpis.errors import ConfigError, PendopoError, SourceError
from kpis.store import Store, open_store

log = logging.getLogger(__name__)

_SUBSCRIBED_WITHIN_S = 5.0
_STOP_WITHIN_S = 8.0
# The thread that writes comes back from the store some twenty times a batch, and would wait Python's
# 5 ms each time for the one that judges: a tenth fewer records a second.
_TURN_S = 0.001


def main(argv: Sequence[str] | None = None) -> int:
    """Blocks until a signal. 0 after an orderly end; 2 with one line on stderr when it cannot start."""
    parser = argparse.ArgumentParser(prog="run ingest", description="Run the sources and the evaluator.")
    parser.add_argument("--config", metavar="FILE", help="another config.toml")
    parser.add_argument(
        "--worker", metavar="NAME", type=_worker, help="one more, that takes only MQTT messages"
    )
    parser.add_argument(
        "--leave", action="store_true", help="take what the worker's session holds, and end it"
    )
    args = parser.parse_args(argv)
    if args.leave and args.worker is None:
        parser.error("--leave needs --worker NAME")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    sys.setswitchinterval(_TURN_S)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = load(args.config)
        if args.worker is not None and not any(source.type == "mqtt" for source in settings.sources):
            raise ConfigError("source", "none is of type mqtt", "a worker takes MQTT messages only; add one")
        if args.leave:
            leave(settings, args.worker, stop)
        else:
            run(settings, stop, args.worker)
    except PendopoError as error:
        print(" ".join(str(error).split()), file=sys.stderr)  # a library may have said it in several lines
        return 2
    return 0


def _worker(name: str) -> str:
    """A worker's name, which becomes part of its MQTT client identifier."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", name):
        raise argparse.ArgumentTypeError(f"{name!r} is not 1 to 32 letters, digits, - or _")
    return name


def run(settings: Settings, stop: threading.Event, worker: str | None = None) -> None:
    """Runs ingest, or one more worker beside it, until `stop`. Raises PendopoError when it cannot start."""
    with _alone(settings), open_store(settings) as store:
        pipeline = Pipeline(store, settings, settings.clock.now)
        mqtt = _mqtt(settings, pipeline, worker)
        sources = [mqtt[0]] if mqtt else []
        if worker is None:
            sources += _others(settings, store, pipeline)
        if settings.retention:
            sources.append(Supervised("retention", lambda: Retention(store, settings, settings.clock.now)))
        now = settings.clock.now
        judging = Supervised("evaluator", lambda: Evaluator(store, settings, now, lambda: pipeline.taken))
        broker = _broker(settings)
        if broker is not None:
            broker.start()
        try:
            for part in (*sources, judging):
                part.start()
            if mqtt is not None and not mqtt[1].wait(_SUBSCRIBED_WITHIN_S):
                log.warning("the broker does not answer yet; it is tried for as long as it takes")
            print("ingest ready", flush=True)
            stop.wait()
        finally:
            _end(sources, judging, broker)


def leave(settings: Settings, worker: str, stop: threading.Event) -> None:
    """Empties a worker's session into the store and has the broker forget it.

    Raises PendopoError when `stop` came first, and when the broker has no session of that worker.
    """
    with open_store(settings) as store:
        now = settings.clock.now
        source = MqttSource(settings, Pipeline(store, settings, now), now, worker=worker, leaving=True)
        source.run(stop)
    if not source.left:
        raise SourceError(f"worker {worker} was stopped before its session was empty; let it leave again")
    if not source.known:
        raise SourceError(
            f"--worker {worker}: the broker holds no session of that worker; name one that was started"
        )
    print(f"worker {worker} has left", flush=True)


def _mqtt(settings: Settings, sink: Sink, worker: str | None) -> tuple[Supervised, threading.Event] | None:
    """The one client for all mqtt sources, and what is set once it has subscribed."""
    names = [source.name for source in settings.sources if source.type == "mqtt"]
    if not names:
        return None
    ready = threading.Event()
    healths = tuple(Health(sink, name, "mqtt") for name in names)
    now = settings.clock.now
    return Supervised("mqtt", lambda: MqttSource(settings, sink, now, ready, worker), healths), ready


def _others(settings: Settings, store: Store, sink: Sink) -> list[Supervised]:
    """A thread for each source that reads by itself."""
    found = []
    for source in settings.sources:
        if source.type == "mqtt":
            continue
        health = Health(sink, source.name, source.type)
        found.append(Supervised(source.name, partial(_source, source, settings, store, sink), (health,)))
    return found


def _source(source: SourceSettings, settings: Settings, store: Store, sink: Sink) -> Source:
    now = settings.clock.now
    if source.type == "database":
        return DatabaseSource(source, sink, now, settings.path.parent)
    if source.type == "file":
        return FileSource(source, sink, now)
    return ProbeSource(source, sink, now, partial(_inventory, store, settings))


def _inventory(store: Store, settings: Settings) -> tuple[Application, ...]:
    with store.read() as conn:
        return inventory(conn, settings)


def _broker(settings: Settings) -> EmbeddedBroker | None:
    """The embedded broker, if it is configured; it waits for ingest's acknowledgement before its own."""
    if not settings.broker.embedded:
        return None
    listens = any(source.type == "mqtt" for source in settings.sources)
    return EmbeddedBroker(settings.broker, settings.broker.client_id if listens else None)


def _end(sources: Sequence[Supervised], judging: Supervised, broker: EmbeddedBroker | None) -> None:
    """Sources first, then the evaluator, then the broker their acknowledgements went to."""
    end = time.monotonic() + _STOP_WITHIN_S
    for part in sources:
        part.ask_to_stop()
    late = [part.name for part in sources if not part.join(end - time.monotonic())]
    judging.ask_to_stop()
    if not judging.join(end - time.monotonic() + 1):
        late.append(judging.name)
    if broker is not None:
        broker.stop()
    if late:
        log.warning("did not end in time: %s; nothing they acknowledged is lost", ", ".join(late))


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """The embedded store has one ingest: a second would fight for the broker's session and every write."""
    if not settings.store.embedded:
        yield
        return
    path = Path(settings.store.url.removeprefix("sqlite:///") + ".ingest")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise ConfigError(
            "store.url", f"{path.parent} cannot be written: {error.strerror}", "choose another folder"
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(
                "store.url",
                f"another ingest already works on {path.with_suffix('')}",
                "stop it, or move to PostgreSQL",
            ) from None
        yield


if __name__ == "__main__":
    raise SystemExit(main())
