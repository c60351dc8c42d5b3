"""How a language writes dates, durations, numbers and amounts. Ratios arrive truncated, and are never rounded here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, cached_property

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import (
    format_currency,
    format_decimal,
    get_decimal_symbol,
    get_plus_sign_symbol,
)

from monitor.claims.recorded import RECORDED, RECORDED_OF
from monitor.claims.words import LANGUAGES, WORDS

_PLACES = {"fr": "fr", "en": "en_150", "de": "de"}
"""English as it is written in Europe: days come before months, and the euro after its amount."""

_NBSP = "\u00a0"


@dataclass(frozen=True)
class Language:
    """``fr``, ``en`` or ``de``. Blanks within a number or date are not broken over lines."""

    code: str

    @cached_property
    def _locale(self) -> Locale:
        return Locale.parse(_PLACES[self.code])

    def word(self, key: str, **values: object) -> str:
        """A word or sentence of the documents."""
        return WORDS[key][LANGUAGES.index(self.code)].format(**values)

    def recorded(self, text: str) -> str:
        """What was recorded: in the language where Ringback wrote it, else as it stands."""
        language = LANGUAGES.index(self.code)
        if text in RECORDED:
            return RECORDED[text][language]
        for pattern, texts in _patterns():
            found = pattern.fullmatch(text)
            if found is not None:
                return texts[language].format(**found.groupdict())
        return text

    def month(self, month: str) -> str:
        """``2026-10``: octobre 2026."""
        return str(format_skeleton("yMMMM", datetime.fromisoformat(f"{month}-01"), locale=self._locale))

    def day(self, instant: str) -> str:
        """Of an ISO instant: 5 oct. 2026, 1er oct. 2026."""
        text = format_date(datetime.fromisoformat(instant), "medium", locale=self._locale)
        if self.code == "fr":
            text = re.sub(r"^1\b", "1er", text)
        return str(text).replace(" ", _NBSP)

    def instant(self, instant: str | None) -> str:
        """Of an ISO instant, in its own offset: 5 oct. 2026 10:00:00 +02:00; None was not seen."""
        if instant is None:
            return self.word("not seen")
        at = datetime.fromisoformat(instant)
        milliseconds = at.microsecond // 1000
        rest = f"{self._point}{milliseconds:03}" if milliseconds else ""
        offset = at.isoformat()[-6:]
        return f"{self.day(instant)} {at:%H:%M:%S}{rest}{_NBSP}{offset}"

    def duration(self, milliseconds: int | None) -> str:
        """Exact: 1 h 12 min 03,250 s; None was not seen."""
        if milliseconds is None:
            return self.word("not seen")
        seconds, ms = divmod(milliseconds, 1000)
        values = (seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60, seconds % 60)
        units = (self.word("day"), "h", "min", "s")
        first = next((i for i, value in enumerate(values) if value), 3)
        rest = f"{self._point}{ms:03}" if ms else ""
        parts = []
        for i in range(first, 4):
            digits = f"{values[i]:02}" if i > first else str(values[i])
            parts.append(f"{digits}{rest if i == 3 else ''}{_NBSP}{units[i]}")
        return " ".join(parts)

    def number(self, digits: str | int) -> str:
        """A decimal string with exactly its digits, grouped."""
        text = str(digits)
        places = len(text.partition(".")[2])
        return str(format_decimal(Decimal(text), _pattern(places), locale=self._locale))

    def milliseconds(self, count: str | int) -> str:
        """2 682 000 000 ms."""
        return f"{self.number(count)}{_NBSP}ms"

    def percent(self, text: str) -> str:
        """Of ``99.7315 %`` or ``99.7315``."""
        pattern = self._locale.percent_formats[None].pattern
        return str(pattern.replace("#,##0", self.number(text.rstrip(" %"))))

    def money(self, amount: str | None, currency: str | None) -> str:
        """With the digits as written; None is to be agreed."""
        if amount is None or currency is None:
            return self.word("agreed later")
        written = format_currency(Decimal(amount), currency, locale=self._locale, decimal_quantization=False)
        return str(written)

    def difference(self, amount: str, currency: str) -> str:
        """With its sign."""
        sign = get_plus_sign_symbol(self._locale) if Decimal(amount) > 0 else ""
        return sign + self.money(amount, currency)

    @cached_property
    def _point(self) -> str:
        return str(get_decimal_symbol(self._locale))


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], tuple[str, str, str]], ...]:
    """What tells each recorded reason, with its texts."""
    return tuple(
        (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(texts[1])), re.DOTALL), texts)
        for texts in RECORDED_OF
    )


def _pattern(places: int) -> str:
    return f"#,##0.{'0' * places}" if places else "#,##0"
