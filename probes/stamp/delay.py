"""How long packets were under way, as far as the clocks of both ends can tell.

The round trip, less the time in which the reflector held the packet, needs no clock but each end's own. So does
the variation of the delay in one direction: the offset between the clocks is in every delay of a burst, and falls
out of their differences. The delay itself is only known where both ends say that their clocks are synchronised,
and then as well as both say that they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from probes.stamp.clock import Clock
from probes.stamp.timestamp import ErrorEstimate

_SECOND_NS = 1_000_000_000
_DRIFT_NS = 1_000_000
"""By what clocks that are not stepped may drift apart during a burst."""


@dataclass(frozen=True, slots=True)
class Journey:
    """The four instants of a packet: sent and returned by our wall clock, arrived and left by the reflector's,
    all in nanoseconds since 1970."""

    sent_ns: int
    arrived_ns: int
    left_ns: int
    returned_ns: int

    @property
    def forward_ns(self) -> int:
        """The delay there, with the clocks' offset in it."""
        return self.arrived_ns - self.sent_ns

    @property
    def backward_ns(self) -> int:
        """The delay back, with the clocks' offset in it, the other way round."""
        return self.returned_ns - self.left_ns

    @property
    def elapsed_ns(self) -> int:
        return self.returned_ns - self.sent_ns

    @property
    def dwell_ns(self) -> int:
        """For how long the reflector says that it held the packet."""
        return self.left_ns - self.arrived_ns


def possible(journeys: Sequence[Journey]) -> bool:
    """Whether a reflector's instants can be true, whatever its clock shows: it held no packet for longer than that
    was away, and the delays in one direction differ by no more than the longest of those times."""
    longest_ns = max(one.elapsed_ns for one in journeys) + _DRIFT_NS
    return all(0 <= one.dwell_ns <= one.elapsed_ns for one in journeys) and all(
        max(delays) - min(delays) <= longest_ns
        for delays in ([one.forward_ns for one in journeys], [one.backward_ns for one in journeys])
    )


@dataclass(frozen=True, slots=True)
class Spread:
    """Of delays in nanoseconds: least, mean, most, and their mean step from each packet to the next.

    The step is the mean of |D(i-1, i)| of RFC 3550 §6.4.1 (which smooths it with a gain of 1/16, for which a
    burst is too short). None of one packet alone.
    """

    least_ns: int
    mean_ns: float
    most_ns: int
    step_ns: float | None

    @property
    def variation_ns(self) -> int:
        """The packet delay variation of the worst packet against the best (RFC 5481 §4.2)."""
        return self.most_ns - self.least_ns


def spread(delays_ns: Sequence[int]) -> Spread:
    """Of at least one delay, in the order in which the packets were sent."""
    steps = [abs(later - earlier) for earlier, later in pairwise(delays_ns)]
    step_ns = sum(steps) / len(steps) if steps else None
    return Spread(min(delays_ns), sum(delays_ns) / len(delays_ns), max(delays_ns), step_ns)


@dataclass(frozen=True, slots=True)
class Clocks:
    """Whether delays in one direction can be known (``why`` says why not), and how far off at most they are."""

    comparable: bool
    why: str
    error_ns: int = 0


def clocks(own: Clock, theirs: Iterable[ErrorEstimate], journeys: Sequence[Journey]) -> Clocks:
    """What the clocks of both ends are worth together.

    A packet that seems to arrive before it was sent, by more than both ends say that they may be off, proves
    that one of them is wrong about its clock.
    """
    estimates = set(theirs)
    synchronised = all(estimate.synchronised for estimate in estimates)
    if not own.synchronised:
        return Clocks(False, "ours is not synchronised" if synchronised else "neither is synchronised")
    if not synchronised:
        return Clocks(False, "theirs is not synchronised")
    if any(estimate.ptp for estimate in estimates) and not own.tai_s:
        return Clocks(False, "theirs counts TAI, ours does not know it")
    error_ns = own.error_ns + max(estimate.error_ns for estimate in estimates)
    if any(min(one.forward_ns, one.backward_ns) < -error_ns for one in journeys):
        return Clocks(False, "they contradict each other")
    return Clocks(True, "synchronised", error_ns)


def utc_ns(instant_ns: int, estimate: ErrorEstimate, own: Clock) -> int:
    """A reflector's instant on our time scale: PTPv2 counts TAI (IEEE 1588), NTP counts UTC."""
    return instant_ns - own.tai_s * _SECOND_NS if estimate.ptp else instant_ns
