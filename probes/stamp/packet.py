"""Test packets of the unauthenticated mode, from values to octets and back (RFC 8762 §4.2.1, §4.3.1).

TWAMP Light (RFC 5357 appendix I) has the same fields, but no session identifier (RFC 8972 §3), and its reflected
packet ends at the octet with the TTL. Timestamps stay the 64 bits that they are: see probes.stamp.timestamp.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

BASE = 44
"""Octets of a STAMP packet without extensions, in both directions."""

SMALLEST = 41
"""Octets of the smallest packet that a reflector can answer with one of the same size: TWAMP Light's."""

LARGEST = 8_952
"""Octets of a packet that fills a jumbo frame of 9,000 over IPv6."""

IDENTITY = slice(0, 12)
"""Where a sender's packet has its sequence number and timestamp, which no other packet has."""

ECHOED = slice(24, 36)
"""Where a reflected packet has them."""

_SENDER = struct.Struct("!IQHH28x")
_REFLECTED = struct.Struct("!IQHHQIQHxxB3x")
_REFLECTED_LIGHT = struct.Struct("!IQHHQIQHxxB")


class NotStamp(ValueError):
    """The octets are no test packet."""


@dataclass(frozen=True, slots=True)
class SenderPacket:
    """What a sender says: its number for the packet, when it left, how good its clock is, and which session."""

    sequence: int
    timestamp: int
    error_estimate: int
    session: int


@dataclass(frozen=True, slots=True)
class ReflectedPacket:
    """What a reflector says: its own number and timestamps, and the sender's fields back.

    ``sequence`` is the sender's once more from a stateless reflector, and counts its packets from a stateful one.
    ``ttl``: with which the sender's packet arrived there.
    """

    sequence: int
    timestamp: int
    error_estimate: int
    session: int
    received: int
    sender_sequence: int
    sender_timestamp: int
    sender_error_estimate: int
    ttl: int


def encode_sender(packet: SenderPacket) -> bytes:
    """The base packet; what makes it larger follows it."""
    return _SENDER.pack(packet.sequence, packet.timestamp, packet.error_estimate, packet.session)


def decode_sender(data: bytes) -> SenderPacket:
    """Raises NotStamp where it is shorter than SMALLEST: there is no answer of the same size to it.

    The session is 0 for a sender that has padding in the place of zeros, as TWAMP Light's may: what stands where
    its identifier would be is no such thing.
    """
    if len(data) < SMALLEST:
        raise NotStamp(f"{len(data)} octets are too few")
    sequence, timestamp, error_estimate, session = struct.unpack_from("!IQHH", data)
    light = any(data[16:SMALLEST])
    return SenderPacket(sequence, timestamp, error_estimate, 0 if light else session)


def encode_reflected(packet: ReflectedPacket) -> bytes:
    """The base packet, of BASE octets. Its first SMALLEST are what TWAMP Light reflects."""
    return _REFLECTED.pack(
        packet.sequence,
        packet.timestamp,
        packet.error_estimate,
        packet.session,
        packet.received,
        packet.sender_sequence,
        packet.sender_timestamp,
        packet.sender_error_estimate,
        packet.ttl,
    )


def decode_reflected(data: bytes) -> ReflectedPacket:
    """Raises NotStamp where it is shorter than SMALLEST. Fields that must be zero are not looked at."""
    if len(data) < SMALLEST:
        raise NotStamp(f"{len(data)} octets are too few")
    return ReflectedPacket(*_REFLECTED_LIGHT.unpack_from(data))
