"""Corrections: what somebody knows better than the probes. Entered and withdrawn; facts stay as they are."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from monitor.store import spans
from monitor.store.exclusions import Withdrawal, named
from monitor.store.facts import service_key

STATES = {"provider": "down", "unseen": "down", "false_alarm": "up"}
"""For each class the state that it says: an outage that the provider's own report confirms, one that the
probes could not see, one that was none."""

_ALL = (
    "SELECT uid, id, class, from_ms, to_ms, corrections.reason, corrections.author, corrections.entered_ms,"
    " withdrawn.reason, withdrawn.author, withdrawn.entered_ms"
    " FROM corrections JOIN services ON services.key = service"
    " LEFT JOIN correction_withdrawals AS withdrawn ON correction = corrections.key"
)


@dataclass(frozen=True, slots=True)
class Correction:
    """``[from_ms, to_ms)`` of a service was as the class says; of two the later entered one holds."""

    uid: str
    service: str
    correction_class: str
    from_ms: int
    to_ms: int
    reason: str
    author: str
    entered_ms: int
    withdrawn: Withdrawal | None = None

    @property
    def state(self) -> str:
        return STATES[self.correction_class]


def add(db: sqlite3.Connection, correction: Correction) -> None:
    """Write a correction down, and derive the time line of its service again."""
    key = service_key(db, correction.service)
    db.execute(
        "INSERT INTO corrections (uid, service, class, state, from_ms, to_ms, reason, author, entered_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            correction.uid,
            key,
            correction.correction_class,
            correction.state,
            correction.from_ms,
            correction.to_ms,
            correction.reason,
            correction.author,
            correction.entered_ms,
        ),
    )
    spans.rebuild(db, key)


def withdraw(db: sqlite3.Connection, correction: Correction, withdrawal: Withdrawal) -> None:
    """Withdraw a correction that is in force: the time line is again what the rest says."""
    db.execute(
        "INSERT INTO correction_withdrawals (correction, reason, author, entered_ms)"
        " SELECT key, ?, ?, ? FROM corrections WHERE uid = ?",
        (withdrawal.reason, withdrawal.author, withdrawal.entered_ms, correction.uid),
    )
    spans.rebuild(db, service_key(db, correction.service))


def to_withdraw(db: sqlite3.Connection, prefix: str) -> Correction:
    """The correction whose uid begins so.

    Raises StoreError where there is none, more than one, or where it has been withdrawn already.
    """
    return named(everything(db), prefix, "correction")


def everything(db: sqlite3.Connection) -> list[Correction]:
    """All corrections in the order of entry, those withdrawn as well."""
    return [_correction(row) for row in db.execute(f"{_ALL} ORDER BY corrections.key")]


def _correction(row: tuple[Any, ...]) -> Correction:
    uid, service, name, from_ms, to_ms, reason, author, entered_ms, *withdrawal = row
    withdrawn = None if withdrawal[0] is None else Withdrawal(*withdrawal)
    return Correction(uid, service, name, from_ms, to_ms, reason, author, entered_ms, withdrawn)
