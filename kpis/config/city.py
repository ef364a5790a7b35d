"""The city and its OPD, as `[city]` spells them."""

from __future__ import annotations

import csv
import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kpis.errors import ConfigError
from kpis.reader import Table
from kpis.types import City, Opd

LANGUAGES = ("id", "en")
CODE = re.compile(r"^[a-z0-9][a-z0-9._-]{0,63}$")
# What opens a call, a letter or a chat on a tablet; anything else a browser may take for a script.
_CONTACTS = ("tel:", "mailto:", "https://")
_ZONES = {7: "WIB", 8: "WITA", 9: "WIT"}


def read_city(table: Table, folder: Path) -> tuple[City, str]:
    zone_name = table.text("timezone")
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            "city.timezone",
            f"is {zone_name!r}",
            "use Asia/Jakarta, Asia/Makassar, Asia/Jayapura or another IANA name",
        ) from None
    offset = datetime(2026, 1, 1, tzinfo=zone).utcoffset() or timedelta()
    hours = offset.total_seconds() / 3600
    opd_file = table.text("opd_file", None)
    listed = list(table.tables("opd"))
    rows = _opd_rows(folder / opd_file) if opd_file else [_opd(t) for t in listed]
    if not rows:
        raise ConfigError(
            "city.opd_file" if opd_file else "city.opd",
            "names no OPD",
            "add each as [[city.opd]], or name a CSV file in city.opd_file",
        )
    codes = [opd.code for opd in rows]
    for code in codes:
        if codes.count(code) > 1:
            raise ConfigError(
                "city.opd", f"the code {code!r} stands twice", "give each OPD a code of its own"
            )
    map_file = table.text("map", None)
    city = City(
        name=table.text("name"),
        timezone=zone_name,
        zone=_ZONES.get(int(hours), f"UTC{hours:+g}") if hours == int(hours) else f"UTC{hours:+g}",
        opds=tuple(rows),
        map_file=folder / map_file if map_file else None,
    )
    language = table.text("language", "id", one_of=LANGUAGES)
    table.close()
    return city, language


def _opd(table: Table) -> Opd:
    opd = Opd(
        code=table.text("code"),
        name=table.text("name"),
        abbreviation=table.text("abbreviation", None) or table.text("name"),
        english=table.text("english", None) or table.text("name"),
        employees=table.integer("employees", None, low=0, high=1_000_000),
        head=table.text("head", None),
        contact=_contact(table),
    )
    if not CODE.match(opd.code):
        raise ConfigError(
            table.key("code"), f"is {opd.code!r}", "use lower-case letters, digits, dot, dash, underscore"
        )
    table.close()
    return opd


def _contact(table: Table) -> str | None:
    link: str | None = table.text("contact", None)
    if link is None:
        return None
    if not link.startswith(_CONTACTS) or not link.isprintable() or " " in link:
        raise ConfigError(
            table.key("contact"),
            f"is {link!r}",
            'use "tel:+62…", "mailto:name@kota.go.id" or "https://wa.me/62…"',
        )
    return link


def _opd_rows(path: Path) -> list[Opd]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except OSError as error:
        raise ConfigError("city.opd_file", f"{path}: {error.strerror}", "name a readable CSV file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError("city.opd_file", f"{path}: {error}", "save it as CSV in UTF-8") from None
    for number, row in enumerate(rows, 2):
        if not row.get("code") or not row.get("name"):
            raise ConfigError("city.opd_file", f"line {number} has no code or no name", "fill both columns")
    return [
        _opd(
            Table(
                {k: (int(v) if k == "employees" and v.isdecimal() else v) for k, v in row.items() if k and v},
                f"city.opd_file line {n}",
            )
        )
        for n, row in enumerate(rows, 2)
    ]
