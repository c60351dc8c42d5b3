"""Entitlements as they stand: what is owed, why, until when it can be claimed, and what became of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from monitor.ledger.claims import OPEN, UNSENT
from monitor.ledger.drafting import STATE
from monitor.ledger.errors import LedgerError
from monitor.ledger.rollup import around_month
from monitor.sla.claiming import ClaimWithin, claim_deadline_ms
from monitor.sla.months import Month, month_of


@dataclass(frozen=True, slots=True)
class Event:
    """A step in the life of a claim."""

    state: str
    at_ms: int
    author: str
    note: str
    reference: str
    """The provider's, of the claim or of its credit note; '' where none was given."""
    amount: str | None
    """What was accepted, or paid with this event; negative where it was paid back."""


class Step(Protocol):
    """A state that a claim came into, with what was accepted or paid."""

    @property
    def state(self) -> str: ...

    @property
    def amount(self) -> str | None: ...


class Lived:
    """What became of a claim, by its steps."""

    __slots__ = ()
    events: Sequence[Step]

    @property
    def state(self) -> str:
        return self.events[-1].state

    @property
    def was_sent(self) -> bool:
        return any(one.state == OPEN for one in self.events)

    @property
    def accepted(self) -> Decimal | None:
        """What the provider accepted; None: it is not decided, or was rejected."""
        amounts = [one.amount for one in self.events if one.state in ("accepted", "partly accepted")]
        return Decimal(amounts[-1]) if amounts and amounts[-1] is not None else None

    @property
    def paid(self) -> Decimal:
        """All that was paid on this claim."""
        return sum((Decimal(one.amount or 0) for one in self.events if one.state == "paid"), Decimal(0))


@dataclass(frozen=True, slots=True)
class Sent:
    """The claim that an entitlement amends."""

    uid: str
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Entitlement(Lived):
    """What is owed for a service's month, or for a clock that was breached in it."""

    key: int
    uid: str
    kind: str
    """``availability`` or ``response``."""
    service: str
    month: Month
    """The one in which the problem was reported, where a clock was breached."""
    revision: int | None
    """Of the month that it follows from; None: it follows from an incident."""
    incident: str | None
    clock: str | None
    amount: str | None
    """None: to be agreed."""
    currency: str | None
    steps: str
    """The calculation as JSON."""
    drafted_ms: int
    zone: str
    within: ClaimWithin
    amends: Sent | None
    """The latest that was sent before and not withdrawn, whose amount this one replaces."""
    events: tuple[Event, ...]

    @property
    def calculation(self) -> tuple[tuple[str, str, str], ...]:
        """Step by step: what, how, result."""
        return tuple((what, how, result) for what, how, result in json.loads(self.steps))

    @property
    def deadline_ms(self) -> int | None:
        """The instant before which it has to be sent; None: none was agreed."""
        return claim_deadline_ms(self.month, self.zone, self.within)

    @property
    def to_send_by_ms(self) -> int | None:
        """The deadline while it matters: once it was sent, or will not be, there is none."""
        return self.deadline_ms if self.state in UNSENT else None

    @property
    def difference(self) -> Decimal | None:
        """Against the claim that it amends."""
        if self.amends is None or self.amends.amount is None or self.amount is None:
            return None
        return Decimal(self.amount) - self.amends.amount

    @property
    def reference(self) -> str:
        """The latest that the provider gave."""
        return next((one.reference for one in reversed(self.events) if one.reference), "")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entitlements; None: whichever."""

    first: Month | None = None
    last: Month | None = None
    """None: the first month alone."""
    services: Collection[str] | None = None
    states: Collection[str] | None = None
    uid: str | None = None
    """The beginning of it."""


FROM = """
    FROM entitlements LEFT JOIN months ON months.key = entitlements.month
    LEFT JOIN incidents ON incidents.key = entitlements.incident
    JOIN services ON services.key = coalesce(months.service, incidents.service)"""
"""SQL for entitlements with what they follow from."""

TERMS = "coalesce(months.terms, incidents.terms)"
"""SQL for the terms that were in force, as JSON."""
CURRENCY = f"coalesce(currency, json_extract({TERMS}, '$.fee.currency'))"
"""Of a claim whose amount is to be agreed: that of the fee."""

_DETAILS = f"""
    SELECT entitlements.key, entitlements.uid, kind, id, revision, incidents.uid, clock, amount, {CURRENCY},
           calculation, drafted_ms, json_extract({TERMS}, '$.zone'), json_extract({TERMS}, '$.plan.claim_within'),
           months.month, reported_ms {FROM}
    WHERE entitlements.key IN (SELECT value FROM json_each(?))"""  # noqa: S608

_AMENDED = f"""
    WITH RECURSIVE earlier (claim, key) AS (
        SELECT key, amends FROM entitlements
        WHERE amends IS NOT NULL AND key IN (SELECT value FROM json_each(?))
        UNION ALL
        SELECT claim, entitlements.amends FROM earlier JOIN entitlements ON entitlements.key = earlier.key
        WHERE entitlements.amends IS NOT NULL AND {STATE} = 'withdrawn'
    )
    SELECT claim, uid, amount FROM earlier JOIN entitlements ON entitlements.key = earlier.key
    WHERE {STATE} <> 'withdrawn'"""  # noqa: S608


NEAR = """
    (:first IS NULL OR months.month BETWEEN :first AND :last OR reported_ms BETWEEN :from_ms AND :to_ms)
    AND (:services IS NULL OR id IN (SELECT value FROM json_each(:services)))"""
"""SQL for those that may be of some months (``month_of_claim`` tells) and are of some services."""


def near(first: Month | None, last: Month | None, services: Collection[str] | None) -> dict[str, object]:
    """What ``NEAR`` is asked with; None: of whichever."""
    from_ms, to_ms = (0, 0) if first is None else (around_month(first)[0], around_month(last or first)[1])
    return {
        "first": None if first is None else str(first),
        "last": None if last is None else str(last),
        "from_ms": from_ms,
        "to_ms": to_ms,
        "services": None if services is None else json.dumps(list(services)),
    }


def keys(db: sqlite3.Connection, wanted: Wanted) -> list[int]:
    """The latest month first, in it by service and in the order of drafting."""
    first, last = wanted.first, wanted.last or wanted.first
    rows: Iterable[tuple[int, str, str | None, int, str | None]] = db.execute(
        f"SELECT entitlements.key, id, months.month, reported_ms, json_extract(incidents.terms, '$.zone') {FROM}"  # noqa: S608
        f" WHERE {NEAR} AND (:states IS NULL OR {STATE} IN (SELECT value FROM json_each(:states)))"
        " AND (:uid IS NULL OR substr(entitlements.uid, 1, length(:uid)) = :uid)",
        {
            **near(first, last, wanted.services),
            "states": None if wanted.states is None else json.dumps(list(wanted.states)),
            "uid": wanted.uid,
        },
    )
    found = [
        (month_of_claim(month, reported_ms, zone), service, key)
        for key, service, month, reported_ms, zone in rows
    ]
    kept = [one for one in found if first is None or first <= one[0] <= (last or first)]
    kept.sort(key=lambda one: (-one[0].year, -one[0].month, *one[1:]))
    return [key for _, _, key in kept]


def read(db: sqlite3.Connection, wanted: Sequence[int]) -> list[Entitlement]:
    """The entitlements with these keys, in this order."""
    asked = (json.dumps(list(wanted)),)
    events: dict[int, list[Event]] = {}
    for key, *event in db.execute(
        "SELECT entitlement, state, at_ms, author, note, reference, amount FROM entitlement_events"
        " WHERE entitlement IN (SELECT value FROM json_each(?)) ORDER BY key",
        asked,
    ):
        events.setdefault(key, []).append(Event(*event))
    amended = {
        claim: Sent(uid, None if amount is None else Decimal(amount))
        for claim, uid, amount in db.execute(_AMENDED, asked)
    }
    found = {}
    for key, *stated, zone, within, month, reported_ms in db.execute(_DETAILS, asked):
        uid, kind, service, revision, incident, clock, amount, currency, steps, drafted_ms = stated
        found[key] = Entitlement(
            key,
            uid,
            kind,
            service,
            month_of_claim(month, reported_ms, zone),
            revision,
            incident,
            clock,
            amount,
            currency,
            steps,
            drafted_ms,
            zone or _ZONE,
            within,
            amended.get(key),
            tuple(events[key]),
        )
    return [found[key] for key in wanted]


def find(db: sqlite3.Connection, wanted: Wanted) -> list[Entitlement]:
    """All that are wanted, in the order of ``keys``."""
    return read(db, keys(db, wanted))


def of_month(db: sqlite3.Connection, month: Month) -> list[Entitlement]:
    """All entitlements of a month, the superseded ones as well, by service and in the order of drafting."""
    return find(db, Wanted(month))


def one_key(db: sqlite3.Connection, prefix: str) -> int:
    """The claim whose uid begins so. Raises LedgerError where there is none, or more than one."""
    found = keys(db, Wanted(uid=prefix.lower()))
    if len(found) != 1:
        problem = "there is no claim" if not found else f"there are {len(found)} claims"
        raise LedgerError(f"{problem} whose id begins with {prefix!r:.80}")
    return found[0]


def chain(db: sqlite3.Connection, claim: Entitlement) -> list[Entitlement]:
    """All that was drafted for the same month of its service; of a breached clock that one alone."""
    if claim.kind != "availability":
        return [claim]
    found = find(db, Wanted(claim.month, services=(claim.service,)))
    return [one for one in found if one.kind == claim.kind]


_ZONE = "UTC"
"""Where the terms name none."""


def month_of_claim(month: str | None, reported_ms: int, zone: str | None) -> Month:
    """The month that a claim follows from, or in which the problem was reported whose clock was breached."""
    return month_of(reported_ms, ZoneInfo(zone or _ZONE)) if month is None else Month.parse(month)
