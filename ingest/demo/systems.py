"""Systems of the pretend city's OPD: their interfaces and sync runs, and the budget chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ingest.demo.city import City
from ingest.demo.days import DAY, HOUR, stamp
from ingest.demo.seeds import chance, number
from ingest.demo.words import ACTIVITIES, INTERFACES, OBJECTS, SYSTEMS

EVERY_S = 3 * HOUR
CODES = 1500
CONNECT_EVERY = 13
"""Days between the dates by which one OPD after the other was to be connected."""
_STOP_DAYS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One interface. `kind`: good, partial (reference codes half matched), silent (registered only)."""

    place: int
    opd: str
    system: str
    interface: str
    kind: str

    @property
    def by_database(self) -> bool:
        """Whether its runs come through the sync log's database instead of the service bus."""
        return self.place % 2 == 1


_EARLY, _LAST_DAYS = 12, 88


@lru_cache(maxsize=4)
def _order(seed: int, codes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(codes[n] for n in chance(seed, "links").permutation(len(codes)))


def opd_order(city: City) -> tuple[str, ...]:
    """The OPD in the order in which the plan connects them; the last have the most left to do."""
    return _order(city.seed, city.codes)


def begins(city: City, opd: str, began: float) -> float:
    """The moment an OPD's interfaces began to sync: long ago for the first, within the last three months
    before the demo began for the others, 0 where no moment is known."""
    place = opd_order(city).index(opd) - _EARLY
    if place < 0 or not began:
        return 0.0
    late = max(len(city.codes) - _EARLY - 1, 1)
    return began - (_LAST_DAYS - place * (_LAST_DAYS - 4) / late) * DAY


@lru_cache(maxsize=4)
def _links(seed: int, codes: tuple[str, ...]) -> tuple[Link, ...]:
    draw = chance(seed, "links")
    draw.permutation(len(codes))  # what _order draws first
    found: list[Link] = []
    for rank, opd in enumerate(_order(seed, codes)):
        # Most OPD have both interfaces in order; a few one of two, a few none, two not even registered.
        kinds = ("good", "good") if rank < len(codes) - 6 else {
            0: ("good", "partial"), 1: ("good", "silent"), 2: ("partial",), 3: ("silent",),
        }.get(rank - (len(codes) - 6), ())  # fmt: skip
        for number_, kind in enumerate(kinds):
            system = SYSTEMS[int(draw.integers(len(SYSTEMS)))]
            interface = INTERFACES[(int(draw.integers(len(INTERFACES))) + number_) % len(INTERFACES)]
            found.append(
                Link(
                    place=len(found),
                    opd=opd,
                    system=system,
                    interface=f"{interface}-{number_ + 1}",
                    kind=kind,
                )
            )
    return tuple(found)


def links(city: City) -> tuple[Link, ...]:
    """Every registered interface, always in the same order."""
    return _links(city.seed, city.codes)


def _stopped(city: City, link: Link, moment: float) -> bool:
    """Some OPD's sync has always stopped for days without anybody noticing, until a screen shows it."""
    turn = int(moment // (_STOP_DAYS * DAY))
    struck = links(city)[number(city.seed, "stop", turn) % len(links(city))].opd
    into = moment - turn * _STOP_DAYS * DAY
    return link.opd == struck and into >= 0.5 * DAY


def run(city: City, link: Link, moment: float) -> dict[str, Any]:
    """The record of one sync run."""
    dice = number(city.seed, "run", link.place, int(moment))
    rows = 200 + dice % 4000
    bad = dice // 7 % 90 == 0
    record: dict[str, Any] = {
        "id": f"{link.opd}-{link.system}-{link.interface}-{int(moment)}",
        "opd": link.opd,
        "system": link.system,
        "interface": link.interface,
        "started_at": stamp(moment),
        "ok": not bad,
        "finished_at": stamp(moment + 5 + dice % 80),
    }
    if bad:
        return {
            **record,
            "error": ("koneksi ditolak", "batas waktu habis", "kredensial kedaluwarsa")[dice % 3],
        }
    missed = rows // 3 if link.kind == "partial" else dice % 9
    return {
        **record,
        "rows_read": rows,
        "rows_rejected": dice % 4,
        "data_as_of": stamp(moment - 600 - dice % 1800),
        "matched": rows - missed,
        "unmatched": missed,
    }


def runs(city: City, start: float, end: float, began: float = 0.0) -> Iterator[tuple[Link, dict[str, Any]]]:
    """Sync runs that have finished in (start, end]; each interface every three hours, from when its OPD
    was connected. `began` is when the demo did."""
    for link in links(city):
        if link.kind == "silent":
            continue
        first = begins(city, link.opd, began)
        offset = link.place * EVERY_S / len(links(city))
        turn = int((start - 120 - offset) // EVERY_S)
        while (moment := turn * EVERY_S + offset) <= end:
            turn += 1
            if moment < first or _stopped(city, link, moment):
                continue
            done = moment + 5 + number(city.seed, "run", link.place, int(moment)) % 80
            if start < done <= end:
                yield link, run(city, link, moment)


def sync_record(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode()


def ledger(city: City, year: int) -> Iterator[tuple[Any, ...]]:
    """Rows `(id, opd, year, code, stage, amount, name)`; about one code in a hundred breaks the chain."""
    draw = chance(city.seed, "ledger", year)
    for place in range(CODES):
        opd = city.codes[int(draw.integers(len(city.codes)))]
        code = f"{1 + place % 7}.{place % 33 + 1:02d}.{place // 33 + 1:02d}.2.{place % 9 + 1:02d}"
        name = (
            f"{ACTIVITIES[int(draw.integers(len(ACTIVITIES)))]} {OBJECTS[int(draw.integers(len(OBJECTS)))]}"
        )
        plan = round(float(draw.lognormal(19.2, 1.0)), -5)
        fate = draw.uniform()
        amounts = [("plan", plan), ("budget", plan if fate > 0.004 else round(plan * 1.12, -5))]
        if fate < 0.007 and fate > 0.004:
            amounts.pop(0)
        stages = int(draw.integers(0, 4))
        left = amounts[-1][1]
        for stage in ("procurement", "contract", "realisation")[:stages]:
            left = round(left * float(draw.uniform(0.82, 1.0)), -3)
            amounts.append((stage, left if fate < 0.995 or stage != "contract" else round(left * 1.4, -3)))
            left = amounts[-1][1]
        for stage, amount in amounts:
            yield (f"{year}-{place}-{stage}", opd, year, code, stage, amount, name)
