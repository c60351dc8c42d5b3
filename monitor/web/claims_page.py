"""Claims as the pages show them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from monitor.ledger.claim_sums import Line, Sums, amounts
from monitor.ledger.entitlements import Entitlement, Wanted, chain, keys, read
from monitor.sla.figures import written
from monitor.sla.months import Month
from monitor.web.asking import NotThere
from monitor.web.wording import Instant, instant

OVER = ("superseded", "withdrawn", "rejected")
"""States in which nothing is claimed (any longer)."""


@dataclass(frozen=True, slots=True)
class EventView:
    state: str
    at: Instant
    author: str
    note: str
    reference: str
    amount: str


@dataclass(frozen=True, slots=True)
class ClaimView:
    """Texts are ready to be shown; None: there is no such thing."""

    uid: str
    service: str
    customer: str
    month: Month
    basis: str
    """What it follows from; '' where that goes without saying."""
    state: str
    over: bool
    amount: str
    amends: str | None
    difference: str | None
    accepted: str | None
    paid: str | None
    reference: str
    drafted: Instant
    send_before: Instant | None
    late: bool
    """The deadline is past."""
    calculation: Sequence[tuple[str, str, str]]
    events: Sequence[EventView]


def claim_view(claim: Entitlement, customers: Mapping[str, str], now_ms: int) -> ClaimView:
    """In the time zone of its contract."""
    zone, accepted, difference = ZoneInfo(claim.zone), claim.accepted, claim.difference
    deadline_ms, currency = claim.to_send_by_ms, claim.currency or ""
    return ClaimView(
        uid=claim.uid,
        service=claim.service,
        customer=customers.get(claim.service, ""),
        month=claim.month,
        basis=_basis(claim),
        state=claim.state,
        over=claim.state in OVER,
        amount="to be agreed" if claim.amount is None else f"{claim.amount} {currency}",
        amends=None if claim.amends is None else claim.amends.uid,
        difference=None if difference is None else f"{difference:+f} {currency}",
        accepted=None if accepted is None else f"{written(accepted)} {currency}",
        paid=f"{written(claim.paid)} {currency}" if claim.paid else None,
        reference=claim.reference,
        drafted=instant(claim.drafted_ms, zone, now_ms),
        send_before=None if deadline_ms is None else instant(deadline_ms, zone, now_ms),
        late=deadline_ms is not None and deadline_ms <= now_ms,
        calculation=claim.calculation,
        events=[
            EventView(
                one.state,
                instant(one.at_ms, zone, now_ms),
                one.author,
                one.note,
                one.reference,
                "" if one.amount is None else f"{one.amount} {currency}",
            )
            for one in claim.events
        ],
    )


def one_claim(db: sqlite3.Connection, uid: str) -> list[Entitlement]:
    """The claim, and then all of the same month. Raises NotThere."""
    found = keys(db, Wanted(uid=uid))
    claims = [one for one in read(db, found) if one.uid == uid]
    if not claims:
        raise NotThere(f"There is no claim {uid!r:.80}.")
    return [claims[0], *chain(db, claims[0])]


def standing(claims: Sequence[Entitlement]) -> list[Entitlement]:
    """What is, or may still be claimed: the latest of each matter that was not given up."""
    latest = {
        (one.service, one.incident, one.clock): one
        for one in claims
        if one.state not in OVER and one.amount is not None
    }
    return list(latest.values())


def by_month(lines: Sequence[Line]) -> list[tuple[str, str, Sequence[str]]]:
    """Month, currency and the sums of all customers."""
    sums: dict[tuple[Month, str], Sums] = {}
    for line in lines:
        key = line.month, line.currency
        sums[key] = sums.get(key, Sums()) + line.sums
    return [
        (str(month), currency, tuple(amounts(found, currency).values()))
        for (month, currency), found in sorted(sums.items())
    ]


def _basis(claim: Entitlement) -> str:
    if claim.revision is None:
        return f"{(claim.clock or '').upper()} of incident {claim.incident}"
    return f"revision {claim.revision}" if claim.revision > 1 else ""
