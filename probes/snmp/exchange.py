"""One datagram out, its answer back."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import dataclass, field

from probes.arrival import ANCILLARY_BYTES, arrival_ns, stamped
from probes.resolve import Sockaddr

LARGEST = 2_048
"""Bytes of an answer that are read: what was asked for fits, and more would only cost time to decode."""

_AT_A_TIME = 16


@dataclass(slots=True)
class Exchange:
    """A question under way. ``unusable`` counts what came back and was no answer to it."""

    sent_ns: int = field(default_factory=time.monotonic_ns)
    received_ns: int | None = None
    unusable: int = 0
    _answer: asyncio.Future[bytes] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def round_trip_s(self) -> float | None:
        return None if self.received_ns is None else max(0, self.received_ns - self.sent_ns) / 1e9

    async def ask(self, sockaddr: Sockaddr, question: bytes, mark: bytes) -> bytes:
        """The first datagram from ``sockaddr`` with ``mark`` in it. Waits without end; raises OSError.

        The socket is of this question alone and connected: the kernel drops what comes from elsewhere, and an
        ICMP error can only mean this question. ``received_ns`` is the kernel's time of arrival.
        """
        loop = asyncio.get_running_loop()
        family = socket.AF_INET if len(sockaddr) == 2 else socket.AF_INET6
        with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
            stamped(sock)
            sock.connect(sockaddr)
            self.sent_ns = time.monotonic_ns()
            sock.send(question)
            loop.add_reader(sock, self._receive, sock, mark)
            try:
                return await self._answer
            finally:
                loop.remove_reader(sock)

    def _receive(self, sock: socket.socket, mark: bytes) -> None:
        for _ in range(_AT_A_TIME):
            if self._answer.done():
                return
            try:
                datagram, ancillary, _, _ = sock.recvmsg(LARGEST, ANCILLARY_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                self._answer.set_exception(error)
                return
            if mark in datagram:
                self.received_ns = arrival_ns(ancillary)
                self._answer.set_result(datagram)
            else:
                self.unusable += 1
