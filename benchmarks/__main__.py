"""`./run bench NAME`: measures, and prints one JSON object on stdout; what it is doing goes to stderr.

Every benchmark is a module of this folder with a `run(argv)` that returns the object's keys.
"""

from __future__ import annotations

import importlib
import json
import sys

from benchmarks.machine import machine

NAMES = ("ingest", "faults", "growth", "live", "soak", "pages", "database")


def main(argv: list[str]) -> int:
    usage = f"usage: run bench {{{','.join(NAMES)}}} [options]"
    if argv and argv[0] in ("-h", "--help"):
        print(f"{usage}; each takes --help")
        return 0
    if not argv or argv[0] not in NAMES:
        print(usage, file=sys.stderr)
        return 2
    module = importlib.import_module(f"benchmarks.{argv[0]}")
    found = module.run(argv[1:])
    print(json.dumps({"benchmark": argv[0], **found, "machine": machine()}, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
