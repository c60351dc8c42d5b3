"""Packets of audio (RFC 3550 §5.1). No sockets here."""

from __future__ import annotations

import struct
from typing import NamedTuple

HEADER = struct.Struct("!BBHII")
"""The twelve octets that every packet begins with."""

_VERSION_2 = 0x80
_EXTENSION = struct.Struct("!HH")


class NotRtp(ValueError):
    """No packet of RTP. ``str()`` says why."""


class RtpPacket(NamedTuple):
    """Sequence, timestamp and SSRC are as on the wire: 16, 32 and 32 bits that wrap."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    def encode(self) -> bytes:
        """The packet without padding, extension, and contributing sources."""
        second = self.payload_type | (0x80 if self.marker else 0)
        return HEADER.pack(_VERSION_2, second, self.sequence, self.timestamp, self.ssrc) + self.payload


def parse_rtp(data: bytes) -> RtpPacket:
    """Raises NotRtp; RTCP on the same port is none either (RFC 5761 §4)."""
    if len(data) < HEADER.size:
        raise NotRtp("shorter than a header")
    first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    if first & 0xC0 != _VERSION_2:
        raise NotRtp("another version than 2")
    if 192 <= second <= 223:
        raise NotRtp("RTCP")
    begin, end = HEADER.size + 4 * (first & 0x0F), len(data)
    if first & 0x10:
        if begin + _EXTENSION.size > end:
            raise NotRtp("an extension beyond the end")
        begin += _EXTENSION.size + 4 * _EXTENSION.unpack_from(data, begin)[1]
    if first & 0x20:
        padding = data[-1]
        if padding == 0:
            raise NotRtp("padding of no octets")
        end -= padding
    if begin > end:
        raise NotRtp("more header than packet")
    return RtpPacket(second & 0x7F, sequence, timestamp, ssrc, data[begin:end], bool(second & 0x80))
