"""The embedded broker: MQTT 3.1.1, QoS 0 and 1, in a thread of ingest; nothing is kept on disk.

It makes up for its memory being lost with the process: a publisher gets its PUBACK only after the
guarded client (ingest) has acknowledged the message, that is after the record is committed. What
is unacknowledged when the process dies is still with its publisher, who sends it again. QoS 2 is
taken from publishers in the same way and delivered as QoS 1.
"""

from __future__ import annotations

import asyncio
import errno
import threading

from ingest.broker.core import Core, is_loopback
from ingest.broker.link import Link
from kpis.config import BrokerSettings
from kpis.errors import ConfigError


class EmbeddedBroker:
    """`start` returns when connections are accepted; `stop` closes them all. Loopback may be anonymous.

    `guarded` is the client whose acknowledgement a publisher waits for, and without whose first
    subscription nobody else is let in: what is published while ingest is still starting is not lost.
    None (no MQTT source is configured) guards nothing.
    """

    def __init__(self, settings: BrokerSettings, guarded: str | None = None) -> None:
        self._settings = settings
        self._guarded = guarded
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)
        self._started = threading.Event()
        self._stop = asyncio.Event()
        self._failure: OSError | None = None

    def start(self) -> None:
        """Raises ConfigError when the address is taken, not ours, or open to strangers without a password."""
        settings = self._settings
        if not is_loopback(settings.host) and not (settings.username and settings.password):
            raise ConfigError(
                "broker.url",
                f"the embedded broker on {settings.host} would be open to everybody",
                f'write "embedded://user@{settings.host}:{settings.port}" and set PENDOPO_BROKER_PASSWORD',
            )
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            self._thread.join()
            raise _why(settings, self._failure) from self._failure

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(5)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._started.set()
            self._loop.close()

    async def _serve(self) -> None:
        core = Core(self._settings, self._guarded)
        try:
            server = await self._loop.create_server(
                lambda: Link(core), self._settings.host, self._settings.port, backlog=512
            )
        except OSError as error:
            self._failure = error
            return
        self._started.set()
        sweeper = self._loop.create_task(core.sweep())
        await self._stop.wait()
        sweeper.cancel()
        server.close()
        core.close()
        await asyncio.sleep(0.05)


def _why(settings: BrokerSettings, error: OSError) -> ConfigError:
    where = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return ConfigError(
            "broker.url",
            f"{where} is in use by another program",
            f'stop it, write another port, or use that broker: "mqtt://{where}"',
        )
    return ConfigError(
        "broker.url",
        f"{where}: {error.strerror}",
        'use an address of this machine: "embedded://127.0.0.1:1883"',
    )
