"""Money: a decimal amount in a currency, rounded once and at the end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

_FORM = re.compile(r"(\d{1,12}(?:\.\d{1,4})?)\s+([A-Z]{3})")

_MINOR_DIGITS = {
    currency: digits
    for digits, currencies in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        3: "BHD IQD JOD KWD LYD OMR TND",
    }.items()
    for currency in currencies.split()
}
"""Digits of the minor unit where they are not two (ISO 4217)."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount as it was written, and its currency by ISO 4217."""

    amount: Decimal
    currency: str

    @staticmethod
    def parse(text: object) -> Money:
        """Of ``100.00 EUR``. Raises ValueError with what was expected."""
        match = _FORM.fullmatch(text.strip()) if isinstance(text, str) else None
        if match is None:
            raise ValueError(f"expected an amount and a currency such as 100.00 EUR, not {text!r}")
        return Money(Decimal(match[1]), match[2])

    @property
    def digits(self) -> int:
        """Digits of the currency's minor unit."""
        return _MINOR_DIGITS.get(self.currency, 2)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


def rounded(exact: Fraction, currency: str) -> Money:
    """An exact amount, rounded half up to the currency's minor unit."""
    digits = _MINOR_DIGITS.get(currency, 2)
    scaled = exact * 10**digits
    units = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Money(Decimal(units).scaleb(-digits), currency)
