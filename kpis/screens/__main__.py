"""`./run screen list | enrol CODE NAME | revoke NAME|ID`: the devices that may show a wall page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from kpis.config import Settings, load
from kpis.errors import PendopoError
from kpis.screens import enrolment
from kpis.screens.codes import typed
from kpis.screens.health import screen_rows
from kpis.screens.state import ScreenRow
from kpis.store import Store, open_store

_NOT_CONFIGURED = "no screen is enrolled; on the new screen open /screen, then ./run screen enrol CODE NAME"


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run screen", description="Devices that show a wall page.")
    parser.add_argument("--config", metavar="FILE", help="another config.toml")
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("list", help="every configured screen, what it does and when it was last heard")
    enrol = what.add_parser("enrol", help="give the code a new screen shows to a configured screen")
    enrol.add_argument("code", help="the six letters and digits on the screen; blanks and case do not matter")
    enrol.add_argument("name", help="the name of a [[screen]]")
    revoke = what.add_parser("revoke", help="take a screen's token; it shows a new code within seconds")
    revoke.add_argument("which", metavar="NAME|ID", help="the screen's name, or its device's id")
    return parser.parse_args(_joined(argv))


def _joined(argv: Sequence[str] | None) -> list[str]:
    """A code typed in two halves, as it stands on the screen, is one argument."""
    words = list(sys.argv[1:] if argv is None else argv)
    for place in range(len(words) - 2):
        both = words[place + 1] + words[place + 2]
        if words[place] == "enrol" and len(words[place + 1]) == 3 and typed(both):
            return [*words[: place + 1], both, *words[place + 3 :]]
    return words


def _enrol(settings: Settings, store: Store, code: str, name: str) -> None:
    with store.write() as conn:
        enrolment.assign(conn, settings, settings.clock.now(), code, name)
    print(f"{name}: the screen that shows {code.upper()} becomes it within seconds")


def _revoke(settings: Settings, store: Store, which: str) -> None:
    with store.write() as conn:
        name = enrolment.revoke(conn, settings.clock.now(), which)
    print(f"{name}: revoked; its device shows a new code within seconds")


def _list(settings: Settings, store: Store) -> None:
    at = settings.clock.now()
    with store.read() as conn:
        rows = screen_rows(conn, settings, at)
    for row in rows:
        print(_line(row, at.timestamp()))
    if all(row.device is None for row in rows):
        print(_NOT_CONFIGURED, file=sys.stderr)


def _line(row: ScreenRow, now: float) -> str:
    heard = "-" if row.heard_at is None else f"{now - row.heard_at.timestamp():,.0f} s ago"
    size = "-" if row.width is None else f"{row.width}x{row.height}"
    return (
        f"{row.name:20} {row.device or '-':8} {row.state.value:8} heard {heard:14} "
        f"{row.page or '-':18} {size:11} {row.build or '-':12}  {row.place or ''}"
    ).rstrip()


def main(argv: Sequence[str] | None = None) -> int:
    asked = _arguments(argv)
    try:
        settings = load(asked.config)
        with open_store(settings) as store:
            if asked.what == "enrol":
                _enrol(settings, store, asked.code, asked.name)
            elif asked.what == "revoke":
                _revoke(settings, store, asked.which)
            else:
                _list(settings, store)
    except PendopoError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
