"""For how long single records are kept, as `[retention]` spells it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kpis.errors import ConfigError
from kpis.reader import Table

# What may be removed; everything else is kept for as long as the store is.
RETAINED = ("uptime_check", "sync_run", "attendance", "service_request", "rejects", "source_hour")
# A day's cell is made of both feeds, so that one without the other would count it wrong.
_TOGETHER = {"attendance": "attendance_day"}
# KPIs and pages read single records of the last 30 and 90 days.
_LEAST, _MOST = 4, 1200
_MONTHS = re.compile(r"([0-9]{1,4}) months")


def read_retention(table: Table) -> Mapping[str, int]:
    """Months by what is kept that long; what is not named is kept for ever."""
    found = {name: _months(table, name) for name in RETAINED}
    table.close()
    found |= {other: found[name] for name, other in _TOGETHER.items()}
    return {name: months for name, months in found.items() if months is not None}


def _months(table: Table, name: str) -> int | None:
    would_do = f'whole months, {_LEAST} to {_MOST}: "24 months"'
    text = table.any_of(name, (str,), would_do, None)
    if text is None:
        return None
    match = _MONTHS.fullmatch(text)
    if match is None or not _LEAST <= int(match[1]) <= _MOST:
        raise ConfigError(table.key(name), f"is {text!r}", f"write {would_do}")
    return int(match[1])
