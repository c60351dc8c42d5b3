"""Exclusions that a calendar names: entered once, and withdrawn where an event of it is moved or cancelled."""

from __future__ import annotations

import hashlib
import sqlite3
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from monitor.config.values import Configuration
from monitor.ledger.excluding import ExclusionClass, Scope, check_forward, check_subject
from monitor.ledger.request import Author, Instant, Reason, Request, Result, Task
from monitor.ledger.revising import revise_excluded
from monitor.sla.recurring import OCCURRENCES
from monitor.store import exclusions
from monitor.store.exclusions import Exclusion, Withdrawal

WINDOWS = 10_000
"""Of one calendar at most."""


class CalendarEvent(BaseModel):
    """An event with the windows ``[from, to)`` in which it takes place; none: it was cancelled."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    uid: Annotated[str, Field(min_length=1, max_length=1_000)]
    summary: Reason
    windows: Annotated[tuple[tuple[Instant, Instant], ...], Field(max_length=OCCURRENCES)]


class ImportCalendar(Request):
    """Have an exclusion in force for each window of these events that begins before ``until_ms``, and no other.

    What was imported of an event before, and is not among its windows now, is withdrawn.
    """

    kind: ClassVar[str] = "import-calendar"

    scope: Scope
    subject: str
    exclusion_class: ExclusionClass
    author: Author
    until_ms: Instant
    events: tuple[CalendarEvent, ...]

    @model_validator(mode="after")
    def _is_bounded(self) -> ImportCalendar:
        windows = [window for event in self.events for window in event.windows]
        if len(windows) > WINDOWS:
            raise ValueError(f"expected at most {WINDOWS} windows in a calendar, not {len(windows)}")
        for window in windows:
            check_forward(window)
        return self

    def task(self, configuration: Configuration, now_ms: int) -> Task:
        check_subject(configuration, self.scope, self.subject)

        def task(db: sqlite3.Connection) -> Result:
            wanted = [one for event in self.events for one in self._exclusions(event, now_ms)]
            gone = self._gone(db, {one.uid for one in wanted})
            withdrawal = Withdrawal("the calendar has it no longer", self.author, now_ms)
            for one in gone:
                exclusions.write_withdrawal(db, one, withdrawal)
            new = [one for one in wanted if exclusions.add(db, one)]
            changed, reason = [*new, *gone], f"calendar imported by {self.author}"
            revised = revise_excluded(db, changed, now_ms, reason) if changed else []
            return {
                "entered": len(new),
                "withdrawn": len(gone),
                "known": len(wanted) - len(new),
                "revised": [one.as_json() for one in revised],
            }

        return task

    def _exclusions(self, event: CalendarEvent, now_ms: int) -> list[Exclusion]:
        found = []
        for window in event.windows:
            content = (self.scope, self.subject, self.exclusion_class, *window, event.summary)
            uid = f"{_digest(exclusions.content_uid(*content))}-{self._name(event)}"
            found.append(Exclusion(uid, *content, self.author, now_ms))
        return found

    def _name(self, event: CalendarEvent) -> str:
        """What the uids of an event's exclusions end with, for these services."""
        return _digest(f"{event.uid}\n{self.scope}\n{self.subject}")

    def _gone(self, db: sqlite3.Connection, wanted: set[str]) -> list[Exclusion]:
        names = {self._name(event) for event in self.events}
        return [
            one
            for one in exclusions.in_force(db, 0, 1 << 62)
            if one.from_ms < self.until_ms and one.uid not in wanted and one.uid.rpartition("-")[2] in names
        ]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]
