"""What arrived of an audio stream, and how: loss, order and jitter as RFC 3550 has them. No sockets here."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_DROPOUT = 3_000
MAX_MISORDER = 100
"""Steps of the sequence number that are a loss, or a delay, and no new beginning (RFC 3550 appendix A.1)."""

_STEP_MS = 500.0
"""A sender whose timestamps leap by this much began anew: no network does that from packet to packet."""


class Heard(NamedTuple):
    """A packet, when it arrived in nanoseconds, and whether it could be heard (None: it was no audio)."""

    sequence: int
    timestamp: int
    ssrc: int
    at_ns: int
    audible: bool | None


@dataclass(frozen=True, slots=True)
class Reception:
    """``expected`` is from the first to the last number of each stream, ``received`` without duplicates.

    ``jitter_ms`` is the mean of what the packets' spacing differed by, |D(i-1, i)|: the quantity that RFC 3550 §6.4.1
    smooths, and that settles in calls as short as ours. ``longest_gap_ms`` is between two packets.
    """

    received: int = 0
    expected: int = 0
    duplicates: int = 0
    reordered: int = 0
    jitter_ms: float | None = None
    longest_gap_ms: float | None = None
    first_ns: int | None = None
    silent: bool = False

    @property
    def lost(self) -> int:
        return max(0, self.expected - self.received)

    @property
    def lost_ratio(self) -> float:
        return self.lost / self.expected if self.expected else 0.0


@dataclass(slots=True)
class Stream:
    """What came under one SSRC, with numbers that follow each other. Numbers are extended by their cycles."""

    ssrc: int
    first: int
    highest: int
    seen: set[int]
    at_ns: int
    timestamp: int
    smoothed: float = 0.0
    """The interarrival jitter of RFC 3550, in units of the clock."""

    differences: list[float] = field(default_factory=list)
    """|D| from packet to packet, likewise."""

    duplicates: int = 0
    reordered: int = 0
    expected_elsewhere: int | None = None
    """The number that would confirm a leap (RFC 3550 appendix A.1)."""

    @classmethod
    def begin(cls, packet: Heard) -> Stream:
        number = packet.sequence
        return cls(packet.ssrc, number, number, {number}, packet.at_ns, packet.timestamp)

    @property
    def expected(self) -> int:
        return self.highest - self.first + 1

    @property
    def lost(self) -> int:
        """Negative where duplicates are more (RFC 3550 §6.4.1)."""
        return self.expected - len(self.seen) - self.duplicates

    def take(self, packet: Heard, clock_rate: int) -> bool:
        """False where it begins another stream, which its successor confirmed."""
        step = (packet.sequence - self.highest) & 0xFFFF
        if MAX_DROPOUT <= step < 0x10000 - MAX_MISORDER:
            leaps = packet.sequence == self.expected_elsewhere
            self.expected_elsewhere = (packet.sequence + 1) & 0xFFFF
            return not leaps
        number = self.highest + (step if step < MAX_DROPOUT else step - 0x10000)
        if number in self.seen or number < self.first - MAX_MISORDER:
            self.duplicates += number in self.seen
            return True
        self.seen.add(number)
        if number < self.highest:
            self.reordered += 1
        self.first, self.highest = min(self.first, number), max(self.highest, number)
        self._measure(packet, clock_rate)
        return True

    def _measure(self, packet: Heard, clock_rate: int) -> None:
        spoken = (packet.timestamp - self.timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        passed = (packet.at_ns - self.at_ns) * clock_rate / 1e9
        self.at_ns, self.timestamp = packet.at_ns, packet.timestamp
        difference = abs(passed - spoken)
        if packet.audible is None or spoken == 0 or difference > _STEP_MS * clock_rate / 1000:
            return
        self.smoothed += (difference - self.smoothed) / 16
        self.differences.append(difference)


class Streams:
    """The streams among packets in the order of their arrival, by the order of their beginning."""

    def __init__(self, clock_rate: int = 8_000) -> None:
        self.found: list[Stream] = []
        self.current: dict[int, Stream] = {}
        """By SSRC."""
        self._clock_rate = clock_rate

    def take(self, packet: Heard) -> None:
        stream = self.current.get(packet.ssrc)
        if stream is None or not stream.take(packet, self._clock_rate):
            stream = self.current[packet.ssrc] = Stream.begin(packet)
            self.found.append(stream)


def reception(packets: Sequence[Heard], clock_rate: int = 8_000) -> Reception:
    """Packets in the order of their arrival, taken together."""
    if not packets:
        return Reception()
    streams = Streams(clock_rate)
    for packet in packets:
        streams.take(packet)
    found = streams.found
    differences = [difference for stream in found for difference in stream.differences]
    gaps = [after.at_ns - before.at_ns for before, after in itertools.pairwise(packets)]
    return Reception(
        received=sum(len(stream.seen) for stream in found),
        expected=sum(stream.expected for stream in found),
        duplicates=sum(stream.duplicates for stream in found),
        reordered=sum(stream.reordered for stream in found),
        jitter_ms=sum(differences) / len(differences) / clock_rate * 1000 if differences else None,
        longest_gap_ms=max(gaps) / 1e6 if gaps else None,
        first_ns=packets[0].at_ns,
        silent=not any(packet.audible for packet in packets),
    )
