"""A calendar (iCalendar, RFC 5545) to the windows of its events, or to what is wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar

from monitor.ledger.errors import LedgerError
from monitor.sla.intervals import Interval
from monitor.sla.months import midnight_ms, to_ms
from monitor.sla.recurring import occurrences
from monitor.store.exclusions import REASON_LENGTH

MISTAKES_SHOWN = 20

Event = Any
"""icalendar's: to a type checker each of its properties may be of any kind that there is."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of one event: ``[from, to)`` in ms of UTC for each time that it takes place."""

    uid: str
    summary: str
    windows: tuple[Interval, ...]


def parse_calendar(content: bytes, zone: ZoneInfo, until_ms: int) -> list[Planned]:
    """The events with the times at which they begin before ``until_ms``; a cancelled one has none.

    ``zone``: of times without one, and of whole days. Raises LedgerError with a line for each event that cannot be
    taken over.
    """
    try:
        calendars = Calendar.from_ical(content, multiple=True)
        events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise LedgerError(f"expected a calendar in the form of iCalendar: {error!s:.200}") from None
    if not events:
        raise LedgerError("expected a calendar in the form of iCalendar that has events")
    moved: dict[str, set[int]] = {}
    planned, mistakes = [], []
    for event in events:
        try:
            one = _planned(event, zone, until_ms)
            planned.append(one)
            if "RECURRENCE-ID" in event:
                moved.setdefault(one.uid, set()).add(_moved_from(event, zone))
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
            mistakes.append(f"event {event.get('UID', 'without UID')!s:.80}: {error!s:.200}")
    if mistakes:
        more = ["and more"] if len(mistakes) > MISTAKES_SHOWN else []
        raise LedgerError("\n".join([*mistakes[:MISTAKES_SHOWN], *more]))
    return [
        _without(one, moved.get(one.uid, set())) if "RRULE" in event else one
        for one, event in zip(planned, events, strict=True)
    ]


def _without(one: Planned, starts: set[int]) -> Planned:
    return replace(one, windows=tuple(window for window in one.windows if window[0] not in starts))


def _planned(event: Event, zone: ZoneInfo, until_ms: int) -> Planned:
    uid = str(event["UID"])
    if not 0 < len(uid) <= 1_000:
        raise ValueError("expected a UID of 1000 characters at most")
    summary = " ".join(str(event.get("SUMMARY", "")).split())[:REASON_LENGTH]
    if not summary or not summary.isprintable():
        raise ValueError("expected a SUMMARY: it is the reason of the exclusion")
    if "RDATE" in event:
        raise ValueError("expected no RDATE: give each of these dates as an event of its own")
    cancelled = str(event.get("STATUS", "")).upper() == "CANCELLED"
    windows = () if cancelled else tuple(_windows(event, zone, until_ms))
    return Planned(uid, summary, windows)


def _windows(event: Event, zone: ZoneInfo, until_ms: int) -> Iterator[Interval]:
    first = _instant(event, "DTSTART", event.start, zone), _instant(event, "DTEND", _end(event), zone)
    if first[0] >= first[1]:
        raise ValueError("expected an event that begins before it ends")
    if first[0] >= until_ms:
        return
    if "RRULE" not in event:
        yield first
        return
    rule = event["RRULE"]
    if isinstance(rule, list):
        raise ValueError("expected one RRULE at most")
    left_out = {_instant(event, "EXDATE", value, zone) for value in _left_out(event)}
    if "UNTIL" in rule:
        until_ms = min(until_ms, _after(rule["UNTIL"][0], zone))
    count = int(rule["COUNT"][0]) if "COUNT" in rule else None
    parts = rule.to_ical().decode().split(";")
    text = ";".join(part for part in parts if part.partition("=")[0] not in ("UNTIL", "COUNT"))
    if until_ms <= first[0]:
        return
    found = occurrences(text, first, until_ms, _clock(event.start, zone))
    yield from (window for window in found[:count] if window[0] not in left_out)


def _end(event: Event) -> date:
    start: date = event.start
    given: date = event.end
    if "DTEND" in event or "DURATION" in event:
        return given
    if isinstance(start, datetime):
        raise ValueError("expected DTEND or DURATION")
    return start + timedelta(days=1)


def _left_out(event: Event) -> Iterator[date]:
    lists = event.get("EXDATE", [])
    for one in lists if isinstance(lists, list) else [lists]:
        yield from (value.dt for value in one.dts)


def _moved_from(event: Event, zone: ZoneInfo) -> int:
    if "RANGE" in event["RECURRENCE-ID"].params:
        raise ValueError("expected a RECURRENCE-ID of one time, without RANGE")
    return _instant(event, "RECURRENCE-ID", event["RECURRENCE-ID"].dt, zone)


def _after(last: date, zone: ZoneInfo) -> int:
    """The first instant after the last one at which a rule can begin."""
    if not isinstance(last, datetime):
        return midnight_ms(last + timedelta(days=1), zone)
    return to_ms(last if last.tzinfo else last.replace(tzinfo=zone)) + 1


def _instant(event: Event, name: str, value: date, zone: ZoneInfo) -> int:
    if not isinstance(value, datetime):
        return midnight_ms(value, zone)
    if value.tzinfo is None:
        given = event.get(name)
        if given is not None and "TZID" in getattr(given, "params", {}):
            raise ValueError(
                f"expected a time zone such as Europe/Luxembourg, not {given.params['TZID']!r:.80}"
            )
        value = value.replace(tzinfo=zone)
    return to_ms(value)


def _clock(start: date, zone: ZoneInfo) -> ZoneInfo:
    """The zone by whose clock an event comes back."""
    own = start.tzinfo if isinstance(start, datetime) else None
    if own is None:
        return zone
    if not isinstance(own, ZoneInfo):
        raise ValueError("expected an event that comes back to name a time zone such as Europe/Luxembourg")
    return own
