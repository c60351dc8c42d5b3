"""Windows that come back by a rule (RRULE of RFC 5545), on the local clock."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from monitor.sla.intervals import Interval
from monitor.sla.months import from_ms, local_ms

OCCURRENCES = 1_000
"""At most, of one rule."""

_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_PARTS = ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS", "WKST")
_HORIZON_MS = 3660 * 24 * 3_600_000
"""A rule is followed no further: one that nothing fulfils would go on for ever."""
_MINUTE_MS = 60_000


def occurrences(rule: str, first: Interval, until_ms: int, zone: ZoneInfo) -> list[Interval]:
    """The windows of a rule that begin before ``until_ms``, in ms of UTC; the first is given.

    Each begins and ends when the local clock shows what it shows at the first, so that a window on a day of DST
    has its real length; one that lies wholly in what the clock skips is none. Raises ValueError with what was
    expected.
    """
    begin, end = (_on_the_clock(instant_ms, zone) for instant_ms in first)
    if until_ms <= first[0] or max(until_ms, first[1]) - first[0] > _HORIZON_MS:
        raise ValueError("expected the rule to end after the first window, and within ten years")
    found: list[Interval] = []
    for start in _rule(rule, begin).replace(until=_local(until_ms, zone)):
        if not found and start != begin:
            raise ValueError(
                f"expected a first window that {rule} names, not one that begins at {begin.isoformat(' ')}"
            )
        window = _instant(start, zone), _instant(start + (end - begin), zone)
        if window[0] < min(window[1], until_ms):
            found.append(window)
        if len(found) > OCCURRENCES:
            raise ValueError(f"expected at most {OCCURRENCES} windows; {rule} names more in that time")
    if not found:
        raise ValueError(f"{rule} names no window in that time")
    return found


def _rule(text: str, begin: datetime) -> rrule:
    parts = dict.fromkeys(part.partition("=")[0].upper() for part in text.split(";"))
    if unknown := [part for part in parts if part not in _PARTS]:
        raise ValueError(
            f"expected a rule such as FREQ=WEEKLY;BYDAY=SU of {', '.join(_PARTS)}, not {unknown[0]!r:.40}"
        )
    try:
        rule = rrulestr(text.upper(), dtstart=begin)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError):
        raise ValueError(f"expected a rule such as FREQ=WEEKLY;BYDAY=SU, not {text!r:.80}") from None
    if not any(f"FREQ={frequency}" in text.upper().split(";") for frequency in _FREQUENCIES):
        raise ValueError(f"expected a frequency of {', '.join(_FREQUENCIES)}")
    if rule._interval < 1:
        raise ValueError("expected an interval of 1 at least")
    return rule


def _local(instant_ms: int, zone: ZoneInfo) -> datetime:
    return from_ms(instant_ms, zone).replace(tzinfo=None)


def _on_the_clock(instant_ms: int, zone: ZoneInfo) -> datetime:
    local = _local(instant_ms, zone)
    if instant_ms % _MINUTE_MS or _instant(local, zone) != instant_ms:
        raise ValueError(
            "expected a window that begins and ends at whole minutes, and not in an hour that the clock shows again"
        )
    return local


def _instant(local: datetime, zone: ZoneInfo) -> int:
    return local_ms(date(local.year, local.month, local.day), local.hour * 60 + local.minute, zone)
