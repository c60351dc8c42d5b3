"""The sockets that ICMP probes share: one for each way in which packets leave this host."""

from __future__ import annotations

import errno
import socket
import sys
from functools import partial
from typing import NamedTuple

from probes.datagram import Line, Unsent
from probes.icmp.packet import PROTOCOL, REPLY, token_of_reply, token_of_request
from probes.resolve import literal

MOST = 32
"""Sockets open at once. Of more ways those give up theirs that wait for no answer."""

_SOL_RAW = 255
_FILTERS = {  # <linux/icmp.h>, <linux/icmpv6.h>: a set bit keeps that type out
    socket.AF_INET: (_SOL_RAW, 1, (~(1 << 0) & 0xFFFF_FFFF).to_bytes(4, sys.byteorder)),
    socket.AF_INET6: (socket.IPPROTO_ICMPV6, 1, (~(1 << 129) & (1 << 256) - 1).to_bytes(32, sys.byteorder)),
}

# <linux/in.h>, <linux/in6.h>
_HOPS = {
    socket.AF_INET: (socket.IPPROTO_IP, socket.IP_TTL),
    socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS),
}
_TRAFFIC_CLASS = {
    socket.AF_INET: (socket.IPPROTO_IP, socket.IP_TOS),
    socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
}
_MTU_DISCOVER = {socket.AF_INET: (socket.IPPROTO_IP, 10), socket.AF_INET6: (socket.IPPROTO_IPV6, 23)}
_PMTUDISC_PROBE = 3
_DONTFRAG = (socket.IPPROTO_IPV6, 62)


class NotPermitted(OSError):
    """This host lets us send no ICMP echo."""


class Way(NamedTuple):
    """What is set on a socket, and so holds for all that it sends. ``ttl`` None: as the host does."""

    family: socket.AddressFamily
    source: str | None = None
    ttl: int | None = None
    dscp: int = 0
    dont_fragment: bool = False


class Lines:
    """The sockets by their way, opened when first asked for. Made inside a running loop."""

    def __init__(self) -> None:
        self._lines: dict[Way, Line] = {}

    def of(self, way: Way) -> Line:
        """The socket of a way. Raises OSError where there can be none: it is ours that is missing."""
        line = self._lines.get(way)
        if line is None:
            if len(self._lines) >= MOST:
                self._close_idle()
            line = self._lines[way] = _line(way)
        return line

    def close(self) -> None:
        """Every exchange under way ends as Unsent."""
        for line in self._lines.values():
            line.close()
        self._lines.clear()

    def _close_idle(self) -> None:
        for way, line in self._lines.items():
            if line.idle:
                line.close()
                del self._lines[way]
                return
        raise Unsent(errno.EMFILE, "too many kinds of ICMP probes under way")


def _line(way: Way) -> Line:
    sock = _open(way.family)
    headed = sock.type == socket.SOCK_RAW and way.family == socket.AF_INET
    try:
        _set(sock, way)
        key_of = partial(token_of_reply, REPLY[way.family], headed)
        return Line(sock, key_of, token_of_request, unfragmented=way.dont_fragment)
    except OSError:
        sock.close()
        raise


def _open(family: socket.AddressFamily) -> socket.socket:
    try:
        return socket.socket(family, socket.SOCK_DGRAM, PROTOCOL[family])
    except PermissionError:
        pass
    try:
        raw = socket.socket(family, socket.SOCK_RAW, PROTOCOL[family])
    except PermissionError:
        raise NotPermitted(
            "open the group of the process in net.ipv4.ping_group_range, or give it CAP_NET_RAW"
        ) from None
    # a raw socket would see all ICMP of this host, its own requests on loopback included
    raw.setsockopt(*_FILTERS[family])
    return raw


def _set(sock: socket.socket, way: Way) -> None:
    if way.ttl is not None:
        sock.setsockopt(*_HOPS[way.family], way.ttl)
    if way.dscp:
        sock.setsockopt(*_TRAFFIC_CLASS[way.family], way.dscp << 2)
    if way.dont_fragment:
        # not IP_PMTUDISC_DO: the kernel would remember what a router said, and answer the next probe itself
        sock.setsockopt(*_MTU_DISCOVER[way.family], _PMTUDISC_PROBE)
        if way.family == socket.AF_INET6:
            sock.setsockopt(*_DONTFRAG, 1)
    if way.source is not None and (own := literal(way.source)) is not None:
        sock.bind(own.addresses[0].sockaddr(0))
