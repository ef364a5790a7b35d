"""`./run migrate [--config FILE] [--check]`: brings the store of an earlier release to the present schema."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from kpis.config import load
from kpis.errors import PendopoError
from kpis.migrations import found_in, migrate
from kpis.schema import SCHEMA, refuse_newer


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the store is at the present schema; 1 with --check when it is not; 2 when it cannot be.

    130 when stopped by hand.
    """
    parser = argparse.ArgumentParser(
        prog="run migrate", description="Bring the store of an earlier release to the present schema."
    )
    parser.add_argument("--check", action="store_true", help="only say what would be done; 1 if anything")
    parser.add_argument("--config", metavar="FILE", help="another config.toml")
    args = parser.parse_args(argv)
    try:
        settings = load(args.config)
        if args.check:
            return _check(found_in(settings))
        done = migrate(settings, lambda line: print(line, flush=True))
    except PendopoError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped: the store is as it was; run it again", file=sys.stderr)
        return 130
    if done.found == done.now:
        print(f"the store has schema {done.now}; nothing to do")
    elif done.found is None:
        print(f"the store was empty: made with schema {done.now}")
    else:
        print(f"schema {done.found} → {done.now} in {done.seconds:.1f} s")
    return 0


def _check(found: int | None) -> int:
    refuse_newer(found)
    if found is None:
        print("the store is empty; the first start makes it")
        return 0
    if found < SCHEMA:
        print(f"the store has schema {found}, this release needs {SCHEMA}: back it up, then ./run migrate")
        return 1
    print(f"the store has schema {found}; nothing to do")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
