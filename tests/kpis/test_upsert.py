"""Rows that are new or renewed, many in one statement: what is read is what was written, in both stores."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from kpis.readings import reading_change as table
from kpis.store import open_store, upsert
from tests.pipeline.world import settings_for

KEY = ("kpi", "opd", "at")
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
values = st.none() | st.floats(allow_nan=False, allow_infinity=False)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "kpi": texts,
            "opd": texts,
            "at": st.integers(0, 3),
            "before": texts,
            "after": texts,
            "value": values,
        }
    ),
    max_size=8,
    unique_by=lambda row: (row["kpi"], row["opd"], row["at"]),
)


def test_the_newest_of_each_key_is_what_is_there(store_url: str) -> None:
    with open_store(settings_for(store_url)) as store:

        @settings(max_examples=25)
        @given(first=rows, second=rows)
        def holds(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> None:
            with store.write() as conn:
                conn.execute(table.delete())
                upsert(conn, table, KEY, first)
                upsert(conn, table, KEY, second)
            with store.read() as conn:
                found = [dict(row._mapping) for row in conn.execute(sa.select(table))]
            assert by_key(found) == by_key([*first, *second])

        holds()


def by_key(some: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {tuple(row[name] for name in KEY): row for row in some}
