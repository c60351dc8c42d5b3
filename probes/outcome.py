"""What one probe saw."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_NOTHING: Mapping[str, object] = MappingProxyType({})


class Verdict(enum.IntEnum):
    """How a probe ended. The first three are ordered by severity; the last one says nothing of the target."""

    GOOD = 0
    DEGRADED = 1
    BAD = 2
    NOT_ASKED = 3
    """We could not ask: no route, no socket, no name, no cipher, a late loop. Never held against the target."""

    @property
    def word(self) -> str:
        return _WORDS[self]


_WORDS = {
    Verdict.GOOD: "good",
    Verdict.DEGRADED: "degraded",
    Verdict.BAD: "bad",
    Verdict.NOT_ASKED: "not_asked",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One probe of one target.

    ``sent_ns`` is when the question left, in nanoseconds of ``time.monotonic_ns()``; for a question that was
    retransmitted and then answered, when the last transmission before the answer left, so that "good" never
    reaches back to a moment at which the target was still silent. For NOT_ASKED, when asking was tried.

    ``round_trip_s`` is the time from question to answer in seconds, None where nothing was answered or where
    a retransmission makes it ambiguous. ``phases`` are (name, seconds) in the order in which they happened.
    ``reason`` is one short, stable phrase ("200", "503", "timeout", "refused", "no route"); ``detail``
    whatever else is worth keeping as evidence: plain strings and numbers only, fit for JSON.
    """

    verdict: Verdict
    sent_ns: int
    reason: str
    round_trip_s: float | None = None
    phases: tuple[tuple[str, float], ...] = ()
    detail: Mapping[str, object] = field(default_factory=lambda: _NOTHING)
