"""Payload → records → rows: everything that is decided before the store is touched."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec

from ingest.arrivals import Arrival
from ingest.fields import FUTURE, Bad, Context, storable
from ingest.horizons import Horizons, KeptMonths
from ingest.mapping import field_maps
from ingest.masks import PERSON, mask
from ingest.records import MOMENT, RECORDS, Record
from ingest.rows import ROWS, Row
from kpis.clock import Now
from kpis.config import Settings
from kpis.days import DayOf
from kpis.store import micros

_FIELD = re.compile(r"\$\.([A-Za-z_]+)")
_QUOTED = re.compile(r"`([A-Za-z_]+)`")


class Kept(msgspec.Struct, gc=False):
    """One usable record of one feed; `came` is its payload, for a reject that the store decides on."""

    index: int
    feed: str
    source: str
    row: Row
    came: Any


@dataclass(slots=True)
class Refused:
    """One record that cannot be used, with its own part of the payload; `opd` is whose it says it is."""

    index: int
    feed: str | None
    source: str
    reason: str
    field: str | None
    detail: str
    raw: str
    opd: str | None = None


def _run_of_one(arrivals: Sequence[Arrival], start: int) -> int:
    """Where the arrivals of the same source, configuration and feed as that at `start` end."""
    first = arrivals[start]
    source, config, feed = first.source, first.config, first.feed
    for index in range(start + 1, len(arrivals)):
        a = arrivals[index]
        # A door hands out the same strings again and again, so that looking at their address will do.
        if (a.source is not source and a.source != source) or a.config != config or a.feed != feed:
            return index
    return len(arrivals)


def _refused_source(arrivals: Sequence[Arrival], start: int, end: int, problem: str) -> Iterator[Refused]:
    name = storable(arrivals[start].source[:100])
    for index in range(start, end):
        arrival = arrivals[index]
        yield Refused(index, arrival.feed, name, problem, "source", "", raw_text(arrival.payload))


def _refused_feed(arrivals: Sequence[Arrival], start: int, end: int) -> Iterator[Refused]:
    for index in range(start, end):
        arrival = arrivals[index]
        place = storable(arrival.place[:300])
        yield Refused(index, None, arrival.source, "unknown_feed", None, place, raw_text(arrival.payload))


def raw_text(payload: Any) -> str:
    """What came in as text that any store can keep."""
    if isinstance(payload, bytes):
        return storable(payload.decode("utf-8", "backslashreplace"))
    try:
        return storable(json.dumps(payload, default=str, ensure_ascii=False))
    except (ValueError, RecursionError):
        # Integers too long and lists too deep for json are still told by their own spelling.
        return storable(msgspec.json.encode(payload, enc_hook=str).decode())


def hidden(raw: str, secret: str) -> str:
    """JSON text without a value that is a person's own."""
    return raw.replace(json.dumps(secret, ensure_ascii=False)[1:-1], PERSON)


class Reader:
    """Turns arrivals into rows and refusals by the city's settings. Thread-safe.

    `kept` tells from which month on each feed is whole, where older records were removed.
    """

    def __init__(self, settings: Settings, now: Now, kept: KeptMonths = dict) -> None:
        self._now = now
        self._horizons = Horizons(settings, now, kept)
        self._opds = frozenset(opd.code for opd in settings.city.opds)
        self._day_of = DayOf(settings.zone)
        self._maps = field_maps(settings)
        self._sources = {s.name: s for s in settings.sources}
        self._rows = ROWS
        self._decoders = {feed: msgspec.json.Decoder(kind) for feed, kind in RECORDS.items()}

    @property
    def ready(self) -> bool:
        """Whether reading needs no look at the store any more."""
        return self._horizons.known

    def read(self, arrivals: Sequence[Arrival]) -> Iterator[Kept | Refused]:
        """Every record of the arrivals once, in order."""
        horizon = micros(self._now() + FUTURE)
        self._rows = self._horizons.rows()
        start = 0
        while start < len(arrivals):
            # Most batches are one source's: what holds for all of its records is looked up once.
            end = _run_of_one(arrivals, start)
            first = arrivals[start]
            context = self._context(first, horizon)
            problem = unfit(first.source)
            if problem is not None:
                yield from _refused_source(arrivals, start, end, problem)
            elif first.feed is None or first.feed not in RECORDS:
                yield from _refused_feed(arrivals, start, end)
            elif first.config in self._maps:
                for index in range(start, end):
                    yield from self._slowly(index, arrivals[index], first.feed, context)
            else:
                yield from self._quickly(arrivals, start, end, first.feed, context)
            start = end

    def _quickly(
        self, arrivals: Sequence[Arrival], start: int, end: int, feed: str, context: Context
    ) -> Iterator[Kept | Refused]:
        """The usual case, one JSON record and no map, in one call; whatever fails is looked at slowly."""
        decode, row, source = self._decoders[feed].decode, self._rows[feed], context.source
        for index in range(start, end):
            arrival = arrivals[index]
            payload = arrival.payload
            if isinstance(payload, bytes):
                context.plain = payload.isascii() and b"\\" not in payload and b"\x7f" not in payload
                try:
                    kept = Kept(index, feed, source, row(decode(payload), context), payload)
                except (msgspec.DecodeError, UnicodeDecodeError, Bad, OverflowError, RecursionError):
                    pass
                else:
                    yield kept
                    continue
            context.plain = False
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
        whole = not isinstance(parsed, list)
        for item in items:
            yield self._one(index, arrival, feed, context, item, loose=loose, whole=whole)

    def _one(
        self,
        index: int,
        arrival: Arrival,
        feed: str,
        context: Context,
        item: Any,
        *,
        loose: bool,
        whole: bool,
    ) -> Kept | Refused:
        source, opd = arrival.source, None
        came = arrival.payload if whole else item
        try:
            if not isinstance(item, dict):
                raise Bad("not_a_record", None, type(item).__name__)
            opd = self._whose(item)
            _finite(item)
            mapped = self._mapped(arrival.config, item)
            source, mapped = _opened(mapped, feed, source)
            opd = self._whose(mapped) or opd
            if source != context.source:
                context = Context(context.opds, context.day_of, context.zone, context.now_us, source)
            record = _converted(_plain(mapped) if loose else mapped, RECORDS[feed], strict=not loose)
            return Kept(index, feed, source, self._rows[feed](record, context), came)
        except Bad as bad:
            raw = raw_text(came) if bad.secret is None else hidden(raw_text(item), bad.secret)
            return Refused(index, feed, source, bad.reason, bad.field, bad.detail, raw, opd)
        except OverflowError as error:
            return Refused(index, feed, source, "out_of_range", None, str(error), raw_text(came), opd)

    def _whose(self, item: dict[str, Any]) -> str | None:
        """The OPD a record names, when the city has one of that code."""
        opd = item.get("opd")
        return opd if isinstance(opd, str) and opd in self._opds else None

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
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _nearly_json(payload, str(error))


def _nearly_json(payload: bytes, detail: str) -> Any:
    """What many programs write although RFC 8259 does not know it: NaN, Infinity, half a surrogate pair.

    Each record is judged by itself then, so that one such number costs no other record of its array.
    """
    try:
        return json.loads(payload.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Bad("not_utf8", None, str(error)) from None
    except (ValueError, RecursionError):
        raise Bad("bad_json", None, detail) from None


def _finite(item: dict[str, Any]) -> None:
    """Raises Bad for the first field that holds NaN or Infinity (RFC 8259, section 6)."""
    for name, value in item.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise Bad("not_a_number", str(name)[:100], str(value))


def _opened(item: dict[str, Any], feed: str, source: str) -> tuple[str, dict[str, Any]]:
    """The record out of a CloudEvents 1.0 envelope (structured mode), or the item as it is.

    `id`, `source` and `time` come from the envelope, the record from `data`.
    """
    if "specversion" not in item:
        return source, item
    version = item["specversion"]
    if not isinstance(version, str) or not version.startswith("1."):
        raise Bad("bad_value", "specversion", str(version)[:100])
    data = item.get("data")
    if not isinstance(data, dict):
        raise Bad("missing_field" if data is None else "not_a_record", "data", type(data).__name__)
    record = {**data, "id": item.get("id")}
    moment = MOMENT.get(feed)
    if moment is not None and "time" in item and moment not in record:
        record[moment] = item["time"]
    named = item.get("source")
    if named is None:
        raise Bad("missing_field", "source")
    if not isinstance(named, str):
        raise Bad("wrong_type", "source", str(named)[:100])
    problem = unfit(named)
    if problem is not None:
        raise Bad(problem, "source", named[:100])
    return named, record


def unfit(source: str) -> str | None:
    """Why a source cannot go by this name, or None. A store's index holds some 2,700 bytes."""
    if not source:
        return "missing_field"
    if len(source) > 200:
        return "too_long"
    return None if source.isprintable() else "control_character"


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
    if "got `null`" in text:
        return Bad("missing_field", field)
    value = mask(str(item.get(field))[:400])[:80] if field else ""
    if "Invalid RFC3339" in text or "Expected `datetime" in text or "Expected `date" in text:
        return Bad("bad_time", field, value)
    if "of length <=" in text:
        return Bad("too_long", field, f"{len(str(item.get(field)))} characters" if field else text)
    if "of length >=" in text:
        return Bad("missing_field", field)
    if "Invalid enum value" in text:
        return Bad("bad_value", field, value)
    if "Expected `int` <=" in text or "Expected `int` >=" in text or "out of range" in text:
        return Bad("out_of_range", field, value)
    return Bad("wrong_type", field, value or text)
