"""Exclusions: stretches that do not count against the provider. Entered and withdrawn; nothing is deleted."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from monitor.store.database import StoreError

CLASSES = ("maintenance", "force_majeure", "third_party", "customer")
SCOPES = ("service", "tag", "all")
REASON_LENGTH = 500

_COLUMNS = (
    "uid, scope, subject, class, from_ms, to_ms, exclusions.reason, exclusions.author, exclusions.entered_ms,"
    " withdrawals.reason, withdrawals.author, withdrawals.entered_ms"
)
_ALL = f"SELECT {_COLUMNS} FROM exclusions LEFT JOIN withdrawals ON exclusion = exclusions.key"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Withdrawal:
    reason: str
    author: str
    entered_ms: int


class Withdrawable(Protocol):
    """What is entered, and may be withdrawn."""

    @property
    def uid(self) -> str: ...

    @property
    def withdrawn(self) -> Withdrawal | None: ...


AnyWithdrawable = TypeVar("AnyWithdrawable", bound=Withdrawable)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """``[from_ms, to_ms)`` of a service, of all with a tag, or of all (``subject`` is '' then)."""

    uid: str
    scope: str
    subject: str
    exclusion_class: str
    from_ms: int
    to_ms: int
    reason: str
    author: str
    entered_ms: int
    withdrawn: Withdrawal | None = None

    def concerns(self, service: str, tags: Collection[str]) -> bool:
        """Whether it is for that service."""
        if self.scope == "service":
            return self.subject == service
        return self.scope == "all" or self.subject in tags


def parse_reason(text: object) -> str:
    """The text, if it can be given as a reason. Raises ValueError with what was expected."""
    if isinstance(text, str) and text.strip() and text.isprintable() and len(text) <= REASON_LENGTH:
        return text.strip()
    raise ValueError(f"expected a reason: one line of text, at most {REASON_LENGTH} characters")


def content_uid(scope: str, subject: str, exclusion_class: str, from_ms: int, to_ms: int, reason: str) -> str:
    """The name of an exclusion that is brought in from a file: the same one has the same name each time."""
    content = "\n".join((scope, subject, exclusion_class, str(from_ms), str(to_ms), reason))
    return str(uuid.uuid5(uuid.NAMESPACE_OID, content))


def add(db: sqlite3.Connection, exclusion: Exclusion) -> bool:
    """Write an exclusion down. False: it is there already, in force or withdrawn."""
    cursor = db.execute(
        "INSERT INTO exclusions (uid, scope, subject, class, from_ms, to_ms, reason, author, entered_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (uid) DO NOTHING",
        (
            exclusion.uid,
            exclusion.scope,
            exclusion.subject,
            exclusion.exclusion_class,
            exclusion.from_ms,
            exclusion.to_ms,
            exclusion.reason,
            exclusion.author,
            exclusion.entered_ms,
        ),
    )
    return cursor.rowcount == 1


def withdraw(db: sqlite3.Connection, prefix: str, withdrawal: Withdrawal) -> Exclusion:
    """Withdraw the exclusion whose uid begins so; returns it as it was.

    Raises StoreError where there is none, more than one, or where it has been withdrawn already.
    """
    exclusion = named(everything(db), prefix, "exclusion")
    write_withdrawal(db, exclusion, withdrawal)
    return exclusion


def write_withdrawal(db: sqlite3.Connection, exclusion: Exclusion, withdrawal: Withdrawal) -> None:
    """Withdraw an exclusion that is in force."""
    db.execute(
        "INSERT INTO withdrawals (exclusion, reason, author, entered_ms)"
        " SELECT key, ?, ?, ? FROM exclusions WHERE uid = ?",
        (withdrawal.reason, withdrawal.author, withdrawal.entered_ms, exclusion.uid),
    )


def named(records: Sequence[AnyWithdrawable], prefix: str, noun: str) -> AnyWithdrawable:
    """The record whose uid begins so.

    Raises StoreError where there is none, more than one, or where it has been withdrawn already.
    """
    found = [one for one in records if prefix and one.uid.startswith(prefix.lower())]
    if len(found) != 1:
        problem = f"there is no {noun}" if not found else f"there are {len(found)} {noun}s"
        raise StoreError(f"{problem} whose id begins with {prefix!r:.80}")
    (record,) = found
    if record.withdrawn is not None:
        raise StoreError(f"the {noun} {record.uid} has been withdrawn already")
    return record


def everything(db: sqlite3.Connection) -> list[Exclusion]:
    """All exclusions in the order of their beginnings, those withdrawn as well."""
    return [_exclusion(row) for row in db.execute(f"{_ALL} ORDER BY from_ms, exclusions.key")]


def in_force(db: sqlite3.Connection, from_ms: int, to_ms: int) -> list[Exclusion]:
    """The exclusions that touch the window and are not withdrawn, in the order of their beginnings."""
    rows = db.execute(
        f"{_ALL} WHERE exclusion IS NULL AND from_ms < ? AND to_ms > ? ORDER BY from_ms, exclusions.key",
        (to_ms, from_ms),
    )
    return [_exclusion(row) for row in rows]


def _exclusion(row: tuple[Any, ...]) -> Exclusion:
    uid, scope, subject, exclusion_class, from_ms, to_ms, reason, author, entered_ms, *withdrawal = row
    withdrawn = None if withdrawal[0] is None else Withdrawal(*withdrawal)
    return Exclusion(
        uid, scope, subject, exclusion_class, from_ms, to_ms, reason, author, entered_ms, withdrawn
    )
