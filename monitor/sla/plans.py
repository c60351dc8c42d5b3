"""What a provider guarantees: one tier of its service-level agreement."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from monitor.sla.claiming import ClaimWithin
from monitor.sla.hours import WeeklyHours

HourRule = Literal["prorata", "started", "whole"]
TimeRule = Literal["available", "removed"]
DegradedRule = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class CreditTerms:
    """What downtime is worth: ``rate_per_hour`` and ``cap`` are shares of the monthly fee, digits as written."""

    rate_per_hour: Decimal | None
    cap: Decimal | None = None
    hours: HourRule = "prorata"


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan. Whatever but key and name may be missing."""

    key: str
    """As services name it: ``provider/key``."""
    name: str
    provider: str = ""
    """The provider's name, for people."""
    guarantee: Decimal | None = None
    """The guaranteed monthly availability as a ratio, digits as written: Decimal('0.9990')."""
    credit: CreditTerms | None = None
    support_hours: WeeklyHours | None = None
    fault_hours: WeeklyHours | None = None
    mrt_ms: int | None = None
    tti_ms: int | None = None
    ttr_ms: int | None = None
    degraded: DegradedRule = "up"
    excluded_time: TimeRule = "available"
    unknown_time: TimeRule = "available"
    holidays: str | None = None
    """Country code whose public holidays are taken out of the fault hours."""
    claim_within: ClaimWithin = None
    """How long after a month's end its credit can be claimed."""
    contact: tuple[str, ...] = ()
    telephone_queue: str | None = None
