"""`python -m dashboard`: serves the pages of the configured city."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path

from kpis.config import Settings, load
from kpis.errors import PendopoError


def main(arguments: list[str] | None = None) -> int:
    """Serves until told to stop. 0 after a clean end, 2 when it cannot start as configured."""
    asked = _parser().parse_args(arguments)
    # A service manager ends a service with SIGTERM; it is to end as cleanly as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        settings = load(asked.config)
        port = settings.web.port if asked.port is None else asked.port
        run(settings, asked.host or settings.web.host, port)
    except PendopoError as error:
        print(f"dashboard: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


def run(settings: Settings, host: str, port: int) -> None:
    """Opens the store, takes the address and serves. Raises PendopoError when it cannot start."""
    from dashboard.app import Dashboard
    from dashboard.server import address_of, bind, serve
    from dashboard.tables import Tables
    from kpis.announce import Listener
    from kpis.catalogue import check
    from kpis.store import open_store
    from layouts.pages import PAGES

    check(settings)
    taken = bind(host, port)
    with taken, open_store(settings) as store:
        dashboard = Dashboard(settings, Tables(settings, store), Listener(store), PAGES)
        serve(dashboard, taken, lambda: print(f"Pendopo: {address_of(taken)}", flush=True))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dashboard", description="Serves Pendopo's pages.")
    parser.add_argument("--config", type=Path, help="the settings (./config.toml, or $PENDOPO_CONFIG)")
    parser.add_argument("--host", help="address to listen on (web.host)")
    parser.add_argument("--port", type=int, help="port to listen on (web.port)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
