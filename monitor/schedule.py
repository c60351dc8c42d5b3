"""When each check runs next: a wheel of slots, turned by a few APScheduler jobs.

A job a check would cost more than the probe itself, so the checks lie on a wheel whose slots are 100 ms
wide. A cohort of ten jobs, each once a second and 100 ms apart, starts what is due.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

SLOT_MS = 100
COHORTS = 1_000 // SLOT_MS
TIMER_SLACK_MS = 2
_GOLDEN = 0.6180339887498949


class Scheduled:
    """A thing that is due again and again. ``start`` is called with how many milliseconds late it is."""

    __slots__ = ("due_ms", "interval_ms", "phase_ms", "start", "under_way")

    def __init__(self, interval_ms: int, start: Callable[[int], None]) -> None:
        self.interval_ms = interval_ms
        self.phase_ms = 0
        self.due_ms = -1
        self.start = start
        self.under_way = False

    def turn_after(self, now_ms: int) -> int:
        """The first of its own turns, an interval apart, that lies after ``now_ms``."""
        turns = (now_ms - self.phase_ms) // self.interval_ms + 1
        return self.phase_ms + turns * self.interval_ms

    def overdue(self, late_ms: int) -> bool:
        """So late that the run counts as missed."""
        return late_ms > max(SLOT_MS * 2, self.interval_ms // 2)


class Wheel:
    """Which checks are due when, in milliseconds of monotonic time. Pure: time comes in as a value."""

    def __init__(self) -> None:
        self._slots: dict[int, list[Scheduled]] = {}
        self._turned_to = -1
        self._placed = 0

    def place(self, scheduled: Scheduled, now_ms: int, crowd: int) -> None:
        """Put a check on the wheel, its runs evenly between those of the others.

        ``crowd`` is how many checks are being placed at once: their first runs are spread over five
        milliseconds each, so that a few are seen at once and many do not come as a burst.
        """
        fraction = (self._placed * _GOLDEN) % 1.0
        self._placed += 1
        scheduled.phase_ms = int(fraction * scheduled.interval_ms)
        first_within_ms = min(scheduled.interval_ms, max(1_000, 5 * crowd))
        self._put(scheduled, now_ms + int(fraction * first_within_ms))

    def remove(self, scheduled: Scheduled) -> None:
        scheduled.due_ms = -1

    def hasten(self, scheduled: Scheduled, due_ms: int) -> None:
        """Run it at ``due_ms`` if that is before its next turn."""
        if due_ms < scheduled.due_ms:
            self._put(scheduled, due_ms)

    def turn(self, now_ms: int) -> list[tuple[Scheduled, int]]:
        """What is due by now, with the instant at which it was; each is put on the wheel again."""
        due: list[tuple[Scheduled, int]] = []
        first, last = self._turned_to + 1, now_ms // SLOT_MS
        if self._turned_to < 0 or last - first > len(self._slots):
            slots = sorted(slot for slot in self._slots if slot <= last)
        else:
            slots = [slot for slot in range(first, last + 1) if slot in self._slots]
        for slot in slots:
            for scheduled in self._slots.pop(slot):
                if scheduled.due_ms // SLOT_MS == slot and scheduled.due_ms >= 0:
                    due.append((scheduled, slot * SLOT_MS))
                    scheduled.due_ms = scheduled.turn_after(max(now_ms, scheduled.due_ms))
        self._turned_to = last
        for scheduled, _ in due:
            self._put(scheduled, scheduled.due_ms)
        return due

    def _put(self, scheduled: Scheduled, due_ms: int) -> None:
        due_ms = max(due_ms, (self._turned_to + 1) * SLOT_MS)
        scheduled.due_ms = due_ms
        self._slots.setdefault(due_ms // SLOT_MS, []).append(scheduled)


class Schedule:
    """Starts what is due on a Wheel, and says how late."""

    def __init__(self, scheduler: AsyncIOScheduler, on_late: Callable[[float], None]) -> None:
        """``on_late`` is told of each start how many seconds it was late."""
        self.wheel = Wheel()
        self._scheduler = scheduler
        self._on_late = on_late
        self._jobs: list[Any] = []
        self._turned_ms = 0

    def begin(self) -> None:
        self._jobs = [
            self._scheduler.add_job(
                self._start_due,
                trigger,
                misfire_grace_time=None,  # a late run is late, never dropped: what it missed must become unknown
                coalesce=True,
                max_instances=1,
                name=f"cohort {number}",
            )
            for number, trigger in enumerate(self._triggers())
        ]

    def realign(self) -> None:
        """After the host's clock jumped: the jobs are set by wall time and would wait for it."""
        for job, trigger in zip(self._jobs, self._triggers(), strict=False):
            job.reschedule(trigger)

    @property
    def turning(self) -> bool:
        """Whether the wheel was turned within the last two seconds."""
        return monotonic_ms() - self._turned_ms < 2_000

    def pause(self) -> None:
        """Start nothing more."""
        for job in self._jobs:
            job.remove()
        self._jobs.clear()

    async def _start_due(self) -> None:
        self._turned_ms = monotonic_ms()
        for scheduled, due_ms in self.wheel.turn(self._turned_ms):
            if scheduled.under_way:
                continue  # its last run has not come back; that run's own time-out ends it
            late_ms = max(0, monotonic_ms() - due_ms)
            self._on_late(late_ms / 1_000)
            scheduled.start(late_ms)

    def _triggers(self) -> list[IntervalTrigger]:
        """One a slot of the second, each a moment after its slot begins: a timer may fire a little early."""
        zone = self._scheduler.timezone
        into_slot_ms = monotonic_ms() % SLOT_MS
        first = datetime.now(zone) + timedelta(milliseconds=SLOT_MS - into_slot_ms + TIMER_SLACK_MS)
        return [
            IntervalTrigger(seconds=1, start_date=first + timedelta(milliseconds=SLOT_MS * n), timezone=zone)
            for n in range(COHORTS)
        ]


def monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000
