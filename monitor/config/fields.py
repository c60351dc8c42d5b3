"""The quantities and names that stand in a configuration, from the text as it is written."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

from monitor.sla.money import Money
from probes.units import Ratio

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_ADDRESS = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s:\[\]]+)):(?P<port>\d{1,5})")
_DAYS = re.compile(r"(\d{1,4})\s*d", re.ASCII)
_LONGEST_CLAIM_D = 3_660
_YEARS = range(1971, 9999)
_LABEL_LENGTH = 200
_TARGET_LENGTH = 2_000


def identifier(text: str) -> str:
    """The text, if it can name a service, a plan or a tag. Raises ValueError with what was expected."""
    if _IDENTIFIER.fullmatch(text) is None:
        raise ValueError(f"expected a letter or digit, then up to 63 of A-Z a-z 0-9 . _ -, not {text!r:.80}")
    return text


def _line(text: str, length: int) -> str:
    if not (text.strip() and text.isprintable() and len(text) <= length):
        raise ValueError(f"expected one line of text, at most {length} characters")
    return text


def _path(value: object) -> object:
    return _line(value, _TARGET_LENGTH) if isinstance(value, str) else value


@cache
def _zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # the last for a directory, such as "Europe"
        raise ValueError(f"expected a time zone such as Europe/Luxembourg, not {name!r:.80}") from None
    return name


def parse_day(value: object) -> datetime.date:
    """The date of ``2026-01-31``. Raises ValueError with what was expected.

    From 1971 to 9998, so that every instant of it can be counted in every zone.
    """
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            day = datetime.date.fromisoformat(value)
            if day.year in _YEARS:
                return day
    except ValueError:
        pass
    raise ValueError(f"expected a date such as 2026-01-31, not {value!r:.80}")


def parse_address(value: object) -> tuple[str, int]:
    """Host and port of ``127.0.0.1:9877`` or ``[::1]:9877``. Raises ValueError with what was expected."""
    match = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match["port"]) > 65535:
        raise ValueError(f"expected HOST:PORT, such as 127.0.0.1:9877 or [::1]:9877, not {value!r:.80}")
    return match["v6"] or match["host"], int(match["port"])


def _guarantee(share: Decimal) -> Decimal:
    if not 0 < share <= 1:
        raise ValueError("expected a share above 0 % and at most 100 %")
    return share


def _unless_none(value: object) -> object:
    return None if value == "none" else value


Identifier = Annotated[str, AfterValidator(identifier)]
Label = Annotated[str, AfterValidator(lambda text: _line(text, _LABEL_LENGTH))]
Target = Annotated[str, AfterValidator(lambda text: _line(text, _TARGET_LENGTH))]
FilePath = Annotated[Path, BeforeValidator(_path)]
Fee = Annotated[Money, BeforeValidator(Money.parse)]
Guarantee = Annotated[Ratio, AfterValidator(_guarantee)]
Zone = Annotated[str, AfterValidator(_zone)]
Day = Annotated[datetime.date, BeforeValidator(parse_day)]
Address = Annotated[tuple[str, int], BeforeValidator(parse_address)]


def parse_country(value: object) -> str:
    """A country whose public holidays are known. Raises ValueError with what was expected."""
    from holidays import list_supported_countries  # noqa: PLC0415 - only few plans need it

    if not isinstance(value, str) or value not in list_supported_countries():
        raise ValueError(f"expected none or the code of a country, such as 'LU', not {value!r:.40}")
    return value


Country = Annotated[str, BeforeValidator(parse_country)]
"""ISO 3166-1 alpha-2."""


def parse_claim_period(value: object) -> int | Literal["month_end"]:
    """Days of ``30d``, or ``month_end``. Raises ValueError with what was expected."""
    if value == "month_end":
        return "month_end"
    match = _DAYS.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or not 0 < int(match[1]) <= _LONGEST_CLAIM_D:
        raise ValueError(f"expected 1d to {_LONGEST_CLAIM_D}d, month_end or none, not {value!r:.40}")
    return int(match[1])


ClaimPeriod = Annotated[int | Literal["month_end"], BeforeValidator(parse_claim_period)]

OrNone = BeforeValidator(_unless_none)
"""For a value that can be said not to be there: the word ``none``."""
