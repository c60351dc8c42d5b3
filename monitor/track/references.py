"""Whether we ourselves are connected: the reference targets."""

from __future__ import annotations

from monitor.track.check import ALWAYS_CONNECTED
from monitor.track.states import Observation
from probes.outcome import Verdict

CUT_AFTER = 2
"""Bad answers in a row of every reference target after which we count as cut off. One lost echo is no cut."""


class References:
    """Targets that somebody else keeps up. When all of them fail at once, it is our line that failed.

    ``connected_ms`` is when the latest reference probe that was answered was sent: what was asked after it may
    have failed because of us. Without reference targets we always count as connected.
    """

    def __init__(self, count: int) -> None:
        self._bad_in_a_row = [0] * count
        self.connected_ms = 0 if count else ALWAYS_CONNECTED
        self.cut_off = False

    def observe(self, index: int, seen: Observation) -> bool:
        """Take in a reference target's outcome. True when that cuts us off or connects us again."""
        was_cut_off = self.cut_off
        if seen.outcome.verdict in (Verdict.GOOD, Verdict.DEGRADED):
            self._bad_in_a_row[index] = 0
            self.connected_ms = max(self.connected_ms, seen.at_ms)
            self.cut_off = False
        else:
            self._bad_in_a_row[index] += 1
            self.cut_off = min(self._bad_in_a_row) >= CUT_AFTER
        return self.cut_off is not was_cut_off
