"""What a frozen month owes is drafted; what was drafted before it was revised is superseded, or amended.

A claim that was sent is never changed. Where the month is revised afterwards, and owes another amount than
was claimed, a new entitlement *amends* it: its amount is the full new one, also where that is zero.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

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


@dataclass(frozen=True, slots=True)
class _Sent:
    """A claim that is with the provider, or was decided."""

    key: int
    amount: Decimal
    currency: str


def supersede(db: sqlite3.Connection, service: int, month: Month, now_ms: int, note: str) -> None:
    """A month was revised: what was drafted for it and not sent is no longer to be sent."""
    unsent = db.execute(
        f"SELECT entitlements.key {_OF_MONTH} AND {STATE} IN (?, ?)",
        (service, str(month), *UNSENT),
    ).fetchall()
    for (key,) in unsent:
        take_step(db, key, "superseded", now_ms, AGENT, note)


def draft(
    db: sqlite3.Connection,
    service: int,
    month: Month,
    month_key: int,
    owed: Credit | NoCredit,
    now_ms: int,
    note: str,
) -> None:
    """Draft the entitlement of a month's revision (``month_key``), if it owes anything else than was claimed."""
    sent = _sent(db, service, month)
    amount = owed.amount.amount if isinstance(owed, Credit) else Decimal(0)
    if amount == (Decimal(0) if sent is None else sent.amount):
        return
    if isinstance(owed, Credit):
        currency = owed.amount.currency
        steps = [[step.what, step.how, step.result] for step in owed.steps]
    else:
        assert sent is not None, "without a credit there is an amount only against one that was claimed"
        nothing = rounded(Fraction(0), sent.currency)
        currency, amount = sent.currency, nothing.amount
        steps = [["amount", owed.reason, str(nothing)]]
    cursor = db.execute(
        "INSERT INTO entitlements (uid, kind, month, amends, amount, currency, calculation, drafted_ms)"
        " VALUES (?, 'availability', ?, ?, ?, ?, ?, ?)",
        (
            str(uuid.uuid4()),
            month_key,
            None if sent is None else sent.key,
            written(amount),
            currency,
            json.dumps(steps, ensure_ascii=False),
            now_ms,
        ),
    )
    take_step(db, int(cursor.lastrowid or 0), "draft", now_ms, AGENT, note)


def _sent(db: sqlite3.Connection, service: int, month: Month) -> _Sent | None:
    """What was sent for the month last, and not withdrawn."""
    row = db.execute(
        f"SELECT entitlements.key, amount, currency {_OF_MONTH} AND {STATE} <> 'withdrawn' AND EXISTS"  # noqa: S608
        " (SELECT 1 FROM entitlement_events WHERE entitlement = entitlements.key AND state = ?)"
        " ORDER BY revision DESC LIMIT 1",
        (service, str(month), OPEN),
    ).fetchone()
    return None if row is None else _Sent(row[0], Decimal(row[1]), row[2])


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
