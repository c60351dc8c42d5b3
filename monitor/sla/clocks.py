"""The clocks of a problem that was reported: response, intervention, resolution (SLA.md §6).

A clock runs from the report until what it waits for, and counts handling time only. What comes later in the course
of a problem stops the earlier clocks as well: a problem that is resolved was taken into account.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

from monitor.sla.hours import ALWAYS, WeeklyHours, deadline, used

ClockName = Literal["mrt", "tti", "ttr"]
Status = Literal["running", "met", "breached", "breached and running"]

CLOCKS: tuple[ClockName, ...] = ("mrt", "tti", "ttr")


@dataclass(frozen=True, slots=True)
class Handling:
    """What was agreed on the handling of problems."""

    agreed_ms: tuple[int | None, int | None, int | None]
    """Handling time at most until response, intervention and resolution; None: nothing was agreed."""
    hours: WeeklyHours | None
    """The fault-handling hours; None: all hours count."""
    zone: ZoneInfo
    holidays: Collection[date] = ()


@dataclass(frozen=True, slots=True)
class Course:
    """The instants of a problem in ms of UTC, each not before the one that precedes it; None: not yet, or not known."""

    reported_ms: int
    acknowledged_ms: int | None = None
    intervention_ms: int | None = None
    resolved_ms: int | None = None

    def stopped_ms(self, clock: ClockName) -> int | None:
        """When what the clock waits for happened, at the latest."""
        stages = (self.acknowledged_ms, self.intervention_ms, self.resolved_ms)
        return next((at_ms for at_ms in stages[CLOCKS.index(clock) :] if at_ms is not None), None)


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock as it stands at some instant."""

    name: ClockName
    agreed_ms: int
    deadline_ms: int | None
    """None: the handling hours never come to what was agreed."""
    used_ms: int
    """Handling time so far, or until the clock was stopped."""
    stopped_ms: int | None
    breached: bool
    """It was stopped after the deadline, or runs on after it."""

    @property
    def left_ms(self) -> int:
        """Handling time that is left; less than nothing once more was used than was agreed."""
        return self.agreed_ms - self.used_ms

    @property
    def status(self) -> Status:
        if self.stopped_ms is None:
            return "breached and running" if self.breached else "running"
        return "breached" if self.breached else "met"


def clocks(course: Course, handling: Handling, now_ms: int) -> tuple[Clock, ...]:
    """Those that were agreed, as they stand now."""
    return tuple(
        _clock(name, agreed_ms, course, handling, now_ms)
        for name, agreed_ms in zip(CLOCKS, handling.agreed_ms, strict=True)
        if agreed_ms is not None
    )


def _clock(name: ClockName, agreed_ms: int, course: Course, handling: Handling, now_ms: int) -> Clock:
    terms = (handling.hours or ALWAYS, handling.zone, handling.holidays)
    try:
        due_ms = deadline(course.reported_ms, agreed_ms, *terms)
    except ValueError:
        due_ms = None
    stopped_ms = course.stopped_ms(name)
    until_ms = now_ms if stopped_ms is None else stopped_ms
    return Clock(
        name,
        agreed_ms,
        due_ms,
        used(course.reported_ms, until_ms, *terms),
        stopped_ms,
        due_ms is not None and until_ms > due_ms,
    )
