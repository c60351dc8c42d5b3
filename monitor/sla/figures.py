"""How numbers are written: truncated, never rounded past a guarantee."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

_PLACES = 8
_PERCENT_PLACES = 4


def decimal(value: Fraction, places: int = _PLACES) -> str:
    """A decimal string, truncated, without trailing zeros: ``0.99731543``, ``1``."""
    sign = "-" if value.numerator < 0 else ""
    scaled = abs(value.numerator) * 10**places // value.denominator
    whole, rest = divmod(scaled, 10**places)
    digits = f"{rest:0{places}}".rstrip("0") if places else ""
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


def written(value: Decimal) -> str:
    """A decimal with its digits as written: ``0.9990``."""
    return f"{value:f}"


def plain_ratio(value: Decimal) -> str:
    """A configured ratio as a percentage, digits as written: ``99.90 %``."""
    return f"{value.scaleb(2):f} %"


def percentage(ratio: Fraction, guarantee: Decimal | None = None) -> str:
    """A truncated percentage: 99.949999 against a guarantee of 99.95 is ``99.9499 %``.

    It has at least the digits in which the guarantee is written, so that what is below it looks so.
    """
    places = _PERCENT_PLACES
    if guarantee is not None:
        exponent = guarantee.scaleb(2).as_tuple().exponent
        assert isinstance(exponent, int)
        places = max(places, -exponent)
    whole, rest = divmod(ratio.numerator * 10 ** (places + 2) // ratio.denominator, 10**places)
    return f"{whole}.{rest:0{places}} %"


def duration(milliseconds: int) -> str:
    """For people, and exact: ``1 h 12 min 03.250 s``, ``850 ms``, ``2 d 03 h 00 min 00 s``."""
    sign, ms = ("-", -milliseconds) if milliseconds < 0 else ("", milliseconds)
    if 0 < ms < 1_000:
        return f"{sign}{ms} ms"
    seconds, rest = divmod(ms, 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    tail = f".{rest:03}" if rest else ""
    if days:
        return f"{sign}{days} d {hours:02} h {minutes:02} min {seconds:02}{tail} s"
    if hours:
        return f"{sign}{hours} h {minutes:02} min {seconds:02}{tail} s"
    if minutes:
        return f"{sign}{minutes} min {seconds:02}{tail} s"
    return f"{sign}{seconds}{tail} s"
