"""What happened to the demo's services before it was started, for ``ringback import history``. Pure.

The same instant always gives the same history: the two months before it, and its own month so far.
"""

from __future__ import annotations

import datetime
import json
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass

from monitor.demo.configuration import FIBRE, PBX, ROUTER, TRUNK, ZONE

_ZONE = zoneinfo.ZoneInfo(ZONE)


@dataclass(frozen=True, slots=True)
class _Event:
    """From ``at`` (local) on a day of the month a service was in that state for so many seconds."""

    day: int
    at: str
    seconds: int
    state: str


_REBOOT = _Event(21, "14:05:00", 1_500, "unknown")

_EARLIER: dict[str, list[_Event]] = {
    TRUNK: [_Event(17, "11:20:30", 372, "down")],
    PBX: [_Event(4, "16:48:12", 2_410, "degraded")],
    FIBRE: [],
    ROUTER: [_Event(25, "20:02:41", 951, "down")],
}
_LAST: dict[str, list[_Event]] = {
    TRUNK: [
        _Event(9, "09:42:10", 7_723, "down"),
        _Event(15, "03:10:04", 2_519, "down"),  # inside the maintenance
        _REBOOT,
        _Event(23, "17:31:55", 184, "down"),
    ],
    PBX: [_REBOOT, _Event(26, "08:15:20", 1_260, "degraded")],
    FIBRE: [_Event(12, "22:14:03", 611, "down"), _REBOOT],
    ROUTER: [_REBOOT],
}


def lines(now_ms: int) -> list[str]:
    """The history as JSON Lines."""
    now = datetime.datetime.fromtimestamp(now_ms // 1000, _ZONE)
    this = now.replace(day=1, hour=0, minute=0, second=0)
    last, earlier = month_before(this), month_before(month_before(this))
    records = [
        *_month(earlier, last, _EARLIER),
        *_month(last, this, _LAST),
        {
            "service": TRUNK,
            "exclusion": "maintenance",
            "from": _on(last, 15, "03:00:00").isoformat(),
            "to": _on(last, 15, "05:00:00").isoformat(),
            "reason": "announced exchange of the session border controller",
        },
        *_month(this, now, {service: [] for service in _LAST}),
    ]
    return [json.dumps(record) for record in records]


def month_before(month: datetime.datetime) -> datetime.datetime:
    """The first local midnight of the month before the one that begins there."""
    return (month - datetime.timedelta(days=1)).replace(day=1)


def _month(
    begin: datetime.datetime, end: datetime.datetime, events: dict[str, list[_Event]]
) -> Iterator[dict[str, str]]:
    for service, of_service in events.items():
        reached = begin
        for event in of_service:
            start = _on(begin, event.day, event.at)
            yield from _span(service, "up", reached, start)
            reached = start + datetime.timedelta(seconds=event.seconds)
            yield from _span(service, event.state, start, reached)
        yield from _span(service, "up", reached, end)


def _span(
    service: str, state: str, begin: datetime.datetime, end: datetime.datetime
) -> Iterator[dict[str, str]]:
    if begin < end:
        yield {"service": service, "state": state, "from": begin.isoformat(), "to": end.isoformat()}


def _on(month: datetime.datetime, day: int, at: str) -> datetime.datetime:
    time = datetime.time.fromisoformat(at)
    return month.replace(day=day, hour=time.hour, minute=time.minute, second=time.second)
