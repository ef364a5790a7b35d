"""The pretend city's road map: what each OPD promised by when, what came of it, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from ingest.demo.city import City
from ingest.demo.days import HOUR
from ingest.demo.seeds import chance
from ingest.demo.systems import CONNECT_EVERY, begins, links, opd_order

PROGRAMMES = (
    "Integrasi Data dan Aplikasi",
    "Sumber Daya Manusia SPBE",
    "Layanan Digital Terpadu",
    "Infrastruktur Jaringan",
)
_WORK = (
    ("train", 1, "Latih administrator dan operator {}"),
    ("service", 2, "Alihkan satu layanan {} ke portal terpadu"),
    ("network", 3, "Sambungkan kantor {} ke serat optik"),
    ("inventory", 0, "Lengkapi inventaris aplikasi {}"),
)
_STARTS_BEFORE = 330
ENTERED_AFTER_S = 15 * HOUR
"""What is done on a day is entered on the next, in the afternoon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """One promise. `done` is the day it is kept, in the past or to come; None when nobody works on it."""

    id: str
    opd: str
    title: str
    due: date
    done: date | None
    kind: str
    programme: str
    budget: float
    progress: float


def milestones(city: City, began: float) -> Iterator[Milestone]:
    """Every milestone of the plan under way when the demo began, the same for the same seed and day."""
    today = city.days.of(began)
    draw = chance(city.seed, "roadmap")
    syncing = {link.opd for link in links(city) if link.kind != "silent"}
    for rank, opd in enumerate(opd_order(city)):
        name = next(one.abbreviation for one in city.opds if one.code == opd)
        due = today + timedelta(days=CONNECT_EVERY * rank - _STARTS_BEFORE)
        start = begins(city, opd, began)
        late = timedelta(days=int(draw.integers(-5, 15)))
        connected = city.days.of(start) if start > 0 else due + late
        yield Milestone(
            id=f"sambung-{opd}", opd=opd, title=f"Sambungkan sistem {name} ke bus layanan", due=due,
            done=connected if opd in syncing else None, kind="connect", programme=PROGRAMMES[0],
            budget=round(float(draw.uniform(80e6, 260e6)), -6), progress=float(draw.uniform(0.1, 0.7)),
        )  # fmt: skip
        for kind, programme, title in _WORK:
            due = today + timedelta(days=int(draw.integers(-_STARTS_BEFORE, 240)))
            kept = draw.uniform() < 0.86
            yield Milestone(
                id=f"{kind}-{opd}", opd=opd, title=title.format(name), due=due,
                done=due + timedelta(days=int(draw.normal(9, 16))) if kept else None, kind=kind,
                programme=PROGRAMMES[programme], budget=round(float(draw.lognormal(18.6, 0.6)), -6),
                progress=float(draw.uniform(0.05, 0.9)),
            )  # fmt: skip


def share_done(one: Milestone, today: date) -> float:
    """How far a milestone that is not done is on a day: work on it begins some months before it is due."""
    ahead = (one.due - today) / timedelta(days=120)
    return round(one.progress * min(max(1 - ahead, 0.0), 1.0), 2)
