"""TCP: does the port take connections? ``tcp://host:port``"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
import time
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from probes.attention import Deadline, Expired, silence
from probes.blame import failed, not_asked
from probes.metric import Metric
from probes.outcome import Outcome, Verdict
from probes.prober import Options
from probes.resolve import Family, Resolution, Resolver
from probes.target import split
from probes.units import Duration

# struct tcp_info of <linux/tcp.h>: what is read of it, and where
_TCP_INFO_BYTES = 104
_RTT_US = 68
_TOTAL_RETRANS = 100
_WORD = struct.Struct("=I")

_NON_BLOCKING_STREAM = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
_RESET_ON_CLOSE = struct.pack("=ii", 1, 0)


@dataclass(frozen=True, slots=True)
class TcpTarget:
    host: str
    port: int


class TcpOptions(Options):
    """What a TCP check can be told."""

    family: Family = "any"
    """Which addresses of a name count: any, ipv4 or ipv6. The first one is asked."""

    rtt_degraded: Duration | None = None
    """Milliseconds of round trip from which on an answer counts as degraded."""


class TcpProber:
    """Connects and hangs up.

    The round trip is the kernel's own measurement of SYN to SYN-ACK (``TCP_INFO``), so that a busy event loop
    does not lengthen it. After a lost SYN it is unknown, and the probe counts from the moment of connection.

    Connections are closed by a reset (``SO_LINGER`` 0), as load balancers check: a FIN would leave each local
    port in TIME_WAIT for a minute, and one probe host may make a thousand connections a second. Nothing was
    sent, so nothing can be lost.
    """

    schemes: ClassVar[tuple[str, ...]] = ("tcp",)
    options: ClassVar[type[Options]] = TcpOptions
    metrics: ClassVar[tuple[Metric, ...]] = ()

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._resolver = Resolver()
        self._connecting: set[asyncio.Future[None]] = set()

    @staticmethod
    def parse(text: str) -> TcpTarget:
        parts = split(text, "tcp://sbc.example.net:5061")
        if parts.scheme != "tcp" or not parts.port or parts.path or parts.query or parts.fragment:
            raise ValueError(f"expected tcp://HOST:PORT and no more, not {text!r}")
        return TcpTarget(parts.hostname or "", parts.port)

    async def probe(self, target: TcpTarget, options: TcpOptions) -> Outcome:
        started_ns = time.monotonic_ns()
        try:
            timeout_s = options.timeout / 1000
            resolution = await self._resolver.resolve(target.host, options.family, timeout_s=timeout_s)
            return await self._ask(resolution, target.port, options, started_ns)
        except OSError as error:
            return not_asked(error, started_ns)

    async def close(self) -> None:
        for connecting in self._connecting:
            if not connecting.done():
                connecting.set_exception(OSError("prober was closed"))
        await self._resolver.close()

    async def _ask(self, resolution: Resolution, port: int, options: TcpOptions, started_ns: int) -> Outcome:
        """Connect to the first address. Raises OSError where this host cannot even try."""
        sockaddr = resolution.addresses[0].sockaddr(port)
        detail = resolution.detail
        with socket.socket(resolution.addresses[0].family, _NON_BLOCKING_STREAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            sent_ns = time.monotonic_ns()
            resolve_s = (sent_ns - started_ns) / 1e9
            error = sock.connect_ex(sockaddr)
            if error == errno.EINPROGRESS:
                connecting: asyncio.Future[None] = self._loop.create_future()
                deadline = Deadline(options.timeout / 1000 - resolve_s, partial(_give_up, connecting))
                try:
                    await self._writable(sock, connecting)
                except Expired:
                    return silence(deadline, sent_ns, detail, resolve_s=resolve_s)
                finally:
                    deadline.cancel()
                error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                return failed(OSError(error, os.strerror(error)), sent_ns, sockaddr, detail)
            return _connected(sock, sent_ns, resolve_s, options, detail)

    async def _writable(self, sock: socket.socket, connecting: asyncio.Future[None]) -> None:
        self._connecting.add(connecting)
        self._loop.add_writer(sock, _settle, connecting)
        try:
            await connecting
        finally:
            self._loop.remove_writer(sock)
            self._connecting.discard(connecting)


def _settle(connecting: asyncio.Future[None]) -> None:
    if not connecting.done():
        connecting.set_result(None)


def _give_up(connecting: asyncio.Future[None]) -> None:
    if not connecting.done():
        connecting.set_exception(Expired())


def _connected(
    sock: socket.socket, sent_ns: int, resolve_s: float, options: TcpOptions, detail: dict[str, object]
) -> Outcome:
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    (lost,) = _WORD.unpack_from(info, _TOTAL_RETRANS)
    if lost:
        now_ns = time.monotonic_ns()
        phases = (("resolve", resolve_s), ("connect", (now_ns - sent_ns) / 1e9))
        return Outcome(Verdict.GOOD, now_ns, "connected", None, phases, {**detail, "retransmissions": lost})
    round_trip_s = _WORD.unpack_from(info, _RTT_US)[0] / 1e6
    slow = options.rtt_degraded is not None and round_trip_s * 1000 >= options.rtt_degraded
    verdict, reason = (Verdict.DEGRADED, "slow") if slow else (Verdict.GOOD, "connected")
    phases = (("resolve", resolve_s), ("connect", round_trip_s))
    return Outcome(verdict, sent_ns, reason, round_trip_s, phases, detail)


PROBER = TcpProber
