"""The test packets of one probe and their answers. No socket, no clock."""

from __future__ import annotations

import os
from bisect import bisect_right
from dataclasses import dataclass, field

from probes.datagram import Answer, from_elsewhere
from probes.resolve import Sockaddr
from probes.stamp.clock import Clock
from probes.stamp.delay import Journey, utc_ns
from probes.stamp.loss import FIRST, Seen, is_stateful
from probes.stamp.options import StampOptions
from probes.stamp.packet import (
    IDENTITY,
    NotStamp,
    SenderPacket,
    decode_reflected,
    encode_sender,
)
from probes.stamp.padding import extra_padding
from probes.stamp.timestamp import (
    ErrorEstimate,
    from_error_estimate,
    from_ntp,
    from_ptp,
    to_error_estimate,
    to_ntp,
)
from probes.unreachable import Unreachable

CLOSING = 2
"""Packets that are sent after a burst at most, while its last ones have no answer."""

_MOST_REPLIES = 4
"""Answers that are taken, times the packets that were sent; the first to each packet always is."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to the packet with that index.

    ``number``: the reflector's own for it. ``journey``: its instants, the reflector's in UTC as far as we know;
    ``stamped``: whether it gave any (zero is an unknown time, RFC 5905 §6). ``estimate``: what the reflector says
    of its clock. ``ttl``: with which our packet arrived there.
    """

    index: int
    number: int
    journey: Journey
    stamped: bool
    estimate: ErrorEstimate
    ttl: int
    size: int


@dataclass(slots=True)
class Burst:
    """Packets to ``asked``, when each left (nanoseconds of ``time.monotonic_ns()``), and what came back.

    ``offset_ns``: wall clock minus monotonic clock. ``clock``: what we know of the former. ``halfway_ns``, up to
    which packets are sent at their spacing, and ``deadline_ns`` are instants, too. ``session``: the identifier
    of RFC 8972 §3, which is never zero.
    """

    options: StampOptions
    asked: Sockaddr
    offset_ns: int
    clock: Clock
    halfway_ns: int
    deadline_ns: int
    session: int = field(default_factory=lambda: int.from_bytes(os.urandom(2)) or 1)
    sent_ns: list[int] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    refused: dict[int, Unreachable] = field(default_factory=dict)
    elsewhere: Sockaddr | None = None
    """Who else answered."""

    first: dict[int, Reply] = field(default_factory=dict)
    """The first answer to each packet, in the order of their arrival."""

    identities: dict[bytes, int] = field(default_factory=dict)
    """The indices of the packets by what their answers echo."""

    @property
    def regular(self) -> int:
        """How many packets were sent, without the closing ones."""
        return max(min(1, len(self.sent_ns)), bisect_right(self.sent_ns, self.halfway_ns))

    @property
    def seen(self) -> list[Seen]:
        """All answers in the order of their arrival."""
        return [(reply.index, reply.number) for reply in self.replies]

    @property
    def settled(self) -> bool:
        """Whether every packet that counts was answered or refused."""
        return all(index in self.first or index in self.refused for index in range(self.regular))

    def next_ns(self, now_ns: int) -> int | None:
        """When the next packet is to leave; None where no more is.

        When the loop is so late that less than half of the time is left, no further one is: it would be counted
        as lost for our own fault.
        """
        if not self.sent_ns:
            return now_ns
        if len(self.sent_ns) < self.options.count:
            due_ns = self.sent_ns[-1] + self.options.spacing * 1_000_000
            if max(due_ns, now_ns) <= self.halfway_ns:
                return due_ns
        return self._closing_ns()

    def _closing_ns(self) -> int | None:
        """Where a stateful reflector's answer to the last packet is missing, one to a later packet can tell which
        direction lost it. The time that is left is divided evenly."""
        closing = len(self.sent_ns) - self.regular
        answered_to_the_end = max(self.first, default=-1) == len(self.sent_ns) - 1
        if closing == CLOSING or self.settled or answered_to_the_end or not is_stateful(self.seen):
            return None
        last_ns = self.sent_ns[self.regular - 1]
        return last_ns + (self.deadline_ns - last_ns) * (closing + 2) // (CLOSING + 2)

    def packet(self, wall_ns: int) -> bytes:
        """The next one to send, stamped with an instant of the wall clock."""
        index, size = len(self.sent_ns), self.options.size
        light = self.options.mode == "twamp-light"
        estimate = ErrorEstimate(self.clock.synchronised, self.clock.error_ns)
        base = encode_sender(
            SenderPacket(
                index + FIRST, to_ntp(wall_ns), to_error_estimate(estimate), 0 if light else self.session
            )
        )
        self.identities[base[IDENTITY]] = index
        return base[:size].ljust(size, b"\0") if light else base + extra_padding(size - len(base))

    def answered(self, identity: bytes, answer: Answer) -> Reply | None:
        """Take an answer that echoes this; None where it is nobody's, another host's, or one too many."""
        index = self.identities.get(identity, len(self.sent_ns))
        if index >= len(self.sent_ns):
            return None
        if index in self.first and len(self.replies) >= _MOST_REPLIES * len(self.sent_ns):
            return None
        if from_elsewhere(answer.source, self.asked):
            self.elsewhere = answer.source
            return None
        try:
            reply = self._reply(index, answer)
        except NotStamp:
            return None
        self.replies.append(reply)
        self.first.setdefault(index, reply)
        self.refused.pop(index, None)
        return reply

    def _reply(self, index: int, answer: Answer) -> Reply:
        packet, sent_ns = decode_reflected(answer.data), self.sent_ns[index]
        returned_ns = max(sent_ns, answer.received_ns) + self.offset_ns
        estimate = from_error_estimate(packet.error_estimate)
        arrived_ns, left_ns = (
            utc_ns((from_ptp if estimate.ptp else from_ntp)(stamp, returned_ns), estimate, self.clock)
            for stamp in (packet.received, packet.timestamp)
        )
        journey = Journey(sent_ns + self.offset_ns, arrived_ns, left_ns, returned_ns)
        stamped = packet.received != 0 and packet.timestamp != 0
        return Reply(index, packet.sequence, journey, stamped, estimate, packet.ttl, len(answer.data))

    def failed(self, error: Unreachable) -> None:
        """Take a router's or the target's word that a packet did not get through."""
        index = self.identities.get(error.quoted[IDENTITY], len(self.sent_ns) - 1)
        if index not in self.first:
            self.refused[index] = error
