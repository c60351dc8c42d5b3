"""Outages as the JSON objects that programs read and frozen months keep."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from monitor.sla.months import local_iso
from monitor.store.timelines import Outage


def outage_record(service: str, outage: Outage, zone: ZoneInfo) -> dict[str, Any]:
    """Durations are in ms; what depends on an instant that nobody saw is null."""

    def told(at_ms: int | None) -> str | None:
        return None if at_ms is None else local_iso(at_ms, zone)

    return {
        "service": service,
        "last_good": told(outage.last_good_ms),
        "first_bad": told(outage.first_bad_ms),
        "last_bad": told(outage.last_bad_ms),
        "first_good": told(outage.first_good_ms),
        "open": outage.open,
        "down_ms": outage.down_ms,
        "least_ms": outage.least_ms,
        "most_ms": outage.most_ms,
        "reason": outage.reason,
        "source": outage.source,
    }
