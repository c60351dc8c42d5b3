"""An explained month as the JSON object that programs read (documented in docs/commands.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from monitor.ledger.explaining import CountedOutage, Explanation, Kept, Owed, Verdict
from monitor.ledger.frozen import exclusion_record
from monitor.ledger.outages import outage_record
from monitor.ledger.rollup import Rollup
from monitor.sla.availability import Availability
from monitor.sla.bounds import Bounds
from monitor.sla.credit import Credit, NoCredit, Step
from monitor.sla.figures import decimal, written
from monitor.sla.intervals import Interval
from monitor.sla.months import local_iso

BOUNDS = ("least", "counted", "most", "worst")


def explanation_record(one: Explanation) -> dict[str, Any]:
    """Durations are in ms, ratios and amounts decimal strings; what there is none of is null."""
    rolled, observed, zone = one.rolled, one.observed, one.rolled.agreement.tz
    owed, kept = rolled.owed, one.kept
    return {
        "service": rolled.agreement.service,
        "month": str(one.month),
        "timezone": zone.key,
        "terms": _terms(rolled),
        "figures": rolled.figures(),
        "no_credit": owed.reason if isinstance(owed, NoCredit) else None,
        "left_ms": one.left_ms,
        "outages": [_outage(rolled.agreement.service, each, zone) for each in one.outages],
        "degraded_counted_ms": one.degraded_counted_ms,
        "exclusions": [exclusion_record(each, zone) for each in rolled.exclusions],
        "degraded": _stretches(observed.degraded, zone),
        "unknown": _stretches(observed.unknown, zone),
        "steps": [asdict(step) for step in one.steps],
        "rules": [_verdict(each) for each in one.verdicts],
        "frozen": None if kept is None else _kept(kept, zone),
        "differences": {key: list(pair) for key, pair in one.differences.items()},
    }


def _terms(rolled: Rollup) -> dict[str, Any]:
    agreement, plan = rolled.agreement, rolled.agreement.plan
    terms = None if plan is None else plan.credit
    rate = None if terms is None else terms.rate_per_hour
    cap = None if terms is None else terms.cap
    return {
        "plan": None if plan is None else plan.key,
        "guarantee": None if plan is None or plan.guarantee is None else written(plan.guarantee),
        "fee": None if agreement.fee is None else written(agreement.fee.amount),
        "currency": None if agreement.fee is None else agreement.fee.currency,
        "rate_per_hour": None if rate is None else written(rate),
        "cap": None if cap is None else written(cap),
    }


def _outage(service: str, one: CountedOutage, zone: ZoneInfo) -> dict[str, Any]:
    counted = {f"{name}_ms": getattr(one.bounds, name).down_ms for name in BOUNDS[:3]}
    month = {**counted, "excluded_ms": one.bounds.counted.excluded_ms}
    return {**outage_record(service, one.outage, zone), "in_month": month}


def _verdict(one: Verdict) -> dict[str, Any]:
    return {**asdict(one.rule), "in_force": one.in_force, **_within_bounds(one.bounds, one.owed)}


def _within_bounds(bounds: Bounds, owed: Owed) -> dict[str, Any]:
    return {name: _result(getattr(bounds, name), getattr(owed, name)) for name in BOUNDS}


def _result(measured: Availability, owed: Credit | NoCredit) -> dict[str, Any]:
    return {
        "total_ms": measured.total_ms,
        "down_ms": measured.down_ms,
        "availability": None if measured.ratio is None else decimal(measured.ratio),
        "breach": measured.breach,
        "amount": written(owed.amount.amount) if isinstance(owed, Credit) else None,
    }


def _kept(kept: Kept, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "revision": kept.revision,
        "at": local_iso(kept.frozen_ms, zone),
        "reason": kept.reason,
        "figures": kept.figures,
        "outages": kept.outages,
        "exclusions": kept.exclusions,
        "steps": None if kept.calculation is None else [asdict(Step(*line)) for line in kept.calculation],
    }


def _stretches(found: Iterable[Interval], zone: ZoneInfo) -> list[Mapping[str, str]]:
    return [{"from": local_iso(start, zone), "to": local_iso(end, zone)} for start, end in found]
