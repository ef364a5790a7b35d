"""The short code a new screen shows, and the secrets behind it. No I/O.

A code is read from a wall across a room and typed by a person: no letter or digit in it can be taken
for another, it has no vowel, so that it spells no word, and how it is typed does not matter.
"""

from __future__ import annotations

import hashlib
import secrets

# Without vowels, and without one of each pair that eyes mistake: 0 O Q, 1 I L, 2 Z, 5 S, 8 B, U V.
ALPHABET = "CDFGHJKMNPRTWXY34679"
LENGTH = 6
_HALF = LENGTH // 2
_BYTES = 32


def new_code() -> str:
    """A code drawn from 64 million."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def spelled(code: str) -> str:
    """The code in two halves, as the screen shows it: `K7M 4XD`."""
    return f"{code[:_HALF]} {code[_HALF:]}"


def typed(text: str) -> str | None:
    """The code a person meant, whatever case, blanks and dashes they typed; None when it is none."""
    code = "".join(text.split()).replace("-", "").upper()
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else None


def new_secret() -> str:
    """256 bits that nobody guesses, fit for a cookie (RFC 6265, 4.1.1)."""
    return secrets.token_urlsafe(_BYTES)


def digest(secret: str) -> str:
    """What is kept of a secret. It is random itself, so one plain SHA-256 hides it."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
