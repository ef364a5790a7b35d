"""Payload → records → rows: everything that is decided before the store is touched."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec

from ingest.arrivals import Arrival
from ingest.mapping import field_maps
from ingest.records import MOMENT, RECORDS, Record
from ingest.rows import FUTURE, ROWS, Bad, Context, Row
from kpis.clock import Now
from kpis.config import Settings
from kpis.days import DayOf
from kpis.store import micros

_FIELD = re.compile(r"\$\.([A-Za-z_]+)")
_QUOTED = re.compile(r"`([A-Za-z_]+)`")


@dataclass(slots=True)
class Kept:
    """One usable record of one feed; `raw` gives it back for a reject that the store decides on."""

    index: int
    feed: str
    source: str
    row: Row
    record: Record


@dataclass(slots=True)
class Refused:
    """One record that cannot be used, with its own part of the payload."""

    index: int
    feed: str | None
    source: str
    reason: str
    field: str | None
    detail: str
    raw: str


def raw_text(payload: Any) -> str:
    """What came in as text that any store can keep."""
    if isinstance(payload, bytes):
        return payload.decode("utf-8", "backslashreplace").replace("\x00", "\\u0000")
    return json.dumps(payload, default=str, ensure_ascii=False).replace("\x00", "\\u0000")


class Reader:
    """Turns arrivals into rows and refusals by the city's settings. Thread-safe."""

    def __init__(self, settings: Settings, now: Now) -> None:
        self._now = now
        self._opds = frozenset(opd.code for opd in settings.city.opds)
        self._day_of = DayOf(settings.zone)
        self._maps = field_maps(settings)
        self._sources = {s.name: s for s in settings.sources}
        self._decoders = {feed: msgspec.json.Decoder(kind) for feed, kind in RECORDS.items()}

    def read(self, arrivals: list[Arrival]) -> Iterator[Kept | Refused]:
        """Every record of the arrivals once, in order."""
        horizon = micros(self._now() + FUTURE)
        context: Context | None = None
        held: tuple[str, str] | None = None
        for index, arrival in enumerate(arrivals):
            key = (arrival.source, arrival.config)
            if context is None or held != key:
                context, held = self._context(arrival, horizon), key
            feed = arrival.feed
            if feed is None or feed not in RECORDS:
                yield Refused(
                    index,
                    None,
                    arrival.source,
                    "unknown_feed",
                    None,
                    arrival.place[:300],
                    raw_text(arrival.payload),
                )
                continue
            # The usual case, one JSON record and no map, in one call; whatever fails is looked at slowly.
            if isinstance(arrival.payload, bytes) and arrival.config not in self._maps:
                try:
                    record = self._decoders[feed].decode(arrival.payload)
                    yield Kept(index, feed, arrival.source, ROWS[feed](record, context), record)
                    continue
                except (msgspec.DecodeError, Bad, OverflowError):
                    pass
            yield from self._slowly(index, arrival, feed, context)

    def _context(self, arrival: Arrival, horizon: int) -> Context:
        configured = self._sources.get(arrival.config)
        zone = configured.timezone if configured else None
        return Context(self._opds, self._day_of, zone, horizon, arrival.source)

    def _slowly(self, index: int, arrival: Arrival, feed: str, context: Context) -> Iterator[Kept | Refused]:
        try:
            parsed = _parsed(arrival.payload)
        except Bad as bad:
            yield Refused(
                index, feed, arrival.source, bad.reason, bad.field, bad.detail, raw_text(arrival.payload)
            )
            return
        items = parsed if isinstance(parsed, list) else [parsed]
        if not items:
            yield Refused(
                index, feed, arrival.source, "not_a_record", None, "an empty list", raw_text(arrival.payload)
            )
        loose = not isinstance(arrival.payload, bytes) or arrival.config in self._maps
        for item in items:
            yield self._one(index, arrival, feed, context, item, loose)

    def _one(
        self, index: int, arrival: Arrival, feed: str, context: Context, item: Any, loose: bool
    ) -> Kept | Refused:
        source = arrival.source
        try:
            if not isinstance(item, dict):
                raise Bad("not_a_record", None, type(item).__name__)
            mapped = self._mapped(arrival.config, item)
            source, mapped = _opened(mapped, feed, source)
            if source != context.source:
                context = Context(context.opds, context.day_of, context.zone, context.now_us, source)
            record = _converted(_plain(mapped) if loose else mapped, RECORDS[feed], strict=not loose)
            return Kept(index, feed, source, ROWS[feed](record, context), record)
        except Bad as bad:
            return Refused(index, feed, source, bad.reason, bad.field, bad.detail, raw_text(item))
        except OverflowError as error:
            return Refused(index, feed, source, "out_of_range", None, str(error), raw_text(item))

    def _mapped(self, config: str, item: dict[str, Any]) -> dict[str, Any]:
        field_map = self._maps.get(config)
        if field_map is None:
            return item
        try:
            return field_map.apply(item)
        except ValueError as error:
            name, _, detail = str(error).partition(": ")
            raise Bad("bad_mapping", name, detail) from None


def _parsed(payload: bytes | Mapping[str, Any]) -> Any:
    """The payload as Python values. Raises Bad for what is not JSON."""
    if not isinstance(payload, bytes):
        return dict(payload)
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _not_json(payload, str(error)) from None


def _not_json(payload: bytes, detail: str) -> Bad:
    """Why it is not JSON: bytes of another encoding, NaN or Infinity (RFC 8259, section 6), or broken."""
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        return Bad("not_utf8", None, str(error))
    try:
        loose = json.loads(text)
    except (ValueError, RecursionError):
        return Bad("bad_json", None, detail)
    for item in loose if isinstance(loose, list) else [loose]:
        if isinstance(item, dict):
            for name, value in item.items():
                if isinstance(value, float) and not math.isfinite(value):
                    return Bad("not_a_number", str(name), str(value))
    return Bad("bad_json", None, detail)


def _opened(item: dict[str, Any], feed: str, source: str) -> tuple[str, dict[str, Any]]:
    """The record out of a CloudEvents 1.0 envelope (structured mode), or the item as it is.

    `id`, `source` and `time` come from the envelope, the record from `data`.
    """
    if "specversion" not in item:
        return source, item
    data = item.get("data")
    if not isinstance(data, dict):
        raise Bad("not_a_record", "data", type(data).__name__)
    record = {**data, "id": item.get("id")}
    moment = MOMENT.get(feed)
    if moment is not None and "time" in item and moment not in record:
        record[moment] = item["time"]
    named = item.get("source")
    if not isinstance(named, str) or not 0 < len(named) <= 200 or not named.isprintable():
        raise Bad("wrong_type" if named is not None else "missing_field", "source", str(named)[:100])
    return named, record


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    """A row's values as a record knows them: a database says Decimal and numbers for names."""
    found = {}
    for name, value in item.items():
        if value is None or (value == "" and name != "id"):
            continue
        if isinstance(value, Decimal):
            value = int(value) if value == value.to_integral_value() else float(value)
        elif isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if name in _TEXT and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        elif name in _DAYS and isinstance(value, datetime):
            value = value.date()
        elif isinstance(value, date) and not isinstance(value, datetime) and name not in _DAYS:
            value = datetime.combine(value, time())
        found[name] = value
    return found


_TEXT = frozenset(
    {"id", "opd", "app", "employee", "code", "request", "system", "interface", "device", "kelurahan", "name"}
)
_DAYS = frozenset({"day", "due_on", "done_on"})


def _converted(item: dict[str, Any], kind: type[Record], *, strict: bool) -> Record:
    try:
        return msgspec.convert(item, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise _reason(str(error), item) from None


def _reason(text: str, item: dict[str, Any]) -> Bad:
    """msgspec's sentence as a reason code and the field it speaks of."""
    if "missing required field" in text:
        found = _QUOTED.search(text)
        return Bad("missing_field", found[1] if found else None)
    place = _FIELD.search(text)
    field = place[1] if place else None
    value = str(item.get(field))[:80] if field else ""
    if "Invalid RFC3339" in text or "Expected `datetime" in text or "Expected `date" in text:
        return Bad("bad_time", field, value)
    if "of length <=" in text:
        return Bad("too_long", field, f"{len(str(item.get(field)))} characters" if field else text)
    if "of length >=" in text:
        return Bad("missing_field", field)
    if "Invalid enum value" in text:
        return Bad("bad_value", field, value)
    if "null`, got `null`" in text or text.startswith("Expected `str`, got `null`"):
        return Bad("missing_field", field)
    if "Expected `int` <=" in text or "Expected `int` >=" in text or "out of range" in text:
        return Bad("out_of_range", field, value)
    return Bad("wrong_type", field, f"{text.split(' - ')[0]}: {value}" if value else text)
