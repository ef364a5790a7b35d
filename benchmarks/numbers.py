"""Numbers on a command line; argparse says what is wrong with one, and ends with 2."""

from __future__ import annotations

import argparse


def positive(text: str) -> int:
    """A whole number of 1 or more."""
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def rate(text: str) -> float:
    """So many a second, more than 0."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return found


def seeds(text: str) -> range:
    """`A-B`, both included, or one number alone."""
    first, dash, last = text.partition("-")
    numbers = [part for part in (first, last if dash else first) if part.isascii() and part.isdecimal()]
    if len(numbers) < 2 or int(numbers[0]) > int(numbers[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is not a range such as 1-20")
    return range(int(numbers[0]), int(numbers[1]) + 1)
