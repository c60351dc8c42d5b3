"""Money: a decimal amount in a currency, rounded once and at the end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

_FORM = re.compile(r"(\d{1,12}(?:\.\d{1,4})?)\s+([A-Z]{3})", re.ASCII)

_AMOUNT = re.compile(r"-?\d{1,12}(?:\.\d{1,4})?", re.ASCII)

_MINOR_DIGITS = {
    currency: digits
    for digits, currencies in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        2: (
            "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD "
            "CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL "
            "GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR "
            "LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB "
            "PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP "
            "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
        ),
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }.items()
    for currency in currencies.split()
}
"""Digits of the minor unit (ISO 4217); a few currencies of the past are kept for past months."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount as it was written, and its currency by ISO 4217. Raises ValueError for any other."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not is_currency(self.currency):
            raise ValueError(f"expected a currency of ISO 4217 such as EUR, not {self.currency!r}")

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
        return _MINOR_DIGITS[self.currency]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


def is_currency(code: str) -> bool:
    """Whether ISO 4217 has it, with a minor unit."""
    return code in _MINOR_DIGITS


def parse_amount(text: str) -> Decimal:
    """Of ``60.00`` or ``-12.50``. Raises ValueError with what was expected."""
    if _AMOUNT.fullmatch(text.strip()) is None:
        raise ValueError(f"expected an amount such as 60.00, not {text!r:.40}")
    return Decimal(text.strip())


def rounded(exact: Fraction, currency: str) -> Money:
    """An exact amount, rounded half up to the currency's minor unit."""
    digits = _MINOR_DIGITS[currency]
    scaled, divisor = exact.numerator * 10**digits, exact.denominator
    units = (2 * scaled + divisor) // (2 * divisor)
    return Money(Decimal(units).scaleb(-digits), currency)
