"""Short ways to write down what was seen, for tests of the tracker."""

from __future__ import annotations

from monitor.track.check import CheckTracker
from monitor.track.references import References
from monitor.track.states import CheckChange, Observation, ServiceChange, State
from monitor.track.tracker import Statement, TrackedService, Tracker
from probes.outcome import Outcome, Verdict

GOOD, DEGRADED, BAD, NOT_ASKED = Verdict
UP, SLOW, DOWN, UNKNOWN = State


def seen(at_ms: int, verdict: Verdict) -> Observation:
    return Observation(at_ms, Outcome(verdict, at_ms * 1_000_000, verdict.word))


def turns(changes: list[CheckChange] | list[ServiceChange]) -> list[tuple[int, State]]:
    return [(change.at_ms, change.state) for change in changes]


def line(changes: list[tuple[int, State]]) -> list[tuple[int, State]]:
    """The time line that changes state one after the other: the later stated holds, repetitions are left out."""
    latest = dict(changes)
    out: list[tuple[int, State]] = []
    for at_ms in sorted(latest):
        if not out or out[-1][1] is not latest[at_ms]:
            out.append((at_ms, latest[at_ms]))
    return out


class Bench:
    """A tracker with one service, and everything that it stated."""

    def __init__(
        self, checks: int = 1, up_when: int = 1, references: int = 0, fall: int = 3, rise: int = 2
    ) -> None:
        parts = [(f"check-{i}", CheckTracker(fall, rise)) for i in range(checks)]
        self.service = TrackedService("trunk", up_when, parts)
        self.tracker = Tracker([self.service], References(references))
        self.statements: list[Statement] = []

    def check(self, at_ms: int, verdict: Verdict, index: int = 0) -> list[tuple[int, State]]:
        statement = self.tracker.observe(self.service.checks[index], seen(at_ms, verdict))
        return self._took([statement] if statement else [])

    def reference(self, at_ms: int, verdict: Verdict, index: int = 0) -> list[tuple[int, State]]:
        return self._took(list(self.tracker.observe_reference(index, seen(at_ms, verdict))))

    @property
    def line(self) -> list[tuple[int, State]]:
        """The service's time line."""
        return line([turn for s in self.statements for turn in turns(list(s.service_changes))])

    @property
    def blips(self) -> list[tuple[int, int]]:
        return [(s.blip.first_bad_ms, s.blip.first_good_ms) for s in self.statements if s.blip]

    def _took(self, statements: list[Statement]) -> list[tuple[int, State]]:
        self.statements += statements
        return [turn for s in statements for turn in turns(list(s.service_changes))]
