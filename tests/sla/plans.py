"""The plans of SLA.md §1, as values."""

from __future__ import annotations

from decimal import Decimal

from monitor.sla.hours import Stretches, WeeklyHours
from monitor.sla.plans import CreditTerms, Plan

HOUR_MS = 3_600_000


def weekly(days: range, opens: str, closes: str) -> WeeklyHours:
    stretches: Stretches = ((_minute(opens), _minute(closes)),)
    return WeeklyHours(dict.fromkeys(days, stretches))


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


MON_FRI, MON_SUN = range(5), range(7)


def _plan(
    key: str,
    guarantee: str | None,
    rate: str | None,
    cap: str | None,
    fault_hours: WeeklyHours,
    mrt_h: int,
    tti_h: int,
    ttr_h: int,
) -> Plan:
    return Plan(
        f"mixvoip/{key}",
        key.title(),
        guarantee=None if guarantee is None else Decimal(guarantee),
        credit=None if rate is None else CreditTerms(Decimal(rate), None if cap is None else Decimal(cap)),
        fault_hours=fault_hours,
        mrt_ms=mrt_h * HOUR_MS,
        tti_ms=tti_h * HOUR_MS,
        ttr_ms=ttr_h * HOUR_MS,
    )


BASIC = _plan("basic", None, None, None, weekly(MON_FRI, "09:00", "16:00"), 48, 96, 96)
STANDARD = _plan("standard", "0.9980", "0.20", "0.50", weekly(MON_FRI, "08:00", "17:00"), 12, 24, 24)
OFFICE = _plan("office", "0.9980", "0.20", "0.50", weekly(MON_FRI, "08:00", "18:00"), 4, 8, 10)
RETAIL = _plan("retail", "0.9985", "0.25", "0.75", weekly(MON_SUN, "08:00", "18:00"), 4, 8, 10)
ENTERPRISE = _plan("enterprise", "0.9990", "0.30", "1.00", weekly(MON_SUN, "07:00", "19:00"), 3, 6, 8)
ADVANCED = _plan("advanced", "0.9995", "0.40", "1.50", weekly(MON_SUN, "00:00", "24:00"), 2, 5, 7)

PLANS = (BASIC, STANDARD, OFFICE, RETAIL, ENTERPRISE, ADVANCED)
GUARANTEED = PLANS[1:]
