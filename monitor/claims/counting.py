"""What each outage has in its month's downtime, from what was frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from monitor.sla.intervals import Interval, clip, subtract, total, union
from monitor.sla.months import parse_instant

Record = Mapping[str, Any]


def counted(
    figures: Record, outages: Sequence[Record], exclusions: Sequence[Record], zone: ZoneInfo
) -> list[int | None]:
    """In ms, exclusions deducted: known where no outage has gaps and they come to the month's downtime."""
    window = _window(figures, zone)
    excluded = union(_window(one, zone) for one in exclusions)
    parts = []
    for one in outages:
        start_ms = parse_instant(one["first_bad"], zone)
        parts.append(total(subtract(clip([(start_ms, start_ms + one["down_ms"])], window), excluded)))
    known = sum(parts) == figures["down_ms"] and not any(_has_gaps(one, zone) for one in outages)
    return list(parts) if known else [None] * len(parts)


def _has_gaps(outage: Record, zone: ZoneInfo) -> bool:
    if outage["first_good"] is None:
        return False
    lasted_ms = parse_instant(outage["first_good"], zone) - parse_instant(outage["first_bad"], zone)
    return bool(lasted_ms != outage["down_ms"])


def _window(stretch: Record, zone: ZoneInfo) -> Interval:
    return parse_instant(stretch["from"], zone), parse_instant(stretch["to"], zone)
