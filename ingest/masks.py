"""Masks personal numbers in text on arrival (UU 27/2022): NIK, NIP and phone numbers.

A NIK is 16 digits: region (6), birth day (2, women +40), month (2), year (2), serial (4). A NIP is
18 digits: birth date (8), appointment (6), sex (1), serial (3). Digits may be grouped by spaces,
dots or dashes. A phone number begins with +62, 62 or 0 and 8, or an area code, with 8 to 13 digits.
"""

from __future__ import annotations

import re

NIK = "[NIK disamarkan]"
NIP = "[NIP disamarkan]"
PHONE = "[telepon disamarkan]"

_GAP = r"[ .\-]?"
_NIP = re.compile(
    rf"(?<![\d])(?:19|20)\d{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]){_GAP}(?:19|20)\d{{2}}(?:0[1-9]|1[0-2]|21){_GAP}[12]{_GAP}\d{{3}}(?!\d)"
)
_NIK = re.compile(
    rf"(?<!\d)[1-9]\d{{5}}{_GAP}(?:0[1-9]|[12]\d|3[01]|4[1-9]|[56]\d|7[01])(?:0[1-9]|1[0-2])\d{{2}}{_GAP}\d{{4}}(?!\d)"
)
_NIK_BY_FOURS = re.compile(r"(?<!\d)[1-9]\d{3}[ .\-]\d{4}[ .\-]\d{4}[ .\-]\d{4}(?!\d)")
_PHONE = re.compile(r"(?<![\d+/])(?:\+?62[ .\-]?|0)(?:8\d{1,3}|[2-7]\d{1,2})(?:[ .\-]?\d{2,5}){2,3}(?![\d/])")
_DIGIT = re.compile(r"\d{4}")


def mask(text: str) -> str:
    """The text with every NIK, NIP and phone number replaced by a word that says so."""
    if not _DIGIT.search(text):
        return text
    text = _NIP.sub(NIP, text)
    text = _NIK.sub(NIK, text)
    text = _NIK_BY_FOURS.sub(NIK, text)
    return _PHONE.sub(_phone, text)


def _phone(match: re.Match[str]) -> str:
    digits = sum(c.isdigit() for c in match[0])
    return PHONE if 9 <= digits <= 14 else match[0]


_PERSONAL = re.compile(r"^\d{16}$|^\d{18}$")


def looks_personal(employee: str) -> bool:
    """Whether an employee code is a NIK, a NIP or a name instead of a pseudonym."""
    bare = employee.replace(" ", "").replace(".", "").replace("-", "")
    return bool(_PERSONAL.match(bare)) or (" " in employee.strip() and any(c.isalpha() for c in employee))
