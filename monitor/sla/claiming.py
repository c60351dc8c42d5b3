"""Until when a credit can be claimed: so many days after the end of its month, or a month."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from monitor.sla.months import Month, bounds, from_ms, midnight_ms

ClaimWithin = int | Literal["month_end"] | None
"""Days from the end of the month on; ``month_end``: the month that follows; None: nothing was agreed."""


@lru_cache(maxsize=4096)
def claim_deadline_ms(month: Month, zone: str, within: ClaimWithin) -> int | None:
    """The local midnight before which a claim for the month has to be sent, in ms of UTC.

    The days are days of the calendar, so that one on which clocks change counts as one.
    """
    if within is None:
        return None
    place = ZoneInfo(zone)
    if within == "month_end":
        return bounds(month.next, place)[1]
    first = from_ms(bounds(month, place)[1], place).date()
    return midnight_ms(first + timedelta(days=within), place)
