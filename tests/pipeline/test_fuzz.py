"""Whatever comes in, nothing raises and everything is accounted for: in the facts, known, or a reject."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from ingest.arrivals import Arrival
from kpis.sources import reject
from tests.pipeline.world import FEEDS, World, city, property_of, record


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with city(f"sqlite:///{tmp_path_factory.mktemp('fuzz') / 'pendopo.db'}", source=_SOURCES) as found:
        yield found


_SOURCES = [
    {
        "name": "peta",
        "type": "mqtt",
        "topic": "x/+",
        "feed": "uptime_check",
        "map": {
            "id": "to_string(nomor)",
            "app": "app.nama",
            "observed_at": "join('', [w.hari, w.jam])",
            "up": "n > `1`",
            "latency_ms": "sum(ms)",
            "error": "max_by(galat, &n).teks",
        },
    }
]


_any_text = st.text(st.characters(codec=None), max_size=20)  # lone surrogates and NUL included
_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | _any_text
    | st.sampled_from(
        [
            "",
            " ",
            "0001-01-01T00:00:00-14:00",
            "9999-12-31T23:59:59.999999+14:00",
            "2026-08-19",
            "2026-08-19T10:00:00",
            "24:00",
            10**400,
            -(2**63),
            2**53,
            1e308,
            float("nan"),
            float("inf"),
            "dinkes",
            "closed",
            "\ud800",
            "\x00",
            "3573010101900001",
            "081234567890",
            "x" * 30_000,
        ]
    )
)
_anything = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_any_text, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def nearly(draw: st.DrawFn) -> tuple[str, Any]:
    """A good record with a few fields spoilt, in an envelope or an array now and then."""
    feed = draw(st.sampled_from(FEEDS))
    found: Any = record(feed)
    names = st.sampled_from(
        [*found, "class", "lat", "closed_at", "due_at", "confirmed", "rows_read", "done_on", "nomor"]
    )
    for _ in range(draw(st.integers(0, 3))):
        found[draw(names)] = draw(_anything)
    shape = draw(st.integers(0, 5))
    if shape == 0:
        found = {
            "specversion": "1.0",
            "id": draw(_anything),
            "source": draw(_anything),
            "time": draw(_anything),
            "data": found,
        }
    elif shape == 1:
        found = [found, draw(_anything)]
    return feed, found


def bytes_of(value: Any) -> bytes:
    return json.dumps(value).encode()


def records_in(payload: bytes) -> int:
    """How many records a payload holds: an array's elements, else one."""
    try:
        parsed = json.loads(payload.decode())
    except (ValueError, RecursionError):
        return 1
    return max(len(parsed), 1) if isinstance(parsed, list) else 1


def accounted(world: World, arrivals: list[Arrival], given: int) -> None:
    before = kept(world)
    outcome = world.pipeline.take(arrivals)
    assert outcome.accepted + outcome.known + outcome.rejected == given
    assert len(outcome.refusals) == outcome.rejected
    for refusal in outcome.refusals:
        assert refusal.reason not in ("", "store_refused")
        assert 0 <= refusal.index < len(arrivals)
    assert kept(world) - before == outcome.rejected


def kept(world: World) -> int:
    with world.store.read() as conn:
        return int(conn.execute(sa.select(sa.func.sum(reject.c.times))).scalar() or 0)


@given(
    payloads=st.lists(
        st.tuples(st.sampled_from([*FEEDS, None]), st.binary(max_size=60)), min_size=1, max_size=15
    )
)
@property_of(40)
def test_arbitrary_bytes(small: World, payloads: list[tuple[str | None, bytes]]) -> None:
    arrivals = [small.arrival(feed, body) for feed, body in payloads]
    given = sum(records_in(body) if feed else 1 for feed, body in payloads)
    accounted(small, arrivals, given)


@given(payloads=st.lists(nearly(), min_size=1, max_size=12))
@property_of(120)
def test_arbitrary_json(small: World, payloads: list[tuple[str, Any]]) -> None:
    bodies = [(feed, bytes_of(value)) for feed, value in payloads]
    accounted(small, [small.arrival(feed, b) for feed, b in bodies], sum(records_in(b) for _, b in bodies))


@given(rows=st.lists(nearly(), min_size=1, max_size=12))
@property_of(80)
def test_arbitrary_rows_of_a_database(small: World, rows: list[tuple[str, Any]]) -> None:
    arrivals = [small.row(feed, value) for feed, value in rows if isinstance(value, dict)]
    accounted(small, arrivals, len(arrivals))


@given(values=st.lists(_anything, min_size=1, max_size=8))
@property_of(60)
def test_arbitrary_payloads_through_a_mapping(small: World, values: list[Any]) -> None:
    shapes: list[Any] = list(values)
    for v in values:
        shapes.append(
            {"nomor": v, "app": {"nama": v}, "w": {"hari": v, "jam": v}, "n": v, "ms": v, "galat": v}
        )
        shapes.append(
            {
                "nomor": 1,
                "app": {"nama": "web"},
                "w": {"hari": "2026-08-19T", "jam": "02:00:00Z"},
                "n": 2,
                "ms": [1, v],
                "galat": [{"n": v, "teks": v}],
            }
        )
    bodies = [bytes_of(v) for v in shapes]
    arrivals = [small.arrival("uptime_check", b, source="peta") for b in bodies]
    accounted(small, arrivals, sum(records_in(b) for b in bodies))


def test_all_of_it_on_postgresql(postgres_url: Callable[[], str]) -> None:
    """PostgreSQL refuses what SQLite lets pass: NUL, lone surrogates, numbers beyond a column."""
    with city(postgres_url()) as world:

        @given(rows=st.lists(nearly(), min_size=1, max_size=12))
        @property_of(40)
        def holds(rows: list[tuple[str, Any]]) -> None:
            bodies = [(feed, bytes_of(value)) for feed, value in rows]
            accounted(
                world, [world.arrival(feed, b) for feed, b in bodies], sum(records_in(b) for _, b in bodies)
            )
            arrivals = [world.row(feed, value) for feed, value in rows if isinstance(value, dict)]
            accounted(world, arrivals, len(arrivals))

        holds()


def test_names_and_places_of_any_spelling(world: World) -> None:
    lots = random.Random(5)
    for n in range(60):
        name = "".join(
            chr(lots.choice([0, 9, 46, 97, 233, 0xD800, 0x1F6A7])) for _ in range(lots.randint(0, 30))
        )
        arrival = world.arrival(lots.choice([*FEEDS, None]), b"{}", source=name, config="x", place=name * 40)
        outcome = world.pipeline.take(
            [arrival, world.arrival("uptime_check", record("uptime_check", id=str(n)))]
        )
        assert (outcome.accepted, outcome.rejected) == (1, 1)
