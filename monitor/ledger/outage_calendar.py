"""Outages as a calendar (iCalendar, RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from monitor.sla.months import from_ms
from monitor.store.timelines import Outage

_UTC = ZoneInfo("UTC")


def outage_calendar(outages: Iterable[tuple[str, Outage]], now_ms: int) -> bytes:
    """An event for each outage of a service, under the same UID each time; one that is open ends now."""
    calendar = Calendar()
    calendar.add("prodid", "-//ringback//outages//EN")
    calendar.add("version", "2.0")
    for service, outage in outages:
        event = Event()
        event.add("uid", f"{service}-{outage.first_bad_ms}@ringback")
        event.add("dtstamp", from_ms(now_ms, _UTC))
        event.add("dtstart", from_ms(outage.first_bad_ms, _UTC))
        event.add("dtend", from_ms(now_ms if outage.first_good_ms is None else outage.first_good_ms, _UTC))
        event.add("summary", f"{service} is down" if outage.open else f"{service} was down")
        event.add("description", f"{outage.reason} ({outage.source})")
        calendar.add_component(event)
    return bytes(calendar.to_ical())
