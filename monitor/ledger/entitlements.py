"""Entitlements: what a frozen month in breach owes, and the life of that claim as events."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.sla.credit import Credit, NoCredit
from monitor.sla.figures import written
from monitor.sla.months import Month

AGENT = "ringback"
"""Who drafts."""

_UNSENT = ("draft", "approved")

_STATE = (
    "(SELECT state FROM entitlement_events WHERE entitlement = entitlements.key ORDER BY key DESC LIMIT 1)"
)


@dataclass(frozen=True, slots=True)
class Entitlement:
    """A credit that is owed for a service's month."""

    uid: str
    service: str
    month: Month
    revision: int
    """Of the month that it follows from."""
    state: str
    amount: str
    currency: str
    calculation: tuple[tuple[str, str, str], ...]
    """Step by step: what, how, result."""
    drafted_ms: int


def draft(db: sqlite3.Connection, month_key: int, owed: Credit | NoCredit, now_ms: int, note: str) -> None:
    """Draft the entitlement of a month's revision, if it owes anything."""
    if isinstance(owed, NoCredit) or owed.amount.amount <= 0:
        return
    steps = [[step.what, step.how, step.result] for step in owed.steps]
    cursor = db.execute(
        "INSERT INTO entitlements (uid, kind, month, amount, currency, calculation, drafted_ms)"
        " VALUES (?, 'availability', ?, ?, ?, ?, ?)",
        (
            str(uuid.uuid4()),
            month_key,
            written(owed.amount.amount),
            owed.amount.currency,
            json.dumps(steps, ensure_ascii=False),
            now_ms,
        ),
    )
    _turn(db, int(cursor.lastrowid or 0), "draft", now_ms, note)


def supersede(db: sqlite3.Connection, service: int, month: Month, now_ms: int, note: str) -> None:
    """A month was revised: what was drafted for it and not sent is no longer to be sent."""
    unsent = db.execute(
        f"SELECT entitlements.key FROM entitlements JOIN months ON months.key = entitlements.month"  # noqa: S608
        f" WHERE service = ? AND months.month = ? AND {_STATE} IN (?, ?)",
        (service, str(month), *_UNSENT),
    ).fetchall()
    for (key,) in unsent:
        _turn(db, key, "superseded", now_ms, note)


def of_month(db: sqlite3.Connection, month: Month) -> list[Entitlement]:
    """All entitlements of a month, the superseded ones as well, by service and in the order of drafting."""
    rows: Iterable[tuple[str, str, int, str, str, str, str, int]] = db.execute(
        f"SELECT entitlements.uid, id, revision, {_STATE}, amount, currency, calculation, drafted_ms"  # noqa: S608
        " FROM entitlements JOIN months ON months.key = entitlements.month"
        " JOIN services ON services.key = months.service WHERE months.month = ? ORDER BY id, revision",
        (str(month),),
    )
    return [
        Entitlement(uid, service, month, revision, state, amount, currency, _steps(steps), drafted_ms)
        for uid, service, revision, state, amount, currency, steps, drafted_ms in rows
    ]


def _turn(db: sqlite3.Connection, key: int, state: str, now_ms: int, note: str) -> None:
    db.execute(
        "INSERT INTO entitlement_events (entitlement, state, at_ms, author, note) VALUES (?, ?, ?, ?, ?)",
        (key, state, now_ms, AGENT, note),
    )


def _steps(text: str) -> tuple[tuple[str, str, str], ...]:
    return tuple((what, how, result) for what, how, result in json.loads(text))
