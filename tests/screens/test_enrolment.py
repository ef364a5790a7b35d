"""A code is good once, for its screen, for ten minutes; a token is kept as a digest and can be taken back."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from kpis.errors import ScreenError
from kpis.schema import SCHEMA, schema_table
from kpis.screens.codes import digest, new_secret
from kpis.screens.enrolment import MOST_WAITING
from kpis.screens.tables import screen_code, screen_device
from kpis.store import open_store
from tests.screens.conftest import Hall


def shown(hall: Hall, secret: str) -> str:
    waiting = hall.ask(secret)
    assert waiting is not None
    return waiting.code


def test_a_device_whose_code_was_assigned_gets_the_token_of_that_screen(hall: Hall) -> None:
    secret = new_secret()
    code = shown(hall, secret)
    assert hall.claim(secret) is None, "nobody has assigned it yet"
    hall.assign(f"{code[:3]}-{code[3:]}".lower(), "lobi")
    claimed = hall.claim(secret)
    assert claimed is not None
    assert hall.tokens() == {digest(claimed[1]): "lobi"}


def test_neither_a_token_nor_a_secret_stands_in_the_store(hall: Hall) -> None:
    secret = new_secret()
    hall.assign(shown(hall, secret), "lobi")
    claimed = hall.claim(secret)
    assert claimed is not None
    with hall.store.read() as conn:
        kept = str([conn.execute(table.select()).all() for table in (screen_code, screen_device)])
    assert secret not in kept
    assert claimed[1] not in kept


def test_only_the_browser_that_shows_the_code_can_claim_it(hall: Hall) -> None:
    hall.assign(shown(hall, new_secret()), "lobi")
    assert hall.claim(new_secret()) is None
    assert hall.tokens() == {}


def test_a_code_is_assigned_once(hall: Hall) -> None:
    code = shown(hall, new_secret())
    hall.assign(code, "lobi")
    with pytest.raises(ScreenError, match="good once"):
        hall.assign(code, "balai")


def test_a_code_that_ran_out_is_good_for_nothing(hall: Hall) -> None:
    secret = new_secret()
    code = shown(hall, secret)
    hall.clock.tick(minutes=10)
    with pytest.raises(ScreenError, match="no screen shows"):
        hall.assign(code, "lobi")
    other = new_secret()
    hall.assign(shown(hall, other), "lobi")
    hall.clock.tick(minutes=10)
    assert hall.claim(other) is None


@pytest.mark.parametrize(
    ("code", "name", "said"),
    [
        ("K7M4XD", "gudang", "there is no screen 'gudang'; configured: wall, lobi, balai"),
        ("K7M4X", "lobi", "'K7M4X' is no code"),
        ("K7M4XD", "lobi", "no screen shows K7M 4XD"),
    ],
)
def test_what_cannot_be_assigned_is_refused_with_what_would_do(
    hall: Hall, code: str, name: str, said: str
) -> None:
    with pytest.raises(ScreenError, match=said):
        hall.assign(code, name)


def test_a_reply_that_was_lost_is_asked_for_again(hall: Hall) -> None:
    secret = new_secret()
    hall.assign(shown(hall, secret), "lobi")
    lost, had = hall.claim(secret), hall.claim(secret)
    assert lost is not None
    assert had is not None
    assert hall.tokens() == {digest(had[1]): "lobi"}, "the token nobody received opens nothing"


def test_a_screen_has_one_device_the_newest(hall: Hall) -> None:
    before, after = hall.enrol("lobi"), hall.enrol("lobi")
    assert before != after
    assert hall.tokens() == {digest(after): "lobi"}
    assert hall.count(screen_device) == 1


@pytest.mark.parametrize("by_id", [False, True])
def test_a_revoked_token_opens_nothing_and_cannot_be_claimed_again(hall: Hall, by_id: bool) -> None:
    secret = new_secret()
    hall.assign(shown(hall, secret), "lobi")
    assert hall.claim(secret) is not None
    which = hall.rows()["lobi"].device if by_id else "lobi"
    assert hall.revoke(str(which)) == "lobi"
    assert hall.tokens() == {}
    assert hall.claim(secret) is None, "its code may still be alive"
    with pytest.raises(ScreenError, match="no enrolled screen"):
        hall.revoke("lobi")


def test_a_screen_taken_out_of_the_configuration_opens_nothing(hall: Hall) -> None:
    hall.enrol("lobi")
    object.__setattr__(hall.settings, "screens", hall.settings.screens[:1])
    assert hall.tokens() == {}


def test_however_many_ask_the_table_stays_small(hall: Hall) -> None:
    asked = [hall.ask(new_secret()) for _ in range(MOST_WAITING + 5)]
    assert [waiting is None for waiting in asked] == [False] * MOST_WAITING + [True] * 5
    hall.clock.tick(minutes=11)
    assert hall.ask(new_secret()) is not None
    assert hall.count(screen_code) == 1, "those that ran out are gone"


def test_a_store_without_these_tables_gets_them_when_it_is_opened(hall: Hall) -> None:
    """They are new altogether, so the store of the release before needs no migration for them."""
    with hall.store.write() as conn:
        for table in (screen_code, screen_device):
            table.drop(conn)
        assert conn.execute(sa.select(schema_table.c.version)).scalar() == SCHEMA
    with open_store(hall.settings):
        assert hall.enrol("lobi")
