"""The echo requests of one probe, and what their answers amount to. No socket, no clock."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from probes.datagram import Answer, from_elsewhere
from probes.icmp.options import IcmpOptions
from probes.icmp.packet import TOKEN, place
from probes.outcome import Verdict
from probes.resolve import Sockaddr
from probes.unreachable import Unreachable


@dataclass(slots=True)
class Burst:
    """When each request was sent (nanoseconds of ``time.monotonic_ns()``), and how many seconds its answer took."""

    count: int
    token: bytes = field(default_factory=lambda: os.urandom(TOKEN))
    sent_ns: list[int] = field(default_factory=list)
    took_s: dict[int, float] = field(default_factory=dict)
    refused: dict[int, Unreachable] = field(default_factory=dict)
    ttl: int | None = None
    source: Sockaddr | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more can come."""
        return len(self.took_s) + len(self.refused) >= self.count

    @property
    def lost(self) -> int:
        """Requests without an answer, those that were refused among them."""
        return len(self.sent_ns) - len(self.took_s)

    @property
    def round_trips_s(self) -> list[float]:
        """Seconds, in the order in which the requests were sent."""
        return [took_s for _, took_s in sorted(self.took_s.items())]

    def answered(self, answer: Answer) -> int | None:
        """Take an answer; which request's it is, None where it is nobody's or came before."""
        index = place(answer.data, self.token)
        if index is None or index >= len(self.sent_ns) or index in self.took_s:
            return None
        self.took_s[index] = max(0, answer.received_ns - self.sent_ns[index]) / 1e9
        self.refused.pop(index, None)
        self.ttl, self.source = answer.ttl, answer.source
        return index

    def failed(self, error: Unreachable) -> None:
        """Take a router's or the target's word that a request did not get through."""
        index = place(error.quoted, self.token)
        if index is None:
            index = len(self.sent_ns) - 1
        if index < len(self.sent_ns) and index not in self.took_s:
            self.refused[index] = error


def jitter_s(round_trips_s: Sequence[float]) -> float | None:
    """The mean absolute difference of consecutive round trips, in seconds; None of fewer than two.

    It is the mean of |D(i-1, i)| of RFC 3550 §6.4.1, taken over round trips. RFC 3550 itself smooths them with
    a gain of 1/16, for which a burst is too short; ``ping`` shows their standard deviation (``mdev``) instead.
    A lost request leaves its neighbours consecutive.
    """
    if len(round_trips_s) < 2:
        return None
    steps = [abs(later - earlier) for earlier, later in pairwise(round_trips_s)]
    return sum(steps) / len(steps)


def figures(burst: Burst, asked: Sockaddr) -> dict[str, object]:
    """What is kept of a burst: times in milliseconds, loss as a share of 1, the TTL of the latest answer."""
    sent, lost = len(burst.sent_ns), burst.lost
    found: dict[str, object] = {"sent": sent, "received": sent - lost, "loss": lost and round(lost / sent, 4)}
    took = burst.round_trips_s
    if took:
        found |= _round_trips(took)
    if burst.ttl is not None:
        found["ttl"] = burst.ttl
    if burst.source is not None and from_elsewhere(burst.source, asked):
        found["source"] = burst.source[0]
    return found


def _round_trips(took_s: Sequence[float]) -> dict[str, float]:
    if len(took_s) == 1:
        only_ms = round(took_s[0] * 1000, 3)
        return {"rtt_min_ms": only_ms, "rtt_avg_ms": only_ms, "rtt_max_ms": only_ms}
    least, mean, most, jitter = min(took_s), sum(took_s) / len(took_s), max(took_s), jitter_s(took_s) or 0.0
    return {
        "rtt_min_ms": round(least * 1000, 3),
        "rtt_avg_ms": round(mean * 1000, 3),
        "rtt_max_ms": round(most * 1000, 3),
        "jitter_ms": round(jitter * 1000, 3),
    }


def judged(burst: Burst, mean_s: float, options: IcmpOptions) -> tuple[Verdict, str]:
    """Verdict and reason of a burst of which at least one request was answered."""
    if burst.lost:
        lost = Fraction(burst.lost, len(burst.sent_ns))
        if lost >= Fraction(options.loss_down):
            return Verdict.BAD, "loss"
        if options.loss_degraded is not None and lost >= Fraction(options.loss_degraded):
            return Verdict.DEGRADED, "loss"
    if options.rtt_degraded is not None and mean_s * 1000 >= options.rtt_degraded:
        return Verdict.DEGRADED, "slow"
    if options.jitter_degraded is not None:
        jitter = jitter_s(burst.round_trips_s)
        if jitter is not None and jitter * 1000 >= options.jitter_degraded:
            return Verdict.DEGRADED, "jitter"
    return Verdict.GOOD, "echo"
