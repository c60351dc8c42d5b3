"""The control messages that come with a datagram, and go with its answer (ip(7), ipv6(7))."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field

from probes.arrival import Ancillary, stamp_ns

ANCILLARY = 512
"""Room for all of them."""

# <linux/in.h>, <linux/in6.h>: TTL, type of service, the address that the datagram was sent to
_WANTED = {
    socket.AF_INET: ((socket.IPPROTO_IP, 12), (socket.IPPROTO_IP, 13), (socket.IPPROTO_IP, 8)),
    socket.AF_INET6: ((socket.IPPROTO_IPV6, 51), (socket.IPPROTO_IPV6, 66), (socket.IPPROTO_IPV6, 49)),
}
_TTL = ((socket.IPPROTO_IP, 2), (socket.IPPROTO_IPV6, 52))
_TOS = (socket.IPPROTO_IP, 1)
_TRAFFIC_CLASS = (socket.IPPROTO_IPV6, 67)
_PKTINFO = (socket.IPPROTO_IP, 8)
_PKTINFO6 = (socket.IPPROTO_IPV6, 50)
_INT = struct.Struct("@i")
_NOT_ECN = 0xFC


@dataclass(slots=True)
class Envelope:
    """Of a datagram: the kernel's stamp in nanoseconds of the wall clock, its TTL (255 where the kernel tells
    none, RFC 5357 §4.2.1), the address of ours that it was sent to, and what has its answer leave from there
    with the same code point."""

    stamp_ns: int | None
    ttl: int = 255
    local: bytes = b""
    answer: Ancillary = field(default_factory=list)


def ask(sock: socket.socket) -> None:
    """From now on the socket's datagrams come with TTL, type of service and the address they were sent to."""
    for level, option in _WANTED[sock.family]:
        sock.setsockopt(level, option, 1)


def envelope(ancillary: Ancillary) -> Envelope:
    """What came with a datagram."""
    found = Envelope(stamp_ns(ancillary))
    for level, kind, data in ancillary:
        which = (level, kind)
        if which in _TTL:
            found.ttl = _INT.unpack(data)[0]
        elif which == _TOS:
            found.answer.append((level, kind, _INT.pack(data[0] & _NOT_ECN)))
        elif which == _TRAFFIC_CLASS:
            found.answer.append((level, kind, _INT.pack(_INT.unpack(data)[0] & _NOT_ECN)))
        elif which == _PKTINFO:
            found.local = data[4:8]
            found.answer.append((level, kind, bytes(4) + found.local + bytes(4)))
        elif which == _PKTINFO6:
            found.local = data[:16]
            found.answer.append((level, kind, found.local + bytes(4)))
    return found
