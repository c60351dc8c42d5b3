"""The readings with which the next ones are compared."""

from __future__ import annotations

from collections.abc import Hashable

from probes.snmp.rates import SHORTEST_NS, Reading

MOST_COUNTS = 400_000
"""Counters kept of all checks together; those that were read longest ago give way."""


class History:
    """Of each check the last reading, and the one before it for a check that is probed twice at nearly one time."""

    def __init__(self) -> None:
        self._readings: dict[Hashable, tuple[Reading, Reading | None]] = {}
        self._counts = 0

    def earlier(self, check: Hashable, now: Reading) -> Reading | None:
        """What to compare this reading with; it is kept for the next ones."""
        known = self._readings.pop(check, None)
        if known is None:
            self._keep(check, now, None)
            return None
        self._counts -= _size(*known)
        last, before = known
        if now.at_ns - last.at_ns < SHORTEST_NS:
            self._keep(check, last, before)
            return before
        self._keep(check, now, last)
        return last

    def _keep(self, check: Hashable, last: Reading, before: Reading | None) -> None:
        self._readings[check] = last, before
        self._counts += _size(last, before)
        while self._counts > MOST_COUNTS and len(self._readings) > 1:
            self._counts -= _size(*self._readings.pop(next(iter(self._readings))))


def _size(last: Reading, before: Reading | None) -> int:
    return 1 + len(last.counts) + (1 + len(before.counts) if before else 0)
