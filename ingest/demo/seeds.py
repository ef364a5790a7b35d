"""Chance that repeats itself: every draw of the pretend city hangs on its seed and a name."""

from __future__ import annotations

import hashlib

import numpy as np


def number(seed: int, *parts: object) -> int:
    """A whole number of 64 bits that is always the same for the same seed and parts."""
    text = "\x1f".join([str(seed), *map(str, parts)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def chance(seed: int, *parts: object) -> np.random.Generator:
    """A fresh generator for one named thing, such as the requests of one day."""
    return np.random.Generator(np.random.PCG64(number(seed, *parts)))


def scattered(seed: int, count: int) -> list[int]:
    """`count` different numbers of 24 bits in no visible order.

    A multiplication by an odd number and a folding of the high bits onto the low ones are each
    one to one on 24 bits, so no two of the results are alike.
    """
    factor = number(seed, "factor") | 1
    start = number(seed, "start")
    mask = (1 << 24) - 1
    values = []
    for place in range(count):
        value = ((place + start) * factor) & mask
        value ^= value >> 11
        value = (value * 0x9E3779) & mask
        value ^= value >> 13
        values.append(value)
    return values
