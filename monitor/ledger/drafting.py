"""What a frozen month owes is drafted; what was drafted before it was revised is superseded, or amended.

A claim that was sent is never changed. Where the month is revised afterwards, and owes another amount than
was claimed, a new entitlement *amends* it: its amount is the full new one, also where that is zero.
"""

from __future__ import annotations

import sqlite3
import uuid
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import pydantic_core

from monitor.ledger.claims import OPEN, UNSENT
from monitor.sla.credit import Credit, NoCredit
from monitor.sla.figures import written
from monitor.sla.money import rounded
from monitor.sla.months import Month

AGENT = "ringback"
"""Who drafts and supersedes."""

STATE = (
    "(SELECT state FROM entitlement_events WHERE entitlement = entitlements.key ORDER BY key DESC LIMIT 1)"
)
"""SQL for the state of an entitlement."""

_OF_MONTH = (
    "FROM entitlements JOIN months ON months.key = entitlements.month WHERE service = ? AND months.month = ?"
)


class Owed(NamedTuple):
    """What a month owes, in the form in which it is drafted."""

    amount: Decimal
    currency: str
    """Empty where nothing is owed."""
    calculation: str
    """JSON: [[what, how, result], ...]."""
    reason: str
    """Why nothing is owed."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A claim that is with the provider, or was decided."""

    key: int
    amount: Decimal
    currency: str


def supersede(db: sqlite3.Connection, service: int, month: Month, now_ms: int, note: str) -> Sent | None:
    """A month was revised: what was drafted for it and not sent is no longer to be sent. What was sent is returned."""
    unsent = db.execute(
        f"SELECT entitlements.key {_OF_MONTH} AND {STATE} IN (?, ?)",
        (service, str(month), *UNSENT),
    ).fetchall()
    for (key,) in unsent:
        take_step(db, key, "superseded", now_ms, AGENT, note)
    return _sent(db, service, month)


def owed_of(owed: Credit | NoCredit) -> Owed:
    """What there is to draft of a month's credit."""
    if isinstance(owed, Credit):
        steps = [[step.what, step.how, step.result] for step in owed.steps]
        return Owed(owed.amount.amount, owed.amount.currency, _steps(steps), "")
    return Owed(Decimal(0), "", "", owed.reason)


def draft(
    db: sqlite3.Connection, sent: Sent | None, month_key: int, owed: Owed, now_ms: int, note: str
) -> None:
    """Draft the entitlement of a month's revision (``month_key``), if it owes anything else than was claimed."""
    if owed.amount == (Decimal(0) if sent is None else sent.amount):
        return
    if owed.currency:
        currency, amount, calculation = owed.currency, owed.amount, owed.calculation
    else:
        assert sent is not None, "without a credit there is an amount only against one that was claimed"
        nothing = rounded(Fraction(0), sent.currency)
        currency, amount = sent.currency, nothing.amount
        calculation = _steps([["amount", owed.reason, str(nothing)]])
    cursor = db.execute(
        "INSERT INTO entitlements (uid, kind, month, amends, amount, currency, calculation, drafted_ms)"
        " VALUES (?, 'availability', ?, ?, ?, ?, ?, ?)",
        (
            str(uuid.uuid4()),
            month_key,
            None if sent is None else sent.key,
            written(amount),
            currency,
            calculation,
            now_ms,
        ),
    )
    take_step(db, int(cursor.lastrowid or 0), "draft", now_ms, AGENT, note)


def _steps(steps: list[list[str]]) -> str:
    return pydantic_core.to_json(steps).decode()


def _sent(db: sqlite3.Connection, service: int, month: Month) -> Sent | None:
    """What was sent for the month last, and not withdrawn."""
    row = db.execute(
        f"SELECT entitlements.key, amount, currency {_OF_MONTH} AND {STATE} <> 'withdrawn' AND EXISTS"  # noqa: S608
        " (SELECT 1 FROM entitlement_events WHERE entitlement = entitlements.key AND state = ?)"
        " ORDER BY revision DESC LIMIT 1",
        (service, str(month), OPEN),
    ).fetchone()
    return None if row is None else Sent(row[0], Decimal(row[1]), row[2])


def take_step(
    db: sqlite3.Connection,
    key: int,
    state: str,
    at_ms: int,
    author: str,
    note: str,
    reference: str = "",
    amount: str | None = None,
) -> None:
    """Write down that an entitlement is in another state; see monitor.ledger.claims for those that may follow."""
    db.execute(
        "INSERT INTO entitlement_events (entitlement, state, at_ms, author, note, reference, amount)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (key, state, at_ms, author, note, reference, amount),
    )
