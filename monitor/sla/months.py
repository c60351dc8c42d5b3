"""Calendar months and instants in a contract's time zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.sla.intervals import Interval

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_FINER = re.compile(r"[.,]\d{3}\d*[1-9]")
"""Digits after the milliseconds. datetime drops those after the microseconds without a word."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_QUARTER_MS = 15 * 60_000
_YEARS = range(1971, 9999)


class Month(NamedTuple):
    """A calendar month."""

    year: int
    month: int

    @staticmethod
    @lru_cache(maxsize=1024)
    def parse(text: str) -> Month:
        """Of ``2026-10``. Raises ValueError with what was expected. Thousands of rows name the same few."""
        match = _MONTH.fullmatch(text)
        if match is None or int(match[1]) not in _YEARS:
            raise ValueError(f"expected a month such as 2026-10, not {text!r}")
        return Month(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def next(self) -> Month:
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def previous(self) -> Month:
        return Month(self.year - (self.month == 1), (self.month - 2) % 12 + 1)


def to_ms(instant: datetime) -> int:
    """An aware datetime in whole milliseconds of UTC."""
    return (instant - _EPOCH) // _MS


def from_ms(instant_ms: int, zone: ZoneInfo) -> datetime:
    """Local time, with its offset."""
    return (_EPOCH + instant_ms * _MS).astimezone(zone)


def local_ms(day: date, minute: int, zone: ZoneInfo) -> int:
    """The instant at which a local clock first shows that minute of the day, or passes it where it is skipped."""
    naive = datetime(day.year, day.month, day.day, minute // 60, minute % 60)
    early = to_ms(naive.replace(tzinfo=zone, fold=0))
    late = to_ms(naive.replace(tzinfo=zone, fold=1))
    if early <= late:
        return early
    offset = from_ms(early, zone).utcoffset()
    while early - late > 1:  # skipped: the clock jumps over it, at an instant between the two readings
        middle = (early + late) // 2
        if from_ms(middle, zone).utcoffset() == offset:
            early = middle
        else:
            late = middle
    return early


def midnight_ms(day: date, zone: ZoneInfo) -> int:
    """The first instant of a local day; where its midnight is skipped, the first that the day has."""
    return local_ms(day, 0, zone)


@lru_cache(maxsize=4096)
def bounds(month: Month, zone: ZoneInfo) -> Interval:
    """From the first local midnight of the month to the first of the next, in milliseconds of UTC.

    Thousands of services ask for the same few.
    """
    following = month.next
    return (
        midnight_ms(date(month.year, month.month, 1), zone),
        midnight_ms(date(following.year, following.month, 1), zone),
    )


def month_of(instant_ms: int, zone: ZoneInfo) -> Month:
    """The month in whose bounds an instant lies, also where clocks go back over the midnight that begins one."""
    local = from_ms(instant_ms, zone)
    month = Month(local.year, local.month)
    return month if instant_ms < bounds(month, zone)[1] else month.next


def local_iso(instant_ms: int, zone: ZoneInfo) -> str:
    """ISO 8601 with the zone's offset; milliseconds only where there are any."""
    number, inside_ms = divmod(instant_ms, _QUARTER_MS)
    quarter = _quarter(number, zone)
    if quarter is None:
        return from_ms(instant_ms, zone).isoformat(
            timespec="milliseconds" if instant_ms % 1000 else "seconds"
        )
    hour, minute, offset = quarter
    second, millisecond = divmod(inside_ms, 1000)
    tail = f".{millisecond:03}" if millisecond else ""
    return f"{hour}{minute + second // 60:02}:{second % 60:02}{tail}{offset}"


@lru_cache(maxsize=8192)
def _quarter(number: int, zone: ZoneInfo) -> tuple[str, int, str] | None:
    """A quarter of an hour of UTC as ISO 8601 writes it in a zone: up to the hour, its first minute, the offset.

    None where no quarter begins there, or the offset changes within it. The outages of thousands of services lie in
    the three thousand quarters of a month, and a look into the zone's rules takes three times as long.
    """
    first = from_ms(number * _QUARTER_MS, zone)
    last = from_ms((number + 1) * _QUARTER_MS - 1, zone)
    if first.minute % 15 or first.second or first.utcoffset() != last.utcoffset():
        return None
    text = first.isoformat(timespec="seconds")
    return text[:14], first.minute, text[19:]


def parse_instant(text: str, zone: ZoneInfo) -> int:
    """Milliseconds of UTC of an ISO 8601 instant; without an offset, in the contract's zone.

    A local time that the zone has twice is the earlier of the two; one that it skips is refused, and so is
    anything finer than a millisecond. Raises ValueError with what was expected.
    """
    try:
        instant = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise ValueError(f"expected an instant such as 2026-10-01T08:30:00+02:00, not {text!r}") from None
    if instant.year not in _YEARS:
        raise ValueError(f"expected a year from 1971 to 9998, not {text!r}")
    if _FINER.search(text):
        raise ValueError(f"expected whole milliseconds, not {text!r}")
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=zone)
        if instant.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != instant.replace(tzinfo=None):
            raise ValueError(f"{text!r} is a time that {zone.key} skips; give an offset")
    return to_ms(instant)
