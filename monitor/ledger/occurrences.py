"""Windows that come again: by a rule of RFC 5545 in local time, or from a calendar file. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from dateutil.rrule import rrulestr

from monitor.ledger.errors import LedgerError
from monitor.ledger.excluding import MOST
from monitor.sla.months import from_ms, local_ms, midnight_ms, to_ms
from monitor.store.exclusions import REASON_LENGTH

_RULE = re.compile(r"(?:RRULE:)?FREQ=(?:DAILY|WEEKLY|MONTHLY|YEARLY)(?:;[A-Z]+=[A-Z0-9,+-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """``[from_ms, to_ms)`` for a reason. ``name`` is the same each time that it is read."""

    name: str
    from_ms: int
    to_ms: int
    reason: str


def repeated(
    rule: str, first: tuple[int, int], until_ms: int, zone: ZoneInfo, reason: str
) -> list[Occurrence]:
    """A window by a rule such as ``FREQ=WEEKLY;BYDAY=SU``, from its first instant on and before ``until_ms``.

    It begins and ends at the same local time, also where clocks change in between: on such a day it is an hour
    longer or shorter. ``first`` is where counting starts (DTSTART): the rule decides whether it is a window itself.
    Raises LedgerError with what was expected.
    """
    if _RULE.fullmatch(rule) is None or "UNTIL" in rule:
        raise LedgerError(
            "expected a rule of days, weeks, months or years such as FREQ=WEEKLY;BYDAY=SU, without UNTIL,"
            f" not {rule!r:.80}"
        )
    start, end = (from_ms(instant_ms, zone).replace(tzinfo=None) for instant_ms in first)
    if start.second or start.microsecond or end.second or end.microsecond:
        raise LedgerError("expected a window that begins and ends on whole minutes, for it is repeated")
    last = from_ms(until_ms, zone).replace(tzinfo=None)
    try:
        starts = _before(rrulestr(rule, dtstart=start), last)
        found = [(one, one + (end - start)) for one in islice(starts, MOST + 1)]
    except (ValueError, TypeError, OverflowError) as error:
        raise LedgerError(f"expected a rule of RFC 5545, not {rule!r:.80}: {error}") from None
    windows = [(_local_ms(one, zone), _local_ms(other, zone)) for one, other in found]
    return _bounded([Occurrence(rule, *window, reason) for window in windows if window[0] < window[1]])


def _before(starts: Iterable[datetime], last: datetime) -> Iterator[datetime]:
    for start in starts:
        if start >= last:
            return
        yield start


def in_calendar(content: bytes, within: tuple[int, int], zone: ZoneInfo) -> list[Occurrence]:
    """The events of an iCalendar file that begin or last within a window, each time that they come.

    Times without a zone, and whole days, are in ``zone``. What was cancelled is left out. Raises LedgerError with
    what was expected.
    """
    try:
        calendar = icalendar.Calendar.from_ical(content)
        span = (datetime.fromtimestamp(instant_ms / 1000, UTC) for instant_ms in within)
        events = recurring_ical_events.of(calendar, components=["VEVENT"]).between(*span)
        found = [
            _occurrence(event, zone)
            for event in events
            if str(event.get("STATUS", "")).upper() != "CANCELLED"
        ]
    except LedgerError:
        raise
    except Exception as error:
        raise LedgerError(
            f"expected an iCalendar file (RFC 5545): {' '.join(str(error).split()):.200}"
        ) from None
    return _bounded(sorted(found, key=lambda one: (one.from_ms, one.name)))


def _occurrence(event: icalendar.Event, zone: ZoneInfo) -> Occurrence:
    uid = str(event.get("UID", ""))
    start, end = _instant(event.start, zone), _instant(event.end, zone)
    reason = " ".join(str(event.get("SUMMARY", "")).split())[:REASON_LENGTH]
    reason = "".join(filter(str.isprintable, reason)) or "event of a calendar"
    if start >= end:
        raise LedgerError(f"event {uid or reason!r}: expected one that begins before it ends")
    return Occurrence(uid, start, end, reason)


def _instant(when: date | datetime, zone: ZoneInfo) -> int:
    if not isinstance(when, datetime):
        return midnight_ms(when, zone)
    return to_ms(when) if when.tzinfo is not None else _local_ms(when, zone)


def _local_ms(naive: datetime, zone: ZoneInfo) -> int:
    minute_ms = local_ms(naive.date(), naive.hour * 60 + naive.minute, zone)
    return minute_ms + (naive - naive.replace(second=0, microsecond=0)) // timedelta(milliseconds=1)


def _bounded(found: list[Occurrence]) -> list[Occurrence]:
    if len(found) > MOST:
        raise LedgerError(f"expected {MOST} windows at most; let it end earlier")
    if not found:
        raise LedgerError("expected at least one window in that time, and there is none")
    return found
