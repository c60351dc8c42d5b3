"""Repeated probes of one target: their figures, and what a check would have recorded of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest

from monitor.track.check import ALWAYS_CONNECTED, CheckTracker
from monitor.track.states import Blip, CheckChange, Observation, State
from probes.outcome import Outcome, Verdict


@dataclass(slots=True)
class RoundTrips:
    """Seconds; ``jitter_s`` is the mean absolute difference of consecutive ones."""

    count: int = 0
    least_s: float = 0.0
    most_s: float = 0.0
    _sum_s: float = 0.0
    _steps_s: float = 0.0
    _last_s: float = 0.0

    def take(self, took_s: float) -> None:
        self._steps_s += abs(took_s - self._last_s) if self.count else 0.0
        self.least_s = min(self.least_s, took_s) if self.count else took_s
        self.most_s = max(self.most_s, took_s)
        self._sum_s += took_s
        self._last_s = took_s
        self.count += 1

    @property
    def mean_s(self) -> float:
        return self._sum_s / self.count

    @property
    def jitter_s(self) -> float:
        return self._steps_s / (self.count - 1) if self.count > 1 else 0.0


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch in one state, in milliseconds of UTC; ``to_ms`` None: it goes on."""

    state: State
    from_ms: int
    to_ms: int | None
    reason: str


class Series:
    """Outcomes in the order in which their probes were sent, judged by the tracker of the agent."""

    def __init__(self, target: str, fall: int, rise: int) -> None:
        self.target = target
        self.verdicts: Counter[Verdict] = Counter()
        self.round_trips = RoundTrips()
        self.blips: list[Blip] = []
        self.tracker = CheckTracker(fall, rise)
        self._first_ms: int | None = None
        self._last_ms = 0
        self._sent = self._lost = 0
        self._changes: list[CheckChange] = []

    def take(self, outcome: Outcome, sent_ms: int) -> list[CheckChange]:
        """What a check would state at this outcome."""
        self.verdicts[outcome.verdict] += 1
        if outcome.verdict is not Verdict.NOT_ASKED:
            sent, lost = _questions(outcome)
            self._sent, self._lost = self._sent + sent, self._lost + lost
        if outcome.round_trip_s is not None:
            self.round_trips.take(outcome.round_trip_s)
        self._first_ms = sent_ms if self._first_ms is None else self._first_ms
        self._last_ms = sent_ms
        changes, blip = self.tracker.observe(Observation(sent_ms, outcome), ALWAYS_CONNECTED)
        if blip is not None:
            self.blips.append(blip)
        for change in changes:  # it may lie in the past, and takes the place of what was stated since
            while self._changes and self._changes[-1].at_ms >= change.at_ms:
                self._changes.pop()
            self._changes.append(change)
        return changes

    @property
    def probes(self) -> int:
        return self.verdicts.total()

    @property
    def well(self) -> bool:
        """Whether every answer was good or degraded."""
        return not (self.verdicts[Verdict.BAD] or self.verdicts[Verdict.NOT_ASKED])

    @property
    def loss(self) -> float | None:
        """The share of the questions that nothing answered in time; None where none was asked."""
        return self._lost / self._sent if self._sent else None

    @property
    def lasted_ms(self) -> int:
        """From the first question to the last."""
        return 0 if self._first_ms is None else self._last_ms - self._first_ms

    def spans(self, state: State) -> list[Span]:
        """The stretches in that state."""
        ends = [change.at_ms for change in self._changes[1:]]
        return [
            Span(one.state, one.at_ms, to_ms, one.reason)
            for one, to_ms in zip_longest(self._changes, ends)
            if one.state is state
        ]


def _questions(outcome: Outcome) -> tuple[int, int]:
    """Questions sent and lost in one probe: of a burst as it counts them, else one, lost where it timed out."""
    sent, received = outcome.detail.get("sent"), outcome.detail.get("received")
    if isinstance(sent, int) and isinstance(received, int) and sent >= received:
        return sent, sent - received
    return 1, int(outcome.reason == "timeout")
