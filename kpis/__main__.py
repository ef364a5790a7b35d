"""`./run kpis [--json] [--opd CODE] [--at TIME] [--list]`: the readings, for people and machines."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from kpis import catalogue, readings
from kpis.config import Settings, load
from kpis.errors import PendopoError
from kpis.store import open_store
from kpis.types import Freshness, Reading, Unit


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time; write it like 2026-08-17T09:00:00+07:00"
        ) from None
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no offset; add one, such as +07:00 or Z")
    return at


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run kpis", description="The readings, computed from the facts.")
    parser.add_argument("--json", action="store_true", help="print the list of the contract")
    parser.add_argument("--opd", metavar="CODE", help="one OPD instead of the city and all OPD")
    parser.add_argument("--at", metavar="TIME", type=_moment, help="as it was then (RFC 3339 with an offset)")
    parser.add_argument("--list", action="store_true", help="list the KPI keys")
    parser.add_argument("--config", metavar="FILE", help="another config.toml")
    return parser.parse_args(argv)


def _chosen(found: dict[readings.Key, Reading], opd: str | None) -> list[Reading]:
    rows = [r for (_, code), r in found.items() if opd is None or code == opd]
    order = list(catalogue.catalogue())
    return sorted(rows, key=lambda r: (r.opd is not None, r.opd or "", order.index(r.kpi)))


def _spelled(r: Reading) -> str:
    if r.value is None:
        value = "-"
    elif r.unit is Unit.SHARE:
        value = f"{r.value:.1%}"
    else:
        value = f"{r.value:,.1f}" if r.value % 1 else f"{r.value:,.0f}"
    return f"{r.opd or 'city':16} {r.kpi:40} {value:>10}  {r.severity.value:10} {r.freshness.value}"


def run(settings: Settings, args: argparse.Namespace) -> int:
    """Prints the readings; 2 when the OPD is not one of the city's."""
    codes = {opd.code for opd in settings.city.opds}
    if args.opd is not None and args.opd not in codes:
        known = ", ".join(sorted(codes))
        print(f"--opd: {args.opd!r} is not an OPD of {settings.city.name}; use {known}", file=sys.stderr)
        return 2
    with open_store(settings) as store, store.read() as conn:
        found = readings.as_of(conn, settings, args.at or settings.clock.now())
    rows = _chosen(found, args.opd)
    if args.json:
        print(json.dumps([r.as_json() for r in rows], indent=1))
    else:
        print("\n".join(_spelled(r) for r in rows))
    if all(r.freshness is Freshness.NEVER for r in found.values()):
        print(_empty(settings, args.at), file=sys.stderr)
    return 0


def _empty(settings: Settings, at: datetime | None) -> str:
    """Why there is nothing to see, for somebody who asked the wrong store."""
    demo = Path("var/demo/config.toml")
    if at is None and not settings.is_demo and demo.is_file():
        return f"{settings.path} has no records yet; the demo's city is another: --config {demo}"
    return f"{settings.city.name} has no records{' from that time' if at else ' yet'}"


def main(argv: Sequence[str] | None = None) -> int:
    args = _arguments(argv)
    if args.list:
        for kpi in catalogue.catalogue().values():
            print(f"{kpi.key:40} {kpi.domain.value:18} {kpi.title}")
        return 0
    try:
        settings = load(args.config)
        catalogue.check(settings)
        return run(settings, args)
    except PendopoError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` closes the pipe, and that is no error
    raise SystemExit(main())
