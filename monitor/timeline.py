"""The time line of the records: wall time where it matters what time it is, monotonic time where it passes.

Instants are taken with ``time.monotonic_ns`` and placed on the time line by an anchor that is set when the
agent starts. When the host's clock jumps ahead (or the host slept), the time line jumps with it, and the
time jumped over is unknown. When the clock is set back, the time line goes on as it was until the agent
starts anew, for no instant may be recorded twice; it is then ahead of the clock by ``ahead_ms``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

STEP_NS = 100_000_000
"""A jump of the wall clock against the monotonic one from which on it is a step. NTP slews both alike."""

_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """The clock jumped by ``step_ms`` at the instant that was ``from_ms`` and is ``to_ms`` since."""

    from_ms: int
    to_ms: int
    step_ms: int


class Timeline:
    """Places monotonic instants in integer milliseconds of UTC."""

    def __init__(
        self,
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._anchor_ns = self._offset_ns()
        self._earlier_ns = self._anchor_ns
        self._since_ns = 0
        self._clock_ns = self._anchor_ns

    @property
    def ahead_ms(self) -> int:
        """How far the time line is ahead of the host's clock, which was set back."""
        return (self._anchor_ns - self._clock_ns) // _MS

    def ms(self, monotonic_ns: int) -> int:
        """The instant, in milliseconds of UTC."""
        anchor_ns = self._anchor_ns if monotonic_ns >= self._since_ns else self._earlier_ns
        return (monotonic_ns + anchor_ns) // _MS

    def now_ms(self) -> int:
        return self.ms(self._monotonic_ns())

    def notice_step(self) -> Step | None:
        """Compare the clocks; the step that the host's clock made since the last comparison, if it made one."""
        offset_ns = self._offset_ns()
        step_ns = offset_ns - self._clock_ns
        if abs(step_ns) < STEP_NS:
            return None
        self._clock_ns = offset_ns
        now_ns = self._monotonic_ns()
        from_ms = self.ms(now_ns)
        if offset_ns > self._anchor_ns:
            self._earlier_ns, self._anchor_ns, self._since_ns = self._anchor_ns, offset_ns, now_ns
        return Step(from_ms, self.ms(now_ns), step_ns // _MS)

    def _offset_ns(self) -> int:
        """Wall minus monotonic time, from the tightest of a few readings: we may be interrupted between two."""
        best: tuple[int, int] | None = None
        for _ in range(5):
            before = self._monotonic_ns()
            wall = self._wall_ns()
            after = self._monotonic_ns()
            reading = (after - before, wall - (before + after) // 2)
            best = min(best, reading) if best else reading
        assert best is not None
        return best[1]
