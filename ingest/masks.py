"""Masks personal numbers in text on arrival (UU 27/2022): NIK, NIP and phone numbers.

A NIK is 16 digits: region (6), birth day (2, women +40), month (2), year (2), serial (4). A NIP is
18 digits: birth date (8), appointment (6), sex (1), serial (3). Digits may be grouped by spaces,
dots or dashes. A phone number begins with +62, 62 or 0 and 8, or an area code, with 8 to 13 digits.
"""

from __future__ import annotations

import json
import re
from typing import Any

NIK = "[NIK disamarkan]"
NIP = "[NIP disamarkan]"
PHONE = "[telepon disamarkan]"
PERSON = "[nama disamarkan]"

_GAP = r"[ .\-]?"
_PROVINCE = r"(?:1[1-9]|21|3[1-6]|5[1-3]|6[1-5]|7[1-6]|8[12]|9[1-7])"
_NIP = re.compile(
    rf"(?<![\d])(?:19|20)\d{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]){_GAP}(?:19|20)\d{{2}}(?:0[1-9]|1[0-2]|21){_GAP}[12]{_GAP}\d{{3}}(?!\d)"
)
_NIK = re.compile(
    rf"(?<!\d){_PROVINCE}\d{{4}}{_GAP}(?:0[1-9]|[12]\d|3[01]|4[1-9]|[56]\d|7[01])(?:0[1-9]|1[0-2])\d{{2}}{_GAP}\d{{4}}(?!\d)"
)
# Told by name, a number is masked even where its date is none: a slip of the pen is personal too.
_NAMED = re.compile(r"\b((NIK|KTP|KK|NIP)\b\D{0,12})(?:\d{18}|\d{16})(?!\d)", re.IGNORECASE)
_NIK_BY_FOURS = re.compile(r"(?<!\d)[1-9]\d{3}[ .\-]\d{4}[ .\-]\d{4}[ .\-]\d{4}(?!\d)")
_UUID = r"(?<![0-9a-fA-F])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9a-fA-F])"
_RUPIAH = r"\b(?:Rp\.?|IDR) ?[1-9]\d{0,12}(?:[.,]\d{2,3})*(?!\d)"
_OTHER = re.compile(f"({_UUID}|{_RUPIAH})")
_SEP = r"(?: ?[\-\u2010-\u2013] ?|[ .])?"
_START = r"(?<![\d+])(?<!\d\.)"
_REST = rf"(?:{_SEP}\d{{2,5}}){{1,4}}(?!\d)"
_MOBILE = re.compile(rf"{_START}(?:(?:\(\+?62\)|\+?62){_SEP}(?:\(0\){_SEP})?\(?|\(?0)8\d{{1,3}}\)?{_REST}")
# Letters and files are numbered with slashes: 045/2345/2026 is no telephone.
_LANDLINE = re.compile(
    rf"(?<!/){_START}(?:(?:\(\+62\)|\+62){_SEP}(?:\(0\){_SEP})?\(?|\(?0)[2-7]\d{{1,2}}\)?{_REST}(?!/)"
)
_DIGIT = re.compile(r"\d{2}")


def mask(text: str) -> str:
    """The text with every NIK, NIP and phone number replaced by a word that says so."""
    if not _DIGIT.search(text):
        return text
    pieces = _OTHER.split(text)
    pieces[::2] = [_masked(piece) for piece in pieces[::2]]
    return "".join(pieces)


def _masked(text: str) -> str:
    text = _NIP.sub(NIP, text)
    text = _NIK.sub(NIK, text)
    text = _NIK_BY_FOURS.sub(NIK, text)
    text = _NAMED.sub(lambda m: m[1] + (NIP if m[2].upper() == "NIP" else NIK), text)
    return _LANDLINE.sub(_phone, _MOBILE.sub(_phone, text))


def _phone(match: re.Match[str]) -> str:
    digits = sum(c.isdigit() for c in match[0])
    return PHONE if 9 <= digits <= 15 else match[0]


def mask_json(raw: str) -> str:
    """JSON with the texts and whole numbers in it masked, and JSON still; other text as `mask` leaves it."""
    try:
        parsed = json.loads(raw)
        masked = _walked(parsed)
        if masked == parsed:
            return raw
        # Half a surrogate pair goes back to the escape it was: no store holds it otherwise.
        return json.dumps(masked, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    except (ValueError, RecursionError):
        return mask(raw)


def _walked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {mask(name): _walked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_walked(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return value if mask(str(value)) == str(value) else mask(str(value))
    return value


_PERSONAL = re.compile(r"^\d{16}$|^\d{18}$")


def looks_personal(employee: str) -> bool:
    """Whether an employee code is a NIK, a NIP or a name instead of a pseudonym."""
    bare = employee.replace(" ", "").replace(".", "").replace("-", "")
    return bool(_PERSONAL.match(bare)) or (" " in employee.strip() and any(c.isalpha() for c in employee))
