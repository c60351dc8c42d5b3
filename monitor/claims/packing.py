"""Makes packs from what was frozen, and from the facts that it names."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo

from monitor.claims.counting import counted
from monitor.claims.evidence import Witness
from monitor.claims.incidents import incidents_of
from monitor.claims.pack import FORMAT, Amended, Claim, Exclusion, Figures, Outage, Pack, Terms, Total
from monitor.config.values import Configuration
from monitor.ledger.agreement import Agreement, from_json
from monitor.ledger.entitlements import TERMS, Entitlement, Wanted, find, one_key, read
from monitor.ledger.errors import LedgerError
from monitor.sla.figures import written
from monitor.sla.months import Month, local_iso, parse_instant

NOT_CLAIMED = ("superseded", "withdrawn")
"""Claims in these states are not part of what a customer claims for a month."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What people call a service; the configuration says so, and it is not part of what is frozen."""

    name: str
    customer: str


def names(configuration: Configuration) -> dict[str, Naming]:
    """Of every service of the configuration."""
    return {one.id: Naming(one.name, one.customer) for one in configuration.services}


@dataclass(frozen=True, slots=True)
class _Frozen:
    """The snapshot that a claim follows from; without figures where that is an incident."""

    terms: Agreement
    frozen_ms: int | None
    reason: str | None
    figures: Figures | None
    outages: Sequence[Mapping[str, Any]]
    exclusions: Sequence[Mapping[str, Any]]


def pack_of_claim(db: sqlite3.Connection, uid: str, called: Mapping[str, Naming]) -> Pack:
    """Of the claim whose uid begins so. Raises LedgerError where there is none, or more than one."""
    return _pack(db, read(db, [one_key(db, uid)]), called)


def pack_of_customer(
    db: sqlite3.Connection, customer: str, month: Month, called: Mapping[str, Naming]
) -> Pack:
    """Of all that the customer claims for the month. Raises LedgerError where that is nothing."""
    services = [service for service, naming in called.items() if naming.customer == customer]
    claims: dict[tuple[str, str | None, str | None], Entitlement] = {}
    for one in find(db, Wanted(month, services=services)):
        if one.state not in NOT_CLAIMED:
            claims[one.service, one.incident, one.clock] = (
                one  # an amendment is drafted after what it replaces
            )
    if not claims:
        raise LedgerError(f"{customer!r:.80} claims nothing for {month}")
    return _pack(db, list(claims.values()), called)


def _pack(db: sqlite3.Connection, claims: Sequence[Entitlement], called: Mapping[str, Naming]) -> Pack:
    first = claims[0]
    latest_ms = max(event.at_ms for one in claims for event in one.events)
    made = [_claim(db, one, called) for one in claims]
    return {
        "format": FORMAT,
        "customer": called[first.service].customer if first.service in called else "",
        "month": str(first.month),
        "as_of": local_iso(latest_ms, ZoneInfo(first.zone)),
        "claims": made,
        "totals": _totals(made),
    }


def _claim(db: sqlite3.Connection, one: Entitlement, called: Mapping[str, Naming]) -> Claim:
    zone = ZoneInfo(one.zone)
    frozen = _frozen(db, one.key)
    naming = called.get(one.service)
    deadline_ms, difference = one.deadline_ms, one.difference
    witness = Witness(db, zone)
    parts = _counted(frozen, zone)
    return {
        "uid": one.uid,
        "kind": cast(Any, one.kind),
        "clock": cast(Any, one.clock),
        "state": one.state,
        "state_since": local_iso(one.events[-1].at_ms, zone),
        "reference": one.reference,
        "service": {"id": one.service, "name": naming.name if naming is not None else one.service},
        "month": str(one.month),
        "timezone": zone.key,
        "revision": one.revision,
        "frozen": None if frozen.frozen_ms is None else local_iso(frozen.frozen_ms, zone),
        "revision_reason": frozen.reason,
        "terms": _terms(frozen.terms),
        "figures": frozen.figures,
        "outages": [_outage(outage, witness, ms) for outage, ms in zip(frozen.outages, parts, strict=True)],
        "exclusions": [cast(Exclusion, dict(each)) for each in frozen.exclusions],
        "incidents": incidents_of(
            db, one, [parse_instant(each["first_bad"], zone) for each in frozen.outages]
        ),
        "calculation": [
            {"what": what, "how": how, "result": result} for what, how, result in one.calculation
        ],
        "amount": one.amount,
        "currency": one.currency,
        "amends": _amended(one),
        "difference": None if difference is None else written(difference),
        "drafted": local_iso(one.drafted_ms, zone),
        "send_before": None if deadline_ms is None else local_iso(deadline_ms, zone),
    }


def _frozen(db: sqlite3.Connection, entitlement: int) -> _Frozen:
    terms, frozen_ms, reason, figures, outages, exclusions = db.execute(
        f"SELECT {TERMS}, frozen_ms, reason, figures, outages, exclusions FROM entitlements"  # noqa: S608
        " LEFT JOIN months ON months.key = entitlements.month"
        " LEFT JOIN incidents ON incidents.key = entitlements.incident WHERE entitlements.key = ?",
        (entitlement,),
    ).fetchone()
    return _Frozen(
        from_json(terms),
        frozen_ms,
        reason,
        None if figures is None else json.loads(figures),
        json.loads(outages or "[]"),
        json.loads(exclusions or "[]"),
    )


def _terms(agreement: Agreement) -> Terms:
    plan, fee = agreement.plan, agreement.fee
    credit = None if plan is None else plan.credit
    return {
        "provider": "" if plan is None else plan.provider,
        "plan": None if plan is None else plan.key,
        "plan_name": "" if plan is None else plan.name,
        "guarantee": None if plan is None else _digits(plan.guarantee),
        "rate_per_hour": None if credit is None else _digits(credit.rate_per_hour),
        "cap": None if credit is None else _digits(credit.cap),
        "hours": None if credit is None else credit.hours,
        "degraded": None if plan is None else plan.degraded,
        "excluded_time": None if plan is None else plan.excluded_time,
        "unknown_time": None if plan is None else plan.unknown_time,
        "fee": None if fee is None else written(fee.amount),
        "currency": None if fee is None else fee.currency,
    }


def _digits(value: Decimal | None) -> str | None:
    return None if value is None else written(value)


def _outage(kept: Mapping[str, Any], witness: Witness, counted_ms: int | None) -> Outage:
    return {
        "last_good": kept["last_good"],
        "first_bad": kept["first_bad"],
        "last_bad": kept["last_bad"],
        "first_good": kept["first_good"],
        "down_ms": kept["down_ms"],
        "least_ms": kept["least_ms"],
        "most_ms": kept["most_ms"],
        "counted_ms": counted_ms,
        "reason": kept["reason"],
        "source": kept["source"],
        "evidence": witness.evidence(kept["evidence"]),
    }


def _counted(frozen: _Frozen, zone: ZoneInfo) -> list[int | None]:
    if frozen.figures is None:
        return [None] * len(frozen.outages)
    return counted(frozen.figures, frozen.outages, frozen.exclusions, zone)


def _amended(one: Entitlement) -> Amended | None:
    if one.amends is None:
        return None
    return {"uid": one.amends.uid, "amount": _digits(one.amends.amount)}


def _totals(claims: Iterable[Claim]) -> list[Total]:
    sums: dict[str, Decimal] = {}
    for one in claims:
        if one["amount"] is not None and one["currency"] is not None:
            sums[one["currency"]] = sums.get(one["currency"], Decimal(0)) + Decimal(one["amount"])
    return [{"currency": currency, "amount": written(sums[currency])} for currency in sorted(sums)]
