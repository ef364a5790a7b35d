"""Reads one table of a TOML file key by key, and refuses what nobody asked for.

A mistyped key that is silently ignored is a target that silently does not hold, so every key
must be known, of its type and within its bounds, or `ConfigError` says what would do.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from kpis.errors import ConfigError

_DURATION = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h|d)$")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MISSING: Any = object()


def duration(text: str, key: str) -> timedelta:
    """`"90s"`, `"5m"`, `"2h"`, `"30d"` as a timedelta; ConfigError otherwise."""
    match = _DURATION.match(text)
    if match is None:
        raise ConfigError(key, f"{text!r} is not a duration", 'write it like "90s", "5m", "2h" or "30d"')
    try:
        return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])
    except OverflowError:
        raise ConfigError(key, f"{text!r} is longer than anybody waits", 'use "400d" or less') from None


def expand(text: str, key: str, environ: Mapping[str, str]) -> str:
    """`${NAME}` replaced from the environment, so that no secret stands in the file."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in environ:
            raise ConfigError(key, f"the environment has no {name}", f"set {name} before starting")
        return environ[name]

    return _VARIABLE.sub(value, text)


class Table:
    """One TOML table with its dotted path; `close()` refuses the keys nobody took."""

    def __init__(self, data: Any, path: str = "", environ: Mapping[str, str] | None = None) -> None:
        if not isinstance(data, dict):
            raise ConfigError(path or "config.toml", f"is {data!r}", f"write it as a table: [{path}]")
        self._data: dict[str, Any] = data
        self.path = path
        self._environ = os.environ if environ is None else environ
        self._taken: set[str] = set()

    def key(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        return name in self._data

    def _take(self, name: str, kind: type | tuple[type, ...], what: str, default: Any) -> Any:
        self._taken.add(name)
        value = self._data.get(name, _MISSING)
        if value is _MISSING:
            if default is _MISSING:
                raise ConfigError(self.key(name), "is missing", f"add {name} = {what}")
            return default
        # bool is an int to Python, never to the person who wrote the file
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ConfigError(self.key(name), f"is {value!r}", f"write {what}")
        return value

    def text(self, name: str, default: Any = _MISSING, *, one_of: tuple[str, ...] = ()) -> Any:
        value = self._take(name, str, '"text"', default)
        if isinstance(value, str):
            value = expand(value, self.key(name), self._environ)
        if one_of and value is not None and value not in one_of:
            near = difflib.get_close_matches(str(value), one_of, 1)
            hint = f"did you mean {near[0]!r}?" if near else "use one of " + ", ".join(one_of)
            raise ConfigError(self.key(name), f"is {value!r}", hint)
        return value

    def integer(self, name: str, default: Any = _MISSING, *, low: int, high: int) -> Any:
        value = self._take(name, int, f"a whole number from {low} to {high}", default)
        if value is not None and not low <= value <= high:
            raise ConfigError(self.key(name), f"is {value}", f"use {low} to {high}")
        return value

    def number(self, name: str, default: Any = _MISSING, *, low: float, high: float) -> Any:
        value = self._take(name, (int, float), f"a number from {low:g} to {high:g}", default)
        if value is not None and not low <= value <= high:
            raise ConfigError(self.key(name), f"is {value}", f"use {low:g} to {high:g}")
        return None if value is None else float(value)

    def flag(self, name: str, default: bool) -> bool:
        return bool(self._take(name, bool, "true or false", default))

    def span(self, name: str, default: Any = _MISSING, *, low: timedelta = timedelta(milliseconds=1)) -> Any:
        value = self._take(name, str, 'a duration such as "5m"', default)
        if not isinstance(value, str):
            return value
        found = duration(value, self.key(name))
        if found < low:
            raise ConfigError(self.key(name), f"is {value!r}", f"use {low.total_seconds():g}s or more")
        return found

    def clock_time(self, name: str, default: Any = _MISSING) -> Any:
        value = self._take(name, (str, time), 'a local time such as "07:30"', default)
        if not isinstance(value, str):
            return value
        try:
            return time.fromisoformat(value)
        except ValueError:
            raise ConfigError(self.key(name), f"is {value!r}", 'write it like "07:30"') from None

    def day(self, name: str, default: Any = _MISSING) -> Any:
        value = self._take(name, (date, str), "a date such as 2026-08-17", default)
        if isinstance(value, datetime):
            raise ConfigError(self.key(name), f"is {value}", "write the date alone: 2026-08-17")
        if not isinstance(value, str):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ConfigError(self.key(name), f"is {value!r}", "write it like 2026-08-17") from None

    def instant(self, name: str, default: Any = _MISSING) -> Any:
        value = self._take(name, (datetime, str), "a time with its offset", default)
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                raise ConfigError(
                    self.key(name), f"is {value!r}", "write it like 2026-08-17T21:00:00+07:00"
                ) from None
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ConfigError(self.key(name), f"is {value} without an offset", "add one, such as +07:00")
        return value.astimezone(UTC) if isinstance(value, datetime) else value

    def any_of(self, name: str, kinds: tuple[type, ...], what: str, default: Any = _MISSING) -> Any:
        """A value of one of several types, as it stands; `what` says what would do."""
        return self._take(name, kinds, what, default)

    def strings(self, name: str, default: Any = _MISSING) -> Any:
        value = self._take(name, list, 'a list such as ["a", "b"]', default)
        for item in value or ():
            if not isinstance(item, str):
                raise ConfigError(self.key(name), f"holds {item!r}", 'use text only: ["a", "b"]')
        return None if value is None else tuple(value)

    def integers(self, name: str, default: Any, *, low: int, high: int) -> tuple[int, ...]:
        value = self._take(name, list, f"a list of whole numbers from {low} to {high}", default)
        for item in value:
            if not isinstance(item, int) or isinstance(item, bool) or not low <= item <= high:
                raise ConfigError(
                    self.key(name), f"holds {item!r}", f"use whole numbers from {low} to {high}"
                )
        return tuple(value)

    def mapping(self, name: str) -> dict[str, str]:
        value = self._take(name, dict, '{ field = "expression" }', {})
        for inner, item in value.items():
            if not isinstance(item, str):
                raise ConfigError(f"{self.key(name)}.{inner}", f"is {item!r}", "write an expression as text")
        return dict(value)

    def table(self, name: str) -> Table:
        self._taken.add(name)
        return Table(self._data.get(name, {}), self.key(name), self._environ)

    def tables(self, name: str) -> Iterator[Table]:
        self._taken.add(name)
        value = self._data.get(name, [])
        if not isinstance(value, list):
            raise ConfigError(self.key(name), f"is {value!r}", f"write each as [[{self.key(name)}]]")
        for number, item in enumerate(value, 1):
            yield Table(item, f"{self.key(name)}[{number}]", self._environ)

    def names(self) -> tuple[str, ...]:
        return tuple(self._data)

    def checked(self, name: str, check: Callable[[], Any]) -> Any:
        """`check()` with its ValueError told as a ConfigError of this key."""
        try:
            return check()
        except ValueError as error:
            raise ConfigError(self.key(name), str(error)) from None

    def close(self) -> None:
        """ConfigError for the first key that nothing asked for."""
        for name in self._data:
            if name not in self._taken:
                near = difflib.get_close_matches(name, self._taken, 1)
                known = ", ".join(sorted(self._taken))
                hint = f"did you mean {near[0]!r}?" if near else f"known here: {known}"
                raise ConfigError(self.key(name), "is not a key Pendopo knows", hint)
