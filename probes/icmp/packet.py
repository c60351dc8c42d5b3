"""Echo requests and what comes back of them (RFC 792, RFC 4443 §4).

The data of a request begins with eight random bytes, the token of its burst, and two with its place in it:
the identifier belongs to the kernel, and the sequence number is too short to tell a thousand targets apart.
"""

from __future__ import annotations

import socket
import struct

HEADER = 8
"""Bytes of type, code, checksum, identifier and sequence number."""

TOKEN = 8
"""Bytes that all requests of a burst have in common, and no others."""

SMALLEST = TOKEN + 2
"""Bytes of data without which an answer could not be told from others."""

PROTOCOL = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}
REPLY = {socket.AF_INET: 0, socket.AF_INET6: 129}
"""The type of an echo reply."""

_REQUEST = {socket.AF_INET: 8, socket.AF_INET6: 128}
_ECHO = struct.Struct("!BBHHH8sH")
_PLACE = struct.Struct("!8sH")


def request(
    family: socket.AddressFamily, identifier: int, sequence: int, token: bytes, index: int, size: int
) -> bytes:
    """The ``index``-th echo request of a burst, with ``size`` bytes of data (at least SMALLEST).

    The checksum is that of IPv4, for a raw socket; any other has the kernel write its own over it.
    """
    echo = _ECHO.pack(_REQUEST[family], 0, 0, identifier, sequence, token, index)
    return echo[:2] + _checksum(echo).to_bytes(2) + echo[4:] + bytes(size - SMALLEST)


def place(data: bytes, token: bytes) -> int | None:
    """Which request of the burst an answer echoes, or an error quotes; None where it is cut off before that."""
    start = data.find(token)
    if start < 0 or len(data) < start + SMALLEST:
        return None
    return int(_PLACE.unpack_from(data, start)[1])


def token_of_reply(reply: int, headed: bool, data: bytes) -> bytes | None:
    """Whose answer a received packet is; None where it is no echo reply that we can have asked for.

    ``reply`` is the type of an echo reply, ``headed`` says that an IPv4 header stands before it.
    """
    start = (data[0] & 15) * 4 if headed and data else 0
    if len(data) < start + HEADER + SMALLEST or data[start] != reply:
        return None
    return data[start + HEADER : start + HEADER + TOKEN]


def token_of_request(quoted: bytes) -> bytes:
    """Whose request an ICMP error quotes; shorter than a token where too little is quoted."""
    return quoted[HEADER : HEADER + TOKEN]


def _checksum(beginning: bytes) -> int:
    """The Internet checksum (RFC 1071) of a packet in which only zeros follow: its 16-bit words, added in one's
    complement, are the remainder of the whole by 65,535."""
    return 0xFFFF - int.from_bytes(beginning) % 0xFFFF
