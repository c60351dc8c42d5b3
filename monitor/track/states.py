"""The words of tracking. All instants are integer milliseconds of UTC."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from probes.outcome import Outcome, Verdict


class State(enum.IntEnum):
    """What a check or a service is in, ordered by severity; UNKNOWN is not on that scale."""

    UP = 0
    DEGRADED = 1
    DOWN = 2
    UNKNOWN = 3

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Observation:
    """An outcome, placed on the time line of the records by the instant at which its probe was sent."""

    at_ms: int
    outcome: Outcome

    @property
    def severity(self) -> int:
        """0 good, 1 degraded, 2 bad. Meaningless where nothing was asked."""
        return self.outcome.verdict

    @property
    def asked(self) -> bool:
        return self.outcome.verdict is not Verdict.NOT_ASKED


@dataclass(frozen=True, slots=True)
class CheckChange:
    """A check was in ``state`` from ``at_ms`` on, until a later change says otherwise.

    ``at_ms`` may lie before changes that were stated earlier: of two changes at one instant the later stated
    one holds. ``seen_ms`` is the last instant before ``at_ms`` at which a probe was answered otherwise, the
    other end of the stretch in which the change really happened; None where there was none.
    ``evidence`` are the observations that led to it, the last one before it first.
    """

    at_ms: int
    state: State
    seen_ms: int | None
    reason: str
    evidence: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True)
class Blip:
    """A run of bad answers that ended before it was confirmed: kept and counted, but not downtime."""

    last_good_ms: int | None
    first_bad_ms: int
    last_bad_ms: int
    first_good_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """A service was in ``state`` from ``at_ms`` on; ``check`` is the index of the check that decided it."""

    at_ms: int
    state: State
    seen_ms: int | None
    check: int
    reason: str
