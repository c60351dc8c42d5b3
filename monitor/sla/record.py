"""A service's window as the JSON object that programs read (documented in docs/commands.md)."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from monitor.sla.availability import Availability
from monitor.sla.credit import Credit, NoCredit
from monitor.sla.figures import decimal, written
from monitor.sla.months import local_iso


def service_figures(
    service: str, plan: str | None, measured: Availability, owed: Credit | NoCredit, zone: ZoneInfo
) -> dict[str, Any]:
    """Ratios are decimal strings truncated at eight places; what there is none of is null."""
    return {
        "service": service,
        "plan": plan,
        "from": local_iso(measured.window[0], zone),
        "to": local_iso(measured.window[1], zone),
        "total_ms": measured.total_ms,
        "down_ms": measured.down_ms,
        "degraded_ms": measured.degraded_ms,
        "excluded_ms": measured.excluded_ms,
        "unknown_ms": measured.unknown_ms,
        "outages": measured.outages,
        "blips": measured.blips,
        "coverage": decimal(measured.coverage),
        "availability": None if measured.ratio is None else decimal(measured.ratio),
        "guarantee": None if measured.guarantee is None else written(measured.guarantee),
        "allowed_down_ms": measured.allowed_down_ms,
        "breach": measured.breach,
        "complete": measured.complete,
        "credit": _credit(owed) if isinstance(owed, Credit) else None,
    }


def _credit(owed: Credit) -> dict[str, Any]:
    assert owed.terms.rate_per_hour is not None
    return {
        "currency": owed.fee.currency,
        "fee": written(owed.fee.amount),
        "rate_per_hour": written(owed.terms.rate_per_hour),
        "hours": decimal(owed.hours),
        "uncapped": written(owed.uncapped.amount),
        "cap": None if owed.cap is None else written(owed.cap.amount),
        "amount": written(owed.amount.amount),
    }
