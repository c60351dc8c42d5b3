"""The two UDP ports of one end of an audio stream: an even one for RTP, the next one for RTCP (RFC 3550 §11)."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

from probes.arrival import ANCILLARY_BYTES, arrival_ns, stamped
from probes.datagram import drops
from probes.local import mark_packets
from probes.resolve import Sockaddr
from probes.unreachable import ask_for_errors, unreachable

LARGEST = 2_048
"""Octets of a packet that are read: more than any audio of ours takes."""

_BATCH = 32
_ATTEMPTS = 64
_ERRORS = 512
_MSG_ERRQUEUE = 0x2000
_RECEIVE_BUFFER = 1 << 20

Taker = Callable[[bytes, Sockaddr, int], None]
"""Takes a datagram, where it came from, and when it arrived in ``time.monotonic_ns()``."""


class AudioPorts:
    """Made inside a running loop."""

    def __init__(
        self,
        family: socket.AddressFamily,
        host: str,
        take_rtp: Taker,
        take_rtcp: Taker,
        *,
        dscp: int = 0,
    ) -> None:
        """At an address of this host. Raises OSError where no two ports can be had."""
        self._loop = asyncio.get_running_loop()
        self._rtp, self._rtcp = _pair(family, host)
        self.port: int = self._rtp.getsockname()[1]
        self.refused = 0
        """Packets of ours of which a host on the way said by ICMP that they could not be delivered."""
        for sock, take in ((self._rtp, take_rtp), (self._rtcp, take_rtcp)):
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            stamped(sock)
            ask_for_errors(sock)
            if dscp:
                mark_packets(sock, dscp)
            self._loop.add_reader(sock, self._drain, sock, take)

    def overrun(self) -> int:
        """Packets of audio that arrived and that we did not read in time."""
        return drops(self._rtp)

    def send_rtp(self, data: bytes, to: Sockaddr) -> None:
        """Raises OSError."""
        self._send(self._rtp, data, to)

    def send_rtcp(self, data: bytes, to: Sockaddr) -> None:
        """Raises OSError."""
        self._send(self._rtcp, data, to)

    def close(self) -> None:
        for sock in (self._rtp, self._rtcp):
            self._loop.remove_reader(sock)
            sock.close()

    def _send(self, sock: socket.socket, data: bytes, to: Sockaddr) -> None:
        try:
            sock.sendto(data, to)
        except OSError:
            if not self._drain_errors(sock):
                raise
            sock.sendto(data, to)  # it was the error of an earlier packet

    def _drain(self, sock: socket.socket, take: Taker) -> None:
        for number in range(_BATCH):
            try:
                data, ancillary, _, source = sock.recvmsg(LARGEST, ANCILLARY_BYTES)
            except BlockingIOError:
                if number == 0:
                    self._drain_errors(sock)  # an error of which no call tells us would wake us for ever
                return
            except OSError:
                self._drain_errors(sock)
                continue
            take(data, source, arrival_ns(ancillary))

    def _drain_errors(self, sock: socket.socket) -> int:
        """How many ICMP errors the kernel held."""
        for number in range(_BATCH):
            try:
                sent, ancillary, _, _ = sock.recvmsg(LARGEST, _ERRORS, _MSG_ERRQUEUE)
            except OSError:
                return number
            if sock is self._rtp and unreachable(sent, ancillary) is not None:
                self.refused += 1
        return _BATCH


def _pair(family: socket.AddressFamily, host: str) -> tuple[socket.socket, socket.socket]:
    for _ in range(_ATTEMPTS):
        first = _bound(family, host, 0)
        port = first.getsockname()[1]
        try:
            if port % 2:
                port -= 1
                return _bound(family, host, port), first
            return first, _bound(family, host, port + 1)
        except OSError as error:
            first.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    raise OSError(errno.EADDRINUSE, "no two ports in a row for audio")


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
