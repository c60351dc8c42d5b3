"""What a reflector answers, and to whom how often (RFC 8762 §4.3). No socket, no clock.

An answer has the size of its question, so that nobody can use the reflector to multiply traffic.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from probes.resolve import Sockaddr
from probes.stamp.clock import Clock
from probes.stamp.packet import (
    BASE,
    LARGEST,
    NotStamp,
    ReflectedPacket,
    SenderPacket,
    decode_sender,
    encode_reflected,
)
from probes.stamp.padding import reflected
from probes.stamp.timestamp import ErrorEstimate, to_error_estimate, to_ntp

SESSIONS = 4_096
"""Sessions that are counted at once. Of more the one that was silent for longest begins anew."""

SOURCES = 4_096
"""Addresses whose rate is watched at once."""

RATE = 1_000
"""Packets a second that one address gets answers to."""

BURST = 1_000
"""Packets that one address may send at once before that rate holds."""

_SECOND_NS = 1_000_000_000
_NUMBERS = 1 << 32


@dataclass(frozen=True, slots=True)
class Arrival:
    """A datagram: whence, to which address of ours, when (nanoseconds of the wall clock), with which TTL."""

    data: bytes
    source: Sockaddr
    local: bytes
    at_ns: int
    ttl: int


@dataclass(slots=True)
class _Allowance:
    """How many packets a source may send at once, as of an instant of the monotonic clock."""

    packets: float
    since_ns: int


@dataclass(slots=True)
class Tally:
    """What became of the datagrams that arrived."""

    reflected: int = 0
    malformed: int = 0
    refused: int = 0
    too_many: int = 0
    unsent: int = 0


@dataclass(slots=True)
class Sessions:
    """The packets of each session, counted: a session is known by the addresses and ports of both ends and the
    sender's identifier (RFC 8972 §3)."""

    tally: Tally = field(default_factory=Tally)
    _next: OrderedDict[tuple[Sockaddr, bytes, int], int] = field(default_factory=OrderedDict)
    _allowances: OrderedDict[str, _Allowance] = field(default_factory=OrderedDict)

    def take(self, arrival: Arrival, now_ns: int) -> Accepted | None:
        """The packet and its place in its session; None where it gets no answer. ``now_ns`` is monotonic."""
        if len(arrival.data) > LARGEST:
            self.tally.malformed += 1
            return None
        try:
            packet = decode_sender(arrival.data)
        except NotStamp:
            self.tally.malformed += 1
            return None
        if not self._allowed(arrival.source[0], now_ns):
            self.tally.too_many += 1
            return None
        return Accepted(arrival, packet, self._count((arrival.source, arrival.local, packet.session)))

    def _count(self, session: tuple[Sockaddr, bytes, int]) -> int:
        number = self._next.pop(session, 0)
        self._next[session] = (number + 1) % _NUMBERS
        if len(self._next) > SESSIONS:
            self._next.popitem(last=False)
        return number

    def _allowed(self, source: str, now_ns: int) -> bool:
        allowance = self._allowances.pop(source, None) or _Allowance(BURST, now_ns)
        self._allowances[source] = allowance
        if len(self._allowances) > SOURCES:
            self._allowances.popitem(last=False)
        earned = (now_ns - allowance.since_ns) * RATE / _SECOND_NS
        allowance.packets, allowance.since_ns = min(BURST, allowance.packets + earned), now_ns
        if allowance.packets < 1:
            return False
        allowance.packets -= 1
        return True


@dataclass(frozen=True, slots=True)
class Accepted:
    """A sender's packet that gets an answer with that number."""

    arrival: Arrival
    packet: SenderPacket
    number: int

    def answer(self, clock: Clock, left_ns: int) -> bytes:
        """The octets to send, stamped with an instant of the wall clock."""
        data, packet = self.arrival.data, self.packet
        estimate = to_error_estimate(ErrorEstimate(clock.synchronised, clock.error_ns))
        base = encode_reflected(
            ReflectedPacket(
                self.number,
                to_ntp(left_ns),
                estimate,
                packet.session,
                to_ntp(self.arrival.at_ns),
                packet.sequence,
                packet.timestamp,
                packet.error_estimate,
                self.arrival.ttl,
            )
        )
        return base[: len(data)] + reflected(data[BASE:])
