"""A claim as the JSON object that programs read (documented in docs/commands.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from monitor.ledger.entitlements import Entitlement, Event
from monitor.sla.figures import written
from monitor.sla.months import local_iso


def claim_record(claim: Entitlement, customers: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any]:
    """``customers``: who has each service, by the configuration. Instants are in ``zone``."""
    accepted, difference, deadline_ms = claim.accepted, claim.difference, claim.deadline_ms
    return {
        "uid": claim.uid,
        "kind": claim.kind,
        "service": claim.service,
        "customer": customers.get(claim.service, ""),
        "month": str(claim.month),
        "revision": claim.revision,
        "incident": claim.incident,
        "clock": claim.clock,
        "state": claim.state,
        "amount": claim.amount,
        "currency": claim.currency,
        "amends": None if claim.amends is None else claim.amends.uid,
        "difference": None if difference is None else written(difference),
        "accepted": None if accepted is None else written(accepted),
        "paid": written(claim.paid),
        "reference": claim.reference,
        "deadline": None if deadline_ms is None else local_iso(deadline_ms, zone),
        "calculation": [
            {"what": what, "how": how, "result": result} for what, how, result in claim.calculation
        ],
        "drafted": local_iso(claim.drafted_ms, zone),
        "events": [_event(one, zone) for one in claim.events],
    }


def _event(event: Event, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "state": event.state,
        "at": local_iso(event.at_ms, zone),
        "author": event.author,
        "note": event.note,
        "reference": event.reference,
        "amount": event.amount,
    }
