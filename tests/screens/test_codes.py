"""Codes: read across a room, typed by hand, never mistaken; secrets: kept as a digest alone."""

from __future__ import annotations

import itertools
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis.screens.codes import ALPHABET, LENGTH, digest, new_code, new_secret, spelled, typed

CODES = st.text(ALPHABET, min_size=LENGTH, max_size=LENGTH)
ALIKE = ("0OQD", "1IL", "2Z", "5S", "8B", "UV", "VW")


def test_no_letter_or_digit_of_a_code_can_be_taken_for_another() -> None:
    for group in ALIKE:
        assert sum(letter in ALPHABET for letter in group) <= 1, group
    assert not set("AEIOU") & set(ALPHABET), "without vowels a code spells no word"
    assert set(ALPHABET) <= set(string.ascii_uppercase + string.digits)
    assert len(set(ALPHABET)) == len(ALPHABET)


def test_a_drawn_code_is_one_that_can_be_typed() -> None:
    drawn = {new_code() for _ in range(500)}
    assert len(drawn) > 490
    assert {typed(code) for code in drawn} == drawn


@given(CODES, st.data())
def test_a_code_is_understood_however_it_is_typed(code: str, data: st.DataObject) -> None:
    between = [data.draw(st.sampled_from(["", " ", "-", "  ", "\t", "\u00a0"])) for _ in range(LENGTH + 1)]
    letters = [data.draw(st.sampled_from([letter, letter.lower()])) for letter in code]
    text = "".join(itertools.chain(*zip(between, letters, strict=False))) + between[-1]
    assert typed(text) == code
    assert typed(spelled(code)) == code


@given(st.text(max_size=20))
def test_what_is_typed_is_a_code_or_nothing(text: str) -> None:
    code = typed(text)
    assert code is None or (len(code) == LENGTH and set(code) <= set(ALPHABET))


@pytest.mark.parametrize("text", ["", "K7M4X", "K7M4XDD", "K7M4X0", "K7M4XI", "K7M_4X", "٣٣٣٣٣٣", "K7M4Xß"])
def test_what_is_no_code_is_refused(text: str) -> None:
    assert typed(text) is None


def test_a_secret_is_long_and_its_digest_tells_nothing_of_it() -> None:
    secret = new_secret()
    assert len(secret) >= 43
    assert secret not in digest(secret)
    assert (len(digest(secret)), digest(secret)) == (64, digest(secret))
    assert digest(new_secret()) != digest(secret)
