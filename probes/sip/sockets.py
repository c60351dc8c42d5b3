"""The UDP sockets that SIP probes share: one for each way in which datagrams leave this host."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import NamedTuple

from probes.datagram import Line, Unsent
from probes.local import mark_packets
from probes.resolve import Address, literal
from probes.sip.request import branch_of

MOST = 32
"""Sockets open at once. Of more ways those give up theirs that wait for no answer."""

_SOURCES_KEPT = 16_384
_SOURCE_FRESH_S = 60.0


class Way(NamedTuple):
    """What is set on a socket, and so holds for all that it sends. ``port`` 0: any."""

    family: socket.AddressFamily
    source: str | None = None
    port: int = 0
    dscp: int = 0


class Lines:
    """The sockets by their way, opened when first asked for. Made inside a running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines: dict[Way, Line] = {}
        self._sources: dict[str, tuple[float, str]] = {}
        self._closed = False

    def of(self, way: Way) -> Line:
        """The socket of a way. Raises OSError where there can be none: it is ours that is missing."""
        line = self._lines.get(way)
        if line is None:
            if self._closed:
                raise Unsent("prober was closed")
            if len(self._lines) >= MOST:
                self._close_idle()
            line = self._lines[way] = _line(way)
        return line

    def source(self, address: Address) -> str:
        """The local address from which this host reaches another, as Via and Contact must name it."""
        now = self._loop.time()
        known = self._sources.get(address.host)
        if known is not None and now < known[0]:
            return known[1]
        with socket.socket(address.family, socket.SOCK_DGRAM) as asking:
            asking.connect(address.sockaddr(9))
            host: str = asking.getsockname()[0]
        if len(self._sources) >= _SOURCES_KEPT:
            self._sources.clear()
        self._sources[address.host] = (now + _SOURCE_FRESH_S, host)
        return host

    def close(self) -> None:
        """Every exchange under way ends as Unsent, and there will be no more."""
        self._closed = True
        for line in self._lines.values():
            line.close()
        self._lines.clear()

    def _close_idle(self) -> None:
        for way, line in self._lines.items():
            if line.idle:
                line.close()
                del self._lines[way]
                return
        raise Unsent(errno.EMFILE, "too many kinds of SIP probes under way")


def _line(way: Way) -> Line:
    sock = socket.socket(way.family, socket.SOCK_DGRAM)
    try:
        if way.dscp:
            mark_packets(sock, way.dscp)
        sock.bind(_bound_to(way))
        return Line(sock, branch_of, branch_of)
    except OSError:
        sock.close()
        raise


def _bound_to(way: Way) -> tuple[str, int] | tuple[str, int, int, int]:
    own = literal(way.source) if way.source is not None else None
    if own is not None:
        return own.addresses[0].sockaddr(way.port)
    return Address(way.family, "::" if way.family == socket.AF_INET6 else "0.0.0.0").sockaddr(way.port)  # noqa: S104 (a client's socket)
