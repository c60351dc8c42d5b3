"""Connections, and conversations over them."""

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
from probes.dial import Dialer, Link
from probes.local import set_out
from probes.metric import Metric, Sample
from probes.outcome import Outcome, Verdict
from probes.prober import Options
from probes.resolve import Resolution
from probes.stream import Stream
from probes.target import split
from probes.tcp.conversation import converse
from probes.tcp.options import TcpOptions
from probes.tcp_info import handshake
from probes.tls_metrics import TLS_METRICS
from probes.trace import tell

_NON_BLOCKING_STREAM = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
_RESET_ON_CLOSE = struct.pack("=ii", 1, 0)


@dataclass(frozen=True, slots=True)
class TcpTarget:
    host: str
    port: int


def _failed_due_to_regex(outcome: Outcome) -> list[Sample]:
    return [({}, float(bool(outcome.detail.get("regex_failed"))))]


class TcpProber:
    """Connects and hangs up; or speaks TLS, or holds a conversation, where the options say so.

    The round trip is the kernel's own measurement of SYN to SYN-ACK (``TCP_INFO``), so that a busy event loop
    does not lengthen it. After a lost SYN it is unknown, and the probe counts from the moment of connection.

    Connections are closed by a reset (``SO_LINGER`` 0), as load balancers check: a FIN would leave each local
    port in TIME_WAIT for a minute, and one probe host may make a thousand connections a second.
    """

    schemes: ClassVar[tuple[str, ...]] = ("tcp",)
    options: ClassVar[type[Options]] = TcpOptions
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("probe_failed_due_to_regex", "Whether an expected line did not come", _failed_due_to_regex),
        *TLS_METRICS,
    )

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._dialer = Dialer()
        self._connecting: set[asyncio.Future[None]] = set()

    @staticmethod
    def parse(text: str) -> TcpTarget:
        parts = split(text, "tcp://sbc.example.net:5061")
        if parts.scheme != "tcp" or not parts.port or parts.path or parts.query or parts.fragment:
            raise ValueError(f"expected tcp://HOST:PORT and no more, not {text!r}")
        return TcpTarget(parts.hostname or "", parts.port)

    async def probe(self, target: TcpTarget, options: TcpOptions) -> Outcome:
        if not options.only_connects:
            return await self._converse(target, options)
        started_ns = time.monotonic_ns()
        try:
            timeout_s = options.timeout / 1000
            resolver = self._dialer.resolver
            resolution = await resolver.resolve(target.host, options.reachable, timeout_s=timeout_s)
            return await self._ask(resolution, target.port, options, started_ns)
        except OSError as error:
            return not_asked(error, started_ns)

    async def close(self) -> None:
        for connecting in self._connecting:
            if not connecting.done():
                connecting.set_exception(OSError("prober was closed"))
        await self._dialer.close()

    async def _converse(self, target: TcpTarget, options: TcpOptions) -> Outcome:
        async def talk(stream: Stream, link: Link) -> Outcome:
            return await converse(self._dialer, stream, link, options)

        return await self._dialer.dial(target.host, target.port, options, talk)

    async def _ask(self, resolution: Resolution, port: int, options: TcpOptions, started_ns: int) -> Outcome:
        """Connect to the first address. Raises OSError where this host cannot even try."""
        sockaddr = resolution.addresses[0].sockaddr(port)
        detail = resolution.detail
        tell("connecting", port=port, **detail)
        with socket.socket(resolution.addresses[0].family, _NON_BLOCKING_STREAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            set_out(sock, options.source_address, options.dscp)
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
    round_trip_s, lost = handshake(sock)
    if round_trip_s is None:
        now_ns = time.monotonic_ns()
        phases = (("resolve", resolve_s), ("connect", (now_ns - sent_ns) / 1e9))
        return Outcome(Verdict.GOOD, now_ns, "connected", None, phases, {**detail, "retransmissions": lost})
    slow = options.rtt_degraded is not None and round_trip_s * 1000 >= options.rtt_degraded
    verdict, reason = (Verdict.DEGRADED, "slow") if slow else (Verdict.GOOD, "connected")
    phases = (("resolve", resolve_s), ("connect", round_trip_s))
    return Outcome(verdict, sent_ns, reason, round_trip_s, phases, detail)
