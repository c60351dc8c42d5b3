"""ICMP errors for datagrams of ours: what the kernel's error queue says (``IP_RECVERR``, <linux/errqueue.h>).

"Host unreachable" comes from the kernel itself, in our own name, when a neighbour answers no ARP or neighbour
discovery. That is the silence of the target, or of the next hop to it, and no fault of this host; where it is
the next hop, the reference targets are silent with it. What this host refuses to send fails when it is sent,
and never comes this way.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping

from probes.arrival import Ancillary
from probes.outcome import Outcome, Verdict

_RECVERR = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
_LEVELS = {where: family for family, where in _RECVERR.items()}
_EXTENDED_ERROR = struct.Struct("@IBBBBII")
_LOCAL_ORIGIN = 1

_REASONS = {
    socket.AF_INET: {  # RFC 792, RFC 1812 §5.2.7.1
        (3, 0): "network unreachable",
        (3, 1): "host unreachable",
        (3, 2): "protocol unreachable",
        (3, 3): "refused",
        (3, 4): "too big for the path",  # RFC 1191 §4
        (3, 9): "prohibited",
        (3, 10): "prohibited",
        (3, 13): "prohibited",
        (11, 0): "time exceeded",
    },
    socket.AF_INET6: {  # RFC 4443 §3
        (1, 0): "network unreachable",
        (1, 1): "prohibited",
        (1, 3): "host unreachable",
        (1, 4): "refused",
        (1, 5): "prohibited",
        (1, 6): "prohibited",
        (2, 0): "too big for the path",
        (3, 0): "time exceeded",
    },
}
_TOO_BIG = {(socket.AF_INET, 3, 4), (socket.AF_INET6, 2, 0)}
"""Not an answer where the kernel learns the size of the path from it, and sends the next one in fragments."""


class Unreachable(OSError):
    """A node on the way, or the target itself, said by ICMP that a datagram did not get through.

    ``quoted`` is the beginning of that datagram, as far as the node gave it back (at least 8 bytes, RFC 792).
    ``path_mtu``: what it said that the next hop takes, in bytes of the IP packet; 0 where it said nothing of it.
    """

    def __init__(
        self, reason: str, kind: int, code: int, offender: str, quoted: bytes, path_mtu: int = 0
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind
        self.code = code
        self.offender = offender
        self.quoted = quoted
        self.path_mtu = path_mtu

    @property
    def detail(self) -> dict[str, object]:
        said: dict[str, object] = {"icmp": f"{self.kind}/{self.code}", "by": self.offender}
        return said | {"path_mtu": self.path_mtu} if self.path_mtu else said

    def outcome(self, sent_ns: int, detail: Mapping[str, object]) -> Outcome:
        """An answer, and a bad one."""
        return Outcome(Verdict.BAD, sent_ns, self.reason, detail={**detail, **self.detail})


def ask_for_errors(sock: socket.socket) -> None:
    """From now on the socket's error queue holds the ICMP errors for its datagrams."""
    sock.setsockopt(*_RECVERR[sock.family], 1)


def unreachable(quoted: bytes, ancillary: Ancillary, *, unfragmented: bool = False) -> Unreachable | None:
    """What an entry of the error queue says; None where it is no word of another node's.

    ``unfragmented``: the datagram went out whole or not at all, so that "too big" is an end of it.
    """
    for level, kind, data in ancillary:
        family = _LEVELS.get((level, kind))
        if family is None:
            continue
        _, origin, icmp_type, code, _, next_hop_mtu, _ = _EXTENDED_ERROR.unpack_from(data)
        too_big = (family, icmp_type, code) in _TOO_BIG
        if origin <= _LOCAL_ORIGIN or (too_big and not unfragmented):
            return None
        reason = _REASONS[family].get((icmp_type, code), "unreachable")
        offender = _offender(family, data[_EXTENDED_ERROR.size :])
        return Unreachable(reason, icmp_type, code, offender, quoted, next_hop_mtu if too_big else 0)
    return None


def _offender(family: socket.AddressFamily, sockaddr: bytes) -> str:
    if family == socket.AF_INET:
        return socket.inet_ntop(family, sockaddr[4:8])
    return socket.inet_ntop(family, sockaddr[8:24])
