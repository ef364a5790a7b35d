"""`./run bench growth`: whether pages and the evaluator cost the same after a hundred times as many facts.

A store is filled for each size, with the facts of all four domains in the proportion a city sends them,
and its roll-ups are made by `ingest.rebuild`. More facts are a longer past of the same small city (five
weeks, a year, eleven years); a second row has ninety days of an ever larger city. Timed is what the
dashboard does for a page, `Tables.read`, and what the evaluator does every ten seconds,
`Evaluator.cycle`, with the store as warm as one in service.

Keys of the result: `facts` the sizes as counted; `page_ms` the slowest page and `evaluate_ms` a cycle at
each; `growth` the largest ratio of any page or the cycle between the last size and the first, target
≤ 1.3, and `growth_of_quickest` that of the quickest turns, for a machine that does other things;
`growth_dense` the same for the larger city. `pages`, `evaluator` and `raw` hold every page,
every domain, and what asking the bare facts would cost. Sizes in `extrapolated` were not filled: each
figure goes on from the last decade as it grew in it. `elsewhere` is the share of the machine that other
processes took while it was timed.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.growth_city import Grown, grow, size_bytes
from benchmarks.growth_shape import Shape, denser, longer
from benchmarks.growth_times import Timed, Times, ask_facts, read_pages, run_evaluator
from benchmarks.processes import Elsewhere
from tests.keeper import Keeper
from tests.servers import Postgres

LARGEST = 20_000_000  # of what is filled; 10⁷ take four gigabytes
_DEFAULT = "100000,1000000,10000000"
_DENSE = "100000,1000000"
TARGET = 1.3


def run(argv: Sequence[str]) -> dict[str, object]:
    """The keys of the benchmark; times are medians in ms."""
    asked = _arguments(argv)
    sizes = sorted({int(part) for part in asked.facts.split(",")})
    filled = [size for size in sizes if size <= LARGEST]
    beyond = [size for size in sizes if size > LARGEST]
    if not filled:
        raise SystemExit(f"name a size of at most {LARGEST} facts too; larger ones go on from it")
    keeper = Keeper()
    try:
        place = _places(keeper, asked.store)
        found = _measured(place, longer, filled, beyond, asked)
        dense_sizes = sorted({int(part) for part in asked.dense.split(",") if part})
        thick = _measured(place, denser, dense_sizes, [], asked) if dense_sizes else {}
    finally:
        keeper.close()
    dense = {"growth_dense": thick.pop("growth"), "dense": thick} if thick else {}
    return {"store": asked.store, "rounds": asked.rounds, "target": TARGET, **found, **dense}


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run bench growth", description="Measure what more facts cost.")
    parser.add_argument("--store", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--facts", default=_DEFAULT, metavar="N,N,…", help=f"sizes ({_DEFAULT})")
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="timed turns, after a warm-up (9)")
    parser.add_argument(
        "--dense", default=_DENSE, metavar="N,N,…", help=f"of the larger city ({_DENSE}); none: ''"
    )
    parser.add_argument("--lock", type=Path, metavar="FILE", help="held while timing: benchmarks take turns")
    return parser.parse_args(argv)


def _note(text: str) -> None:
    print(f"growth: {text}", file=sys.stderr, flush=True)


def _places(keeper: Keeper, store: str) -> Callable[[], str]:
    """Each call gives the URL of an empty store."""
    if store == "postgresql":
        server = Postgres(keeper)
        # Filling should not wait for tidying, which is done at its end.
        for setting in ("autovacuum = off", "max_wal_size = '8GB'"):
            server.execute(f"ALTER SYSTEM SET {setting}")
        server.execute("SELECT pg_reload_conf()")
        return server.fresh
    return lambda: f"sqlite:///{keeper.subfolder('growth') / 'pendopo.db'}"


def _measured(
    place: Callable[[], str],
    shape_of: Callable[[int], Shape],
    sizes: Sequence[int],
    beyond: Sequence[int],
    asked: argparse.Namespace,
) -> dict[str, object]:
    cities: list[Grown] = []
    try:
        for size in sizes:
            _note(f"filling {shape_of.__name__} past of {size} facts")
            cities.append(grow(shape_of(size), place(), _note))
        with _turn(asked.lock):
            elsewhere = Elsewhere()
            pages = read_pages(cities, asked.rounds)
            cycles = run_evaluator(cities, asked.rounds)
            raw = ask_facts(cities, 1)
            share = round(elsewhere.share(), 2)
        return {**_result(cities, pages, cycles, raw, beyond), "elsewhere": share}
    finally:
        for city in cities:
            city.store.close()


@contextlib.contextmanager
def _turn(file: Path | None) -> Iterator[None]:
    if file is None:
        yield
        return
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _result(
    cities: Sequence[Grown], pages: Times, cycles: Times, raw: Times, beyond: Sequence[int]
) -> dict[str, object]:
    facts = [city.total for city in cities]
    sizes = [size_bytes(city) / 2**30 for city in cities]
    found: dict[str, object] = {
        "growth": growth(pages.median, cycles.median),
        "growth_of_quickest": growth(pages.quickest, cycles.quickest),
    }
    for size in beyond if len(cities) > 1 else ():
        for times in (*pages, *cycles, *raw):
            times.append(further(times[-2], times[-1], facts[-2], facts[-1], size))
        facts.append(size)
        sizes.append(sizes[-1] / facts[-2] * size)
    return {
        "facts": facts,
        "page_ms": [max(times.values()) for times in pages.median],
        "evaluate_ms": [times["cycle"] for times in cycles.median],
        **found,
        "extrapolated": facts[len(cities) :],
        "store_gib": [round(size, 2) for size in sizes],
        "past_days": [city.shape.days for city in cities],
        "facts_by_feed": [city.facts for city in cities],
        "fill_s": [round(city.fill_s + city.rebuild_s, 1) for city in cities],
        "pages": _columns(pages.median),
        "pages_quickest": _columns(pages.quickest),
        "evaluator": _columns(cycles.median),
        "evaluator_quickest": _columns(cycles.quickest),
        "raw": _columns(raw.median),
    }


def growth(pages: Sequence[Timed], cycles: Sequence[Timed]) -> float:
    """The largest ratio, of any page or the evaluator's cycle, of the last to the first."""
    ratios = [pages[-1][name] / ms for name, ms in pages[0].items()]
    return round(max(*ratios, cycles[-1]["cycle"] / cycles[0]["cycle"]), 3)


def further(before: Timed, last: Timed, facts_before: int, facts: int, size: int) -> Timed:
    """The times at `size` facts, each going on by the power of the facts it grew by between the last two."""
    found = {}
    for name, ms in last.items():
        power = math.log(ms / before[name]) / math.log(facts / facts_before)
        found[name] = round(ms * (size / facts) ** max(power, 0.0), 2)
    return found


def _columns(times: Sequence[Timed]) -> dict[str, list[float]]:
    return {name: [one[name] for one in times] for name in times[0]}
