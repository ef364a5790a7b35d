"""Words and figures in the viewer's language and the city's time: gettext catalogue, Babel's forms.

Message ids are English; Indonesian stands in `locale/id/LC_MESSAGES/pendopo.po`, read as it is.
Numbers, times, dates and lists are CLDR's, by Babel. Two forms are the screens' own: a space before
the percent sign ("12,4 %"), and ages, whose short English units CLDR would bend ("38 mins").
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from math import floor
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.lists import format_list
from babel.messages.pofile import read_po
from babel.numbers import format_compact_decimal, format_decimal

from kpis.types import Unit

MISSING = "—"
LOCALE = Path(__file__).parent / "locale"
# The forms of a language: English as in Britain, day before month and 24 hours, as the city reads them.
LOCALES = {"id": "id_ID", "en": "en_GB"}
_NBSP = "\u00a0"


def msg(text: str) -> str:
    """Mark a message id that reaches `Words.t` through a table; the catalogue test collects it."""
    return text


@lru_cache(maxsize=8)
def catalogue(language: str) -> dict[str, str]:
    """Message id → text for a language; empty when it has no catalogue (English needs none)."""
    path = LOCALE / language / "LC_MESSAGES" / "pendopo.po"
    if not path.exists():
        return {}
    with path.open("rb") as file:
        entries = read_po(file, locale=language)
    return {_first(entry.id): _first(entry.string) for entry in entries if entry.id and entry.string}


def _first(text: str | Sequence[str]) -> str:
    """A message that counts is kept under its singular; Indonesian has one form for every number."""
    return text if isinstance(text, str) else text[0]


class Words:
    """One language in one time zone. `language` is "id" or "en", `timezone` an IANA name.

    `keep` is what a link of ours holds beside the language: the days that are looked at.
    """

    def __init__(self, language: str, timezone: str, keep: tuple[tuple[str, str], ...] = ()) -> None:
        self.language = language
        self.keep = dict(keep)
        self.timezone = timezone
        self.locale = LOCALES[language]
        self._zone = ZoneInfo(timezone)
        self._texts = catalogue(language)

    def t(self, text: str, **values: object) -> str:
        """The message in this language with `{name}` filled in; the id itself where none is kept."""
        found = self._texts.get(text, text)
        return found.format(**values) if values else found

    def n(self, one: str, many: str, count: int, **values: object) -> str:
        """The message that counts: `one` for 1 and `many` else, `{n}` the figure; both are one entry."""
        text = self._texts.get(one) or (one if count == 1 else many)
        return text.format(n=self.number(count), **values)

    def list(self, texts: Sequence[str]) -> str:
        """ "A, B, dan C" in Indonesian, "A, B and C" in English."""
        return str(format_list(list(texts), locale=self.locale))

    # -- figures ---------------------------------------------------------------------------------

    def number(self, value: float | None, decimals: int = 0) -> str:
        """1204 → "1.204" in Indonesian, "1,204" in English."""
        if value is None:
            return MISSING
        form = "#,##0" + ("." + "0" * decimals if decimals else "")
        text: str = format_decimal(value, format=form, locale=self.locale)
        return "0" if text == "-0" else text.replace("-", "−")

    def percent(self, share: float | None) -> str:
        """Digits of a share in percent, without the sign.

        Two decimals within one percent of 0 or 1, where uptimes and their targets differ; never
        rounded up to a 100 that was not reached nor down to a 0 that is not one.
        """
        if share is None:
            return MISSING
        value = round(share * 100, 9)
        if value in (0, 100):
            return self.number(value)
        if 99 < value < 100:
            return self.number(floor(value * 100) / 100, 2)
        if 0 < value < 1:
            return self.number(max(value, 0.01), 2)
        return self.number(value, 1)

    def share(self, share: float | None) -> str:
        """0.124 → "12,4 %"."""
        return MISSING if share is None else f"{self.percent(share)}{_NBSP}%"

    def value(self, value: float | None, unit: Unit) -> tuple[str, str]:
        """(digits, unit text); the unit text of a count is empty, its title names what is counted."""
        if value is None:
            return MISSING, ""
        if unit is Unit.SHARE:
            return self.percent(value), "%"
        if unit is Unit.COUNT:
            return self.number(value, 0 if float(value).is_integer() else 1), ""
        digits = self.number(value, 1 if abs(value) < 100 else 0)
        return digits, self._unit(digits, unit)

    def figure(self, value: float | None, unit: Unit) -> str:
        """Digits and unit in one text: "12,4 hari"."""
        digits, word = self.value(value, unit)
        return f"{digits}{_NBSP}{word}" if word else digits

    def limit(self, value: float, unit: Unit) -> str:
        """A target as it is configured, without trailing zeros: "10 %", "99,5 %", "7 hari"."""
        shown = round(value * 100, 6) if unit is Unit.SHARE else value
        text: str = format_decimal(shown, format="#,##0.###", locale=self.locale)
        word = self._unit(text, unit)
        return text.replace("-", "−") + (_NBSP + word if word else "")

    def _unit(self, digits: str, unit: Unit) -> str:
        """The word beside the digits that are shown: "1 day", but "1.0 days"."""
        if unit is Unit.DAYS:
            return self.t("day") if digits == "1" else self.t("days")
        if unit is Unit.HOURS:
            return self.t("hour") if digits == "1" else self.t("hours")
        return "%" if unit is Unit.SHARE else ""

    def money(self, rupiah: float | None) -> str:
        """Rupiah, whole."""
        return MISSING if rupiah is None else f"Rp{_NBSP}{self.number(rupiah)}"

    def rupiah(self, value: float | None) -> str:
        """Rupiah in short, as budgets are spoken of: "Rp 1,2 M" for a milliard, "Rp 260 jt"."""
        if value is None:
            return MISSING
        digits = 1 if abs(value) >= 1e9 else 0
        return f"Rp{_NBSP}{format_compact_decimal(value, locale=self.locale, fraction_digits=digits)}"

    # -- time ------------------------------------------------------------------------------------

    def age(self, span: timedelta | None) -> str:
        """Whole minutes below an hour, whole hours below a day, then whole days."""
        if span is None:
            return MISSING
        minutes = int(span.total_seconds() // 60)
        if minutes < 1:
            return self.t("<1 min")
        if minutes < 60:
            return self.t("{n} min", n=minutes)
        if minutes < 24 * 60:
            return self.t("{n} h", n=minutes // 60)
        return self.t("{n} d", n=self.number(minutes // (24 * 60)))

    def local(self, at: datetime) -> datetime:
        """The instant on the city's clock."""
        return at.astimezone(self._zone)

    def clock(self, at: datetime | None) -> str:
        """ "08.42" in Indonesian, "08:42" in English."""
        return MISSING if at is None else format_time(self.local(at), "short", locale=self.locale)

    def moment(self, at: datetime | None, now: datetime | None = None) -> str:
        """Weekday and time; against `now`, the time alone today and the date from a week away on."""
        if at is None:
            return MISSING
        days = (self.local(now).date() - self.local(at).date()).days if now else None
        if days == 0:
            return self.clock(at)
        if days is None or 0 < days < 7:
            return f"{self.weekday(self.local(at).date(), short=days is not None)} {self.clock(at)}"
        return f"{self.day(self.local(at).date())} {self.clock(at)}"

    def weekday(self, day: date, *, short: bool = False) -> str:
        """Senin, or Sen."""
        return format_date(day, "EEE" if short else "EEEE", locale=self.locale)

    def day(self, day: date | None) -> str:
        """17 Nov; with the year in `date`."""
        return MISSING if day is None else format_date(day, f"d'{_NBSP}'MMM", locale=self.locale)

    def day_year(self, day: date | None) -> str:
        """17 Nov 2026."""
        return MISSING if day is None else format_date(day, f"d'{_NBSP}'MMM'{_NBSP}'y", locale=self.locale)

    def date(self, day: date | None) -> str:
        """Senin, 17 November 2025 in Indonesian; Monday, 17 November 2025 in English."""
        return MISSING if day is None else format_date(day, "full", locale=self.locale)

    def minute(self, minute: int) -> str:
        """Minutes after midnight as a time of day."""
        return format_time(time(minute // 60 % 24, minute % 60), "short", locale=self.locale)


@lru_cache(maxsize=64)
def words_for(language: str, timezone: str, keep: tuple[tuple[str, str], ...] = ()) -> Words:
    """The cached words of a language and zone, and what their links keep."""
    return Words(language, timezone, keep)
