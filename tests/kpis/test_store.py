"""What is written in bulk is read back as it was, whatever it holds; and a refusal says whose fault it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg2 import sql

from kpis.errors import StoreError, StoreUnavailable
from kpis.store import Store, bulk, copy_text
from tests.pipeline.world import settings_for
from tests.servers import Postgres

BOX = sa.Table(
    "box",
    sa.MetaData(),
    sa.Column("seq", sa.Integer),
    sa.Column("text", sa.Text),
    sa.Column("other", sa.Text),
    sa.Column("whole", sa.BigInteger),
    sa.Column("number", sa.Float(53)),
    sa.Column("flag", sa.Boolean),
    prefixes=["TEMPORARY"],
)
# All a store can hold: no NUL, no half of a surrogate pair (`ingest.fields.storable`).
TEXTS = st.none() | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)
TRICKY = [
    "",
    "null",
    '"null"',
    "NULL",
    "\\N",
    "\\.",
    "\n\\.\n",
    "]\n[",
    "],[",
    '"',
    '""',
    "\\",
    '\\"',
    "\\\\n",
    "\\u0041",
    "\r",
    "\r\n",
    "".join(map(chr, range(1, 32))),
    "\x7f\x80\x85\u2028\u2029\ufeff",
    "😀 é ﷺ",
    "é",
    " , ",
]
ROWS = st.lists(
    st.tuples(
        TEXTS | st.sampled_from(TRICKY),
        TEXTS | st.sampled_from(TRICKY),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.none() | st.booleans(),
    ),
    max_size=12,
)
Row = tuple[Any, ...]


def kept(store: Store, rows: list[Row]) -> list[Row]:
    with store.write() as conn:
        conn.execute(sa.schema.CreateTable(BOX, if_not_exists=True))
        conn.execute(BOX.delete())
        bulk(conn, BOX, [(place, *row) for place, row in enumerate(rows)])
        found = conn.execute(sa.select(BOX).order_by(BOX.c.seq))
        return [tuple(row)[1:] for row in found]


@contextmanager
def opened(url: str) -> Iterator[Store]:
    with Store(settings_for(url).store) as store:
        yield store


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@example(rows=[(one, other, None, None, None) for one in TRICKY for other in ("", "x", None)])
@example(rows=[(None, None, 2**63 - 1, 1.7976931348623157e308, True), (None, None, -(2**63), 5e-324, False)])
@given(rows=ROWS)
def test_every_value_is_read_back_as_it_was_written(store_url: str, rows: list[Row]) -> None:
    store = _STORES.setdefault(store_url, Store(settings_for(store_url).store))
    found = kept(store, rows)
    assert found == rows
    assert repr(found) == repr(rows), "types and the sign of zero too"


_STORES: dict[str, Store] = {}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while _STORES:
        _STORES.popitem()[1].close()


def test_a_line_of_the_copy_is_one_row() -> None:
    rows = [(1, "a]\n[b", None), (2, "null", 'q"\\')]
    assert copy_text(rows).read() == b'1,"a]\n[b",null\n2,"null","q\\"\\\\"'


def test_text_is_the_same_in_a_database_of_another_encoding(postgres: Postgres) -> None:
    name = "latin"
    made = sql.SQL("CREATE DATABASE {} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    postgres.execute(made.format(sql.Identifier(name)))
    url = postgres.url.rpartition("/")[0] + f"/{name}"
    try:
        with opened(url) as store:
            row = ("Kelurahan Café", "x", 1, 1.0, True)
            assert kept(store, [row]) == [row]
            with pytest.raises(StoreError) as refused:
                kept(store, [("😀", "x", 1, 1.0, True)])
            assert not isinstance(refused.value, StoreUnavailable), "this record is to blame, no other"
    finally:
        postgres.drop(url)


def test_a_value_no_store_takes_is_the_records_fault_and_not_the_stores(
    postgres_url: Callable[[], str],
) -> None:
    with opened(postgres_url()) as store:
        with pytest.raises(StoreError, match="0x00") as refused:
            kept(store, [("a\x00b", None, None, None, None)])
        assert not isinstance(refused.value, StoreUnavailable)
        assert kept(store, [("a", "b", 1, 1.0, True)]) == [("a", "b", 1, 1.0, True)], "goes on after it"


def test_a_write_the_store_cannot_do_is_no_records_fault(store_url: str) -> None:
    gone = sa.Table("gone", sa.MetaData(), sa.Column("x", sa.Integer))

    def write(store: Store) -> None:
        with store.write() as conn:
            bulk(conn, gone, [(1,)])

    with opened(store_url) as store, pytest.raises(StoreUnavailable, match="gone"):
        write(store)
