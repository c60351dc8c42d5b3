"""Entering and withdrawing corrections of the time line; the frozen months that they touch are revised."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable
from typing import ClassVar, Literal

from pydantic import model_validator

from monitor.config.values import Configuration
from monitor.ledger.errors import LedgerError
from monitor.ledger.excluding import check_subject
from monitor.ledger.request import Author, Instant, Reason, Request, Result, Task, Uid
from monitor.ledger.revising import revise_windows
from monitor.sla.intervals import Interval
from monitor.store import corrections
from monitor.store.corrections import Correction
from monitor.store.exclusions import Withdrawal
from monitor.store.timelines import Timelines


class Correct(Request):
    """Say that a service was as the class says in ``[from_ms, to_ms)``, whatever the probes saw."""

    kind: ClassVar[str] = "correct"

    service: str
    correction_class: Literal["provider", "unseen", "false_alarm"]
    from_ms: Instant
    to_ms: Instant
    reason: Reason
    author: Author

    @model_validator(mode="after")
    def _goes_forward(self) -> Correct:
        if self.from_ms >= self.to_ms:
            raise ValueError("expected a correction that begins before it ends")
        return self

    def task(self, configuration: Configuration, now_ms: int) -> Task:
        check_subject(configuration, "service", self.service)
        if self.to_ms > now_ms:
            raise LedgerError("expected a correction of the past: nobody knows yet what is still to come")
        correction = Correction(
            str(uuid.uuid4()),
            self.service,
            self.correction_class,
            self.from_ms,
            self.to_ms,
            self.reason,
            self.author,
            now_ms,
        )

        def task(db: sqlite3.Connection) -> Result:
            reason = f"correction {correction.uid} entered by {self.author}: {self.reason}"
            return _change(db, correction, now_ms, reason, lambda: corrections.add(db, correction))

        return task


class WithdrawCorrection(Request):
    """Withdraw the correction whose uid begins with ``uid``."""

    kind: ClassVar[str] = "withdraw-correction"

    uid: Uid
    reason: Reason
    author: Author

    def task(self, configuration: Configuration, now_ms: int) -> Task:
        def task(db: sqlite3.Connection) -> Result:
            correction = corrections.to_withdraw(db, self.uid)
            withdrawal = Withdrawal(self.reason, self.author, now_ms)
            reason = f"correction {correction.uid} withdrawn by {self.author}: {self.reason}"
            return _change(
                db, correction, now_ms, reason, lambda: corrections.withdraw(db, correction, withdrawal)
            )

        return task


def _change(
    db: sqlite3.Connection, correction: Correction, now_ms: int, reason: str, make: Callable[[], None]
) -> Result:
    before = _reach(db, correction, now_ms)
    make()
    after = _reach(db, correction, now_ms)
    window = min(before[0], after[0]), max(before[1], after[1])
    revised = revise_windows(db, {correction.service: window}, now_ms, reason)
    return {"uid": correction.uid, "revised": [one.as_json() for one in revised]}


def _reach(db: sqlite3.Connection, correction: Correction, now_ms: int) -> Interval:
    """The correction with the outages that it adjoins: in which month they are counted hangs on their beginnings."""
    from_ms, to_ms = correction.from_ms, correction.to_ms
    for outage in Timelines(db, now_ms).outages(correction.service, from_ms - 1, to_ms + 1):
        from_ms = min(from_ms, outage.first_bad_ms)
        to_ms = max(to_ms, now_ms if outage.first_good_ms is None else outage.first_good_ms)
    return from_ms, to_ms
