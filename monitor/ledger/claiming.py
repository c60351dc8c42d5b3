"""The steps of claims that people take: each of one claim, of several, or of all that a customer has in a month."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, model_validator

from monitor.config.values import Configuration
from monitor.ledger.claims import ACCEPTED, STEPS, check_step
from monitor.ledger.customers import services_of
from monitor.ledger.drafting import STATE, take_step
from monitor.ledger.entitlements import Entitlement, Wanted, find, one_key, read
from monitor.ledger.errors import LedgerError
from monitor.ledger.request import Author, Request, Result, Task, Uid
from monitor.sla.figures import written
from monitor.sla.money import Money, parse_amount
from monitor.sla.months import Month
from monitor.store.exclusions import parse_reason


def _line(text: str) -> str:
    return parse_reason(text) if text else text


Line = Annotated[str, AfterValidator(_line)]
"""One line of text, or ''."""

MonthText = Annotated[str, AfterValidator(lambda text: str(Month.parse(text)))]

Amount = Annotated[str, AfterValidator(lambda text: str(parse_amount(text)))]
"""Such as ``60.00``; negative where money went back."""


class ClaimStep(Request):
    """Take claims a step further: those whose uids begin so, or else all of a customer's month that can take it.

    All of them, or none.
    """

    to: ClassVar[str]
    """The state that the step leads to."""

    uids: tuple[Uid, ...] = ()
    customer: Annotated[str, Field(max_length=200)] | None = None
    month: MonthText | None = None
    author: Author
    note: Line = ""
    reference: Line = ""

    @model_validator(mode="after")
    def _names_claims(self) -> ClaimStep:
        if bool(self.uids) == (self.customer is not None) or (self.customer is None) != (self.month is None):
            raise ValueError("expected ids of claims, or a customer and a month")
        return self

    def task(self, configuration: Configuration, now_ms: int) -> Task:
        services = None if self.customer is None else services_of(configuration, self.customer)

        def task(db: sqlite3.Connection) -> Result:
            found = self._named(db) if services is None else self._of_customer(db, services)
            for claim in found:
                self._take(db, claim, now_ms)
            after = read(db, [claim.key for claim in found])
            return {"claims": list(map(_told, found, after)), "revised": []}

        return task

    def _take(self, db: sqlite3.Connection, claim: Entitlement, now_ms: int) -> None:
        self._write(db, claim, self.to, now_ms)

    def _write(
        self, db: sqlite3.Connection, claim: Entitlement, to: str, now_ms: int, amount: Decimal | None = None
    ) -> None:
        check_step(claim.state, to, _name(claim))
        text = None if amount is None else written(amount)
        take_step(db, claim.key, to, now_ms, self.author, self.note, self.reference, text)

    def _named(self, db: sqlite3.Connection) -> list[Entitlement]:
        found: dict[int, None] = {}
        for uid in self.uids:
            found[one_key(db, uid)] = None  # one that is named twice takes the step once
        return read(db, list(found))

    def _of_customer(self, db: sqlite3.Connection, services: Sequence[str]) -> list[Entitlement]:
        assert self.month is not None
        before = [state for state, following in STEPS.items() if self.to in following]
        found = find(db, Wanted(Month.parse(self.month), services=services, states=before))
        if not found:
            raise LedgerError(f"{self.customer} has no claim for {self.month} that can be {self.to}")
        return found


class Approve(ClaimStep):
    """Somebody looked at a draft, and it may be sent."""

    kind: ClassVar[str] = "approve-claim"
    to: ClassVar[str] = "approved"


class Submit(ClaimStep):
    """It was sent to the provider."""

    kind: ClassVar[str] = "submit-claim"
    to: ClassVar[str] = "submitted"


class Reject(ClaimStep):
    """The provider refused it."""

    kind: ClassVar[str] = "reject-claim"
    to: ClassVar[str] = "rejected"


class WithdrawClaim(ClaimStep):
    """It is not claimed (any longer)."""

    kind: ClassVar[str] = "withdraw-claim"
    to: ClassVar[str] = "withdrawn"


class Settle(ClaimStep):
    """The provider accepted it: all of it, or ``amount``; or it paid ``paid``, now or later, at once or in parts."""

    kind: ClassVar[str] = "settle-claim"
    to: ClassVar[str] = "accepted"

    amount: Amount | None = None
    paid: Amount | None = None

    @model_validator(mode="after")
    def _is_of_one_claim(self) -> Settle:
        if (self.amount or self.paid) and len(self.uids) != 1:
            raise ValueError("expected one claim: an amount is of one alone")
        return self

    def _take(self, db: sqlite3.Connection, claim: Entitlement, now_ms: int) -> None:
        if self.amount is not None or self.paid is None:
            accepted = self._accepted(claim)
            claimed = None if claim.amount is None else Decimal(claim.amount)
            to = "accepted" if claimed is None or accepted == claimed else "partly accepted"
            self._write(db, claim, to, now_ms, accepted)
            (claim,) = read(db, [claim.key])
        if self.paid is not None:
            self._write(db, claim, "paid", now_ms, self._paid(db, claim, Decimal(self.paid)))

    def _accepted(self, claim: Entitlement) -> Decimal:
        check_step(claim.state, self.to, _name(claim))
        if self.amount is None:
            if claim.amount is None:
                raise LedgerError(f"{_name(claim)} has no amount yet: say what was agreed")
            return Decimal(claim.amount)
        accepted = _in_currency(claim, Decimal(self.amount))
        most = None if claim.amount is None else Decimal(claim.amount)
        if accepted < 0 or (most is not None and accepted > most):
            raise LedgerError(f"{_name(claim)}: expected 0 to the {most} {claim.currency} that it claims")
        if accepted == 0 and most != 0:
            raise LedgerError(f"{_name(claim)}: what is accepted with nothing is rejected")
        return accepted

    def _paid(self, db: sqlite3.Connection, claim: Entitlement, paid: Decimal) -> Decimal:
        """At most what is left to pay, over all claims of the chain; or to be paid back, where that is negative."""
        check_step(claim.state, "paid", _name(claim))
        assert claim.accepted is not None, "only what was accepted can be paid"
        paid = _in_currency(claim, paid)
        instead = accepted_after(db, claim)
        if instead is not None:
            raise LedgerError(f"{_name(claim)} was amended: record what is paid with the claim {instead[:8]}")
        left = claim.accepted - paid_before(db, claim) - claim.paid
        if paid == 0 or abs(paid) > abs(left) or (paid < 0) != (left < 0):
            raise LedgerError(
                f"{_name(claim)}: {left} {claim.currency} are left to be paid, not {paid}"
                if left
                else f"{_name(claim)}: all of the {claim.accepted} {claim.currency} is paid"
            )
        return paid


def paid_before(db: sqlite3.Connection, claim: Entitlement) -> Decimal:
    """What was paid on the claims that this one amends, directly or not."""
    rows = db.execute(
        "WITH RECURSIVE earlier (key) AS (SELECT amends FROM entitlements WHERE key = ? UNION ALL"
        " SELECT amends FROM entitlements JOIN earlier USING (key))"
        " SELECT amount FROM entitlement_events JOIN earlier ON entitlement = earlier.key WHERE state = 'paid'",
        (claim.key,),
    )
    return sum((Decimal(amount) for (amount,) in rows), Decimal(0))


def accepted_after(db: sqlite3.Connection, claim: Entitlement) -> str | None:
    """The uid of a claim that amends this one, directly or not, and was accepted."""
    row = db.execute(
        "WITH RECURSIVE later (key) AS (SELECT key FROM entitlements WHERE amends = ?1 UNION ALL"  # noqa: S608
        " SELECT entitlements.key FROM entitlements JOIN later ON amends = later.key)"
        f" SELECT uid FROM entitlements JOIN later USING (key) WHERE {STATE} IN (?2, ?3, ?4) ORDER BY key DESC",
        (claim.key, *ACCEPTED),
    ).fetchone()
    return None if row is None else str(row[0])


def _in_currency(claim: Entitlement, amount: Decimal) -> Decimal:
    """The amount with the digits of the claim's currency."""
    if claim.currency is None:
        raise LedgerError(f"{_name(claim)}: no currency was agreed, for the service has no fee")
    digits = Money(amount, claim.currency).digits
    exact = amount.quantize(Decimal(1).scaleb(-digits))
    if exact != amount:
        raise LedgerError(f"{_name(claim)}: expected {digits} digits after the point, not {amount}")
    return exact


def _name(claim: Entitlement) -> str:
    return f"the claim {claim.uid[:8]} of {claim.service} for {claim.month}"


def _told(before: Entitlement, after: Entitlement) -> dict[str, Any]:
    return {
        "uid": after.uid,
        "service": after.service,
        "month": str(after.month),
        "from": before.state,
        "to": after.state,
        "amount": after.amount,
        "currency": after.currency,
    }
