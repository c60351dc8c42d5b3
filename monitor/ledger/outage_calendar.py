"""Outages as an iCalendar file (RFC 5545), to lie beside what else happened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import icalendar

from monitor.store.timelines import Outage

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def outage_calendar(outages: Iterable[tuple[str, str, Outage]], now_ms: int) -> bytes:
    """An event for each outage: the service's id and name, and the outage. One that is open goes up to now.

    The same outage has the same UID each time, so that a calendar which takes the file again has it once.
    """
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Ringback//outages//EN")
    calendar.add("version", "2.0")
    for service, name, outage in outages:
        event = icalendar.Event()
        event.add("uid", f"{outage.first_bad_ms}.{service}@ringback")
        event.add("dtstamp", _instant(outage.first_bad_ms))
        event.add("dtstart", _instant(outage.first_bad_ms))
        event.add("dtend", _instant(now_ms if outage.first_good_ms is None else outage.first_good_ms))
        event.add("summary", f"{name}: {'down since then' if outage.open else 'down'} ({outage.reason})")
        event.add("categories", [service])
        calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content


def _instant(instant_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=instant_ms)
