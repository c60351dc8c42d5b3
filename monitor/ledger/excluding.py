"""Entering and withdrawing exclusions; the frozen months that they touch are revised."""

from __future__ import annotations

import sqlite3
import uuid
from typing import ClassVar, Literal

from pydantic import model_validator

from monitor.config.values import Configuration
from monitor.ledger.errors import LedgerError
from monitor.ledger.request import Author, Instant, Reason, Request, Result, Task, Uid
from monitor.ledger.revising import revise_excluded
from monitor.store import exclusions
from monitor.store.exclusions import Exclusion, Withdrawal


class Exclude(Request):
    """Enter an exclusion ``[from_ms, to_ms)`` for a service, a tag or all (subject '')."""

    kind: ClassVar[str] = "exclude"

    scope: Literal["service", "tag", "all"]
    subject: str
    exclusion_class: Literal["maintenance", "force_majeure", "third_party", "customer"]
    from_ms: Instant
    to_ms: Instant
    reason: Reason
    author: Author

    @model_validator(mode="after")
    def _goes_forward(self) -> Exclude:
        if self.from_ms >= self.to_ms:
            raise ValueError("expected an exclusion that begins before it ends")
        return self

    def task(self, configuration: Configuration, now_ms: int) -> Task:
        check_subject(configuration, self.scope, self.subject)
        exclusion = Exclusion(
            str(uuid.uuid4()),
            self.scope,
            self.subject,
            self.exclusion_class,
            self.from_ms,
            self.to_ms,
            self.reason,
            self.author,
            now_ms,
        )

        def task(db: sqlite3.Connection) -> Result:
            exclusions.add(db, exclusion)
            reason = f"exclusion {exclusion.uid} entered by {self.author}: {self.reason}"
            revised = revise_excluded(db, exclusion, now_ms, reason)
            return {"uid": exclusion.uid, "revised": [one.as_json() for one in revised]}

        return task


class Withdraw(Request):
    """Withdraw the exclusion whose uid begins with ``uid``."""

    kind: ClassVar[str] = "withdraw-exclusion"

    uid: Uid
    reason: Reason
    author: Author

    def task(self, configuration: Configuration, now_ms: int) -> Task:
        def task(db: sqlite3.Connection) -> Result:
            withdrawal = Withdrawal(self.reason, self.author, now_ms)
            exclusion = exclusions.withdraw(db, self.uid, withdrawal)
            reason = f"exclusion {exclusion.uid} withdrawn by {self.author}: {self.reason}"
            revised = revise_excluded(db, exclusion, now_ms, reason)
            return {"uid": exclusion.uid, "revised": [one.as_json() for one in revised]}

        return task


def check_subject(configuration: Configuration, scope: str, subject: str) -> None:
    """Raises LedgerError where the configuration has no such service or tag."""
    known = {
        "service": {service.id for service in configuration.services},
        "tag": {tag for service in configuration.services for tag in service.tags},
        "all": {""},
    }[scope]
    if subject not in known:
        raise LedgerError(f"expected a {scope} of the configuration, not {subject!r:.80}")
