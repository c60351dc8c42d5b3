"""Entering and withdrawing exclusions; the frozen months that they touch are revised."""

from __future__ import annotations

import sqlite3
import uuid
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from monitor.config.values import Configuration
from monitor.ledger.errors import LedgerError
from monitor.ledger.request import Author, Instant, Reason, Request, Result, Task, Uid
from monitor.ledger.revising import revise_excluded
from monitor.sla.intervals import Interval
from monitor.sla.recurring import OCCURRENCES
from monitor.store import exclusions
from monitor.store.exclusions import Exclusion, Withdrawal

Scope = Literal["service", "tag", "all"]
ExclusionClass = Literal["maintenance", "force_majeure", "third_party", "customer"]


class _Excluding(Request):
    """Of a service, a tag or all (subject '')."""

    scope: Scope
    subject: str
    exclusion_class: ExclusionClass
    reason: Reason
    author: Author

    def _of(self, window: Interval, now_ms: int) -> Exclusion:
        return Exclusion(
            str(uuid.uuid4()),
            self.scope,
            self.subject,
            self.exclusion_class,
            *window,
            self.reason,
            self.author,
            now_ms,
        )


class Exclude(_Excluding):
    """Enter an exclusion ``[from_ms, to_ms)``."""

    kind: ClassVar[str] = "exclude"

    from_ms: Instant
    to_ms: Instant

    @model_validator(mode="after")
    def _goes_forward(self) -> Exclude:
        check_forward((self.from_ms, self.to_ms))
        return self

    def task(self, configuration: Configuration, now_ms: int) -> Task:
        check_subject(configuration, self.scope, self.subject)
        exclusion = self._of((self.from_ms, self.to_ms), now_ms)

        def task(db: sqlite3.Connection) -> Result:
            exclusions.add(db, exclusion)
            reason = f"exclusion {exclusion.uid} entered by {self.author}: {self.reason}"
            revised = revise_excluded(db, [exclusion], now_ms, reason)
            return {"uid": exclusion.uid, "revised": [one.as_json() for one in revised]}

        return task


class ExcludeEach(_Excluding):
    """Enter an exclusion for each of several windows ``[from, to)``, as a rule names them."""

    kind: ClassVar[str] = "exclude-each"

    windows: Annotated[tuple[tuple[Instant, Instant], ...], Field(min_length=1, max_length=OCCURRENCES)]

    @model_validator(mode="after")
    def _go_forward(self) -> ExcludeEach:
        for window in self.windows:
            check_forward(window)
        return self

    def task(self, configuration: Configuration, now_ms: int) -> Task:
        check_subject(configuration, self.scope, self.subject)
        entered = [self._of(window, now_ms) for window in self.windows]

        def task(db: sqlite3.Connection) -> Result:
            for exclusion in entered:
                exclusions.add(db, exclusion)
            reason = f"{len(entered)} exclusions entered by {self.author}: {self.reason}"
            revised = revise_excluded(db, entered, now_ms, reason)
            return {
                "uids": [one.uid for one in entered],
                "revised": [one.as_json() for one in revised],
            }

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
            revised = revise_excluded(db, [exclusion], now_ms, reason)
            return {"uid": exclusion.uid, "revised": [one.as_json() for one in revised]}

        return task


def check_forward(window: Interval) -> None:
    """Raises ValueError where it does not end after its beginning."""
    if window[0] >= window[1]:
        raise ValueError("expected an exclusion that begins before it ends")


def check_subject(configuration: Configuration, scope: str, subject: str) -> None:
    """Raises LedgerError where the configuration has no such service or tag."""
    known = {
        "service": {service.id for service in configuration.services},
        "tag": {tag for service in configuration.services for tag in service.tags},
        "all": {""},
    }[scope]
    if subject not in known:
        raise LedgerError(f"expected a {scope} of the configuration, not {subject!r:.80}")
