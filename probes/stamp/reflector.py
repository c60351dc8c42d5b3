"""The other end of a STAMP session: takes test packets and sends them back (RFC 8762 §4.3)."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

from probes.arrival import stamped
from probes.envelope import ANCILLARY, Envelope, ask, envelope
from probes.listening import addresses, bound
from probes.resolve import Address, Sockaddr
from probes.stamp.clock import Clock, read_clock
from probes.stamp.packet import LARGEST
from probes.stamp.reflection import Arrival, Sessions, Tally

BATCH = 128
"""Datagrams that are read in one go; the loop then turns before the next ones."""

CLOCK_S = 1.0
"""For how long what the system said of its clock is passed on."""

RECEIVE_BUFFER = 1 << 20
"""Bytes of packets that the kernel is asked to hold for us; net.core.rmem_max may grant less."""


class Reflector:
    """Answers test packets from the addresses that it may answer, statefully. Made inside a running loop.

    An answer leaves from the address that was asked, with the code point of the question, so that both
    directions are measured in one class of service.
    """

    def __init__(
        self, allow: Callable[[str], bool] | None = None, *, clock: Callable[[], Clock] = read_clock
    ) -> None:
        """``allow``: whether an address gets answers; None: every one does. ``clock``: what this host knows of
        its wall clock."""
        self._loop = asyncio.get_running_loop()
        self._allow = allow
        self._read_clock = clock
        self._clock = clock()
        self._clock_until_s = self._loop.time() + CLOCK_S
        self._sessions = Sessions()
        self._sockets: list[socket.socket] = []

    @property
    def tally(self) -> Tally:
        """What became of the datagrams that arrived so far."""
        return self._sessions.tally

    async def serve(self, host: str, port: int) -> int:
        """Answer at an address of this host, or EVERYWHERE, from now on; the port, which 0 leaves to the system.

        Raises OSError where it cannot be had.
        """
        opened: list[socket.socket] = []
        try:
            for address in addresses(host):
                opened.append(_open(address, port))
                port = opened[-1].getsockname()[1]
        except OSError:
            for sock in opened:
                sock.close()
            raise
        for sock in opened:
            self._sockets.append(sock)
            self._loop.add_reader(sock, self._drain, sock)
        return port

    async def close(self) -> None:
        """Answer no more."""
        for sock in self._sockets:
            self._loop.remove_reader(sock)
            sock.close()
        self._sockets.clear()

    def _drain(self, sock: socket.socket) -> None:
        for _ in range(BATCH):
            try:
                data, ancillary, _, source = sock.recvmsg(LARGEST + 1, ANCILLARY)
            except OSError:
                return
            self._reflect(sock, data, envelope(ancillary), source)

    def _reflect(self, sock: socket.socket, data: bytes, came: Envelope, source: Sockaddr) -> None:
        if self._allow is not None and not self._allow(source[0].partition("%")[0]):
            self.tally.refused += 1
            return
        arrival = Arrival(data, source, came.local, came.stamp_ns or time.time_ns(), came.ttl)
        accepted = self._sessions.take(arrival, time.monotonic_ns())
        if accepted is None:
            return
        clock = self._current_clock()
        try:
            sock.sendmsg([accepted.answer(clock, time.time_ns())], came.answer, 0, source)
        except OSError:
            self.tally.unsent += 1
        else:
            self.tally.reflected += 1

    def _current_clock(self) -> Clock:
        now_s = self._loop.time()
        if now_s >= self._clock_until_s:
            self._clock, self._clock_until_s = self._read_clock(), now_s + CLOCK_S
        return self._clock


def _open(address: Address, port: int) -> socket.socket:
    """Raises OSError."""
    sock = bound(address, socket.SOCK_DGRAM, port)
    stamped(sock)
    ask(sock)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    return sock
