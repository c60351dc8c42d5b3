"""ICMP echo, v4 and v6: ``icmp://host`` (``icmp4://``, ``icmp6://`` for one family)."""

from __future__ import annotations

import os
import socket
import struct
import sys
import time
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from probes.blame import not_asked
from probes.datagram import Answer, Exchange, Line, Unsent, from_elsewhere, silent
from probes.outcome import Outcome, Verdict
from probes.prober import Options
from probes.resolve import Family, Resolution, Resolver, Sockaddr, literal
from probes.target import split
from probes.units import Duration, Ratio
from probes.unreachable import Unreachable

_ECHO = struct.Struct("!BBHHH8sH")
_PLACE = struct.Struct("!8sH")
_REQUEST = {socket.AF_INET: 8, socket.AF_INET6: 128}
_REPLY = {socket.AF_INET: 0, socket.AF_INET6: 129}
_PROTOCOL = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}
_FAMILIES: dict[str, Family] = {"icmp": "any", "icmp4": "ipv4", "icmp6": "ipv6"}
_HEADER = 8
_TOKEN = 8
_TOKEN_AND_INDEX = 10
_SOL_RAW = 255
_FILTERS = {  # <linux/icmp.h>, <linux/icmpv6.h>: a set bit keeps that type out
    socket.AF_INET: (_SOL_RAW, 1, (~(1 << 0) & 0xFFFF_FFFF).to_bytes(4, sys.byteorder)),
    socket.AF_INET6: (socket.IPPROTO_ICMPV6, 1, (~(1 << 129) & (1 << 256) - 1).to_bytes(32, sys.byteorder)),
}


@dataclass(frozen=True, slots=True)
class IcmpTarget:
    host: str
    family: Family


class IcmpOptions(Options):
    """What an ICMP check can be told."""

    count: Annotated[int, Field(ge=1, le=20)] = 1
    """Echo requests in a probe."""

    spacing: Duration = "20ms"  # type: ignore[assignment]
    """Milliseconds between them, at least; they leave at probes.datagram.SWEEP_S."""

    size: Annotated[int, Field(ge=_TOKEN_AND_INDEX, le=4_000)] = 56
    """Bytes of data in each."""

    loss_degraded: Ratio | None = None
    loss_down: Ratio = Decimal(1)
    """Shares of lost requests from which on the probe is degraded, or bad."""

    rtt_degraded: Duration | None = None
    """Milliseconds of mean round trip from which on the probe is degraded."""

    @model_validator(mode="after")
    def _leaves_time_for_the_last_answer(self) -> IcmpOptions:
        burst_ms = (self.count - 1) * self.spacing
        if 2 * burst_ms > self.timeout:
            raise ValueError(
                f"expected count and spacing to send within half of the timeout ({self.timeout / 2:g} ms), "
                f"but they take {burst_ms} ms"
            )
        return self


class NotPermitted(OSError):
    """This host lets us send no ICMP echo."""


@dataclass(slots=True)
class _Burst:
    """The echo requests of one probe: when each was sent, and how long its answer took."""

    count: int
    token: bytes = field(default_factory=lambda: os.urandom(_TOKEN))
    sent_ns: list[int] = field(default_factory=list)
    took_s: dict[int, float] = field(default_factory=dict)
    refused: dict[int, Unreachable] = field(default_factory=dict)
    ttl: int | None = None
    source: Sockaddr | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more can come."""
        return len(self.took_s) + len(self.refused) >= self.count

    def answered(self, answer: Answer) -> None:
        index = _index(answer.data, self.token)
        if index is not None and index < len(self.sent_ns) and index not in self.took_s:
            self.took_s[index] = max(0, answer.received_ns - self.sent_ns[index]) / 1e9
            self.refused.pop(index, None)
            self.ttl, self.source = answer.ttl, answer.source

    def failed(self, error: Unreachable) -> None:
        index = _index(error.quoted, self.token)
        if index is None:
            index = len(self.sent_ns) - 1
        if index < len(self.sent_ns) and index not in self.took_s:
            self.refused[index] = error


class IcmpProber:
    """Sends echo requests through one socket a family.

    A datagram ICMP socket needs no privilege where ``net.ipv4.ping_group_range`` holds our group (that one
    setting covers IPv6); otherwise a raw socket is tried, for which CAP_NET_RAW is needed.
    """

    schemes: ClassVar[tuple[str, ...]] = tuple(_FAMILIES)
    options: ClassVar[type[Options]] = IcmpOptions

    def __init__(self) -> None:
        self._resolver = Resolver()
        self._lines: dict[socket.AddressFamily, Line] = {}
        self._sequence = int.from_bytes(os.urandom(2))
        self._identifier = int.from_bytes(os.urandom(2))

    @staticmethod
    def parse(text: str) -> IcmpTarget:
        parts = split(text, "icmp://sbc.example.net")
        if parts.scheme not in _FAMILIES or parts.port or parts.path or parts.query or parts.fragment:
            raise ValueError(f"expected icmp://HOST and no more, not {text!r}")
        host, family = parts.hostname or "", _FAMILIES[parts.scheme]
        if ":" in host if family == "ipv4" else _is_ipv4(host) and family == "ipv6":
            raise ValueError(f"expected an {family} address or a name after {parts.scheme}://, not {host}")
        return IcmpTarget(host, family)

    async def probe(self, target: IcmpTarget, options: IcmpOptions) -> Outcome:
        started_ns = time.monotonic_ns()
        try:
            timeout_s = options.timeout / 1000
            resolution = await self._resolver.resolve(target.host, target.family, timeout_s=timeout_s)
            return await self._ask(resolution, options, started_ns)
        except NotPermitted as error:
            return Outcome(
                Verdict.NOT_ASKED, started_ns, "no permission for ICMP", detail={"hint": str(error)}
            )
        except OSError as error:
            return not_asked(error, started_ns)

    async def close(self) -> None:
        for line in self._lines.values():
            line.close()
        await self._resolver.close()

    async def _ask(self, resolution: Resolution, options: IcmpOptions, started_ns: int) -> Outcome:
        address = resolution.addresses[0]
        line = self._line(address.family)
        burst = _Burst(options.count)
        resolve_s = (time.monotonic_ns() - started_ns) / 1e9
        deadline_ns = started_ns + options.timeout * 1_000_000
        detail = resolution.detail
        to = address.sockaddr(0)
        exchange = line.exchange(burst.token)
        try:
            await self._echo(exchange, to, address.family, burst, options, deadline_ns)
        except Unsent as error:
            return not_asked(error, burst.sent_ns[0] if burst.sent_ns else started_ns, detail)
        finally:
            exchange.close()
        detail |= {"sent": len(burst.sent_ns), "received": len(burst.took_s)}
        if burst.took_s:
            return _judged(burst, options, detail, to)
        if burst.refused:
            return next(iter(burst.refused.values())).outcome(burst.sent_ns[0], detail)
        return silent(options.timeout, burst.sent_ns[0], detail, resolve_s=resolve_s)

    async def _echo(
        self,
        exchange: Exchange,
        to: Sockaddr,
        family: socket.AddressFamily,
        burst: _Burst,
        options: IcmpOptions,
        deadline_ns: int,
    ) -> None:
        """Send the burst and take its answers, until all are there or the time is over.

        Where the loop is so late that less than half of the time is left, no further echo is sent: it would
        be counted as lost for our own fault.
        """
        next_ns, last_ns = 0, deadline_ns - options.timeout * 500_000
        while not burst.over:
            now_ns = time.monotonic_ns()
            more = len(burst.sent_ns) < options.count and (now_ns <= last_ns or not burst.sent_ns)
            if more and now_ns >= next_ns:
                packet = self._packet(family, burst.token, len(burst.sent_ns), options.size)
                burst.sent_ns.append(exchange.send(packet, to))
                next_ns = burst.sent_ns[-1] + options.spacing * 1_000_000
                more = len(burst.sent_ns) < options.count and next_ns <= last_ns
            try:
                answer = await exchange.answer(min(next_ns, deadline_ns) if more else deadline_ns)
            except Unreachable as error:
                burst.failed(error)
                continue
            if answer is not None and answer.received_ns <= deadline_ns:
                burst.answered(answer)
            elif time.monotonic_ns() >= deadline_ns:
                return

    def _packet(self, family: socket.AddressFamily, token: bytes, index: int, size: int) -> bytes:
        self._sequence = (self._sequence + 1) & 0xFFFF
        head = (_REQUEST[family], 0, 0, self._identifier, self._sequence)
        packet = _ECHO.pack(*head, token, index) + bytes(size - _TOKEN_AND_INDEX)
        if family == socket.AF_INET6 or self._lines[family].sock.type == socket.SOCK_DGRAM:
            return packet  # the kernel fills in the checksum
        return packet[:2] + _checksum(packet).to_bytes(2) + packet[4:]

    def _line(self, family: socket.AddressFamily) -> Line:
        """The shared socket of a family. Raises OSError where there can be none."""
        line = self._lines.get(family)
        if line is None:
            sock = _open(family)
            headed = sock.type == socket.SOCK_RAW and family == socket.AF_INET

            def token_of(data: bytes) -> bytes | None:
                start = (data[0] & 15) * 4 if headed and data else 0
                if len(data) < start + _HEADER + _TOKEN_AND_INDEX or data[start] != _REPLY[family]:
                    return None
                return data[start + _HEADER : start + _HEADER + _TOKEN]

            try:
                line = Line(sock, token_of, lambda sent: sent[_HEADER : _HEADER + _TOKEN])
            except OSError:
                sock.close()
                raise
            self._lines[family] = line
        return line


def _open(family: socket.AddressFamily) -> socket.socket:
    try:
        return socket.socket(family, socket.SOCK_DGRAM, _PROTOCOL[family])
    except PermissionError:
        pass
    try:
        raw = socket.socket(family, socket.SOCK_RAW, _PROTOCOL[family])
    except PermissionError:
        raise NotPermitted(
            "open the group of the process in net.ipv4.ping_group_range, or give it CAP_NET_RAW"
        ) from None
    # a raw socket would see all ICMP of this host, its own requests on loopback included
    raw.setsockopt(*_FILTERS[family])
    return raw


def _is_ipv4(host: str) -> bool:
    return ":" not in host and literal(host) is not None


def _index(data: bytes, token: bytes) -> int | None:
    """Which request of the burst an answer echoes, or an error quotes; None where it is cut off before that."""
    start = data.find(token)
    if start < 0 or len(data) < start + _TOKEN_AND_INDEX:
        return None
    return int(_PLACE.unpack_from(data, start)[1])


def _checksum(packet: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = packet + b"\0" * (len(packet) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    total = (total & 0xFFFF) + (total >> 16)
    folded: int = total + (total >> 16)
    return ~folded & 0xFFFF


def _judged(burst: _Burst, options: IcmpOptions, detail: dict[str, object], asked: Sockaddr) -> Outcome:
    """The outcome of a burst of which at least one echo was answered."""
    took, sent = list(burst.took_s.values()), len(burst.sent_ns)
    lost, mean_s = sent - len(took), sum(took) / len(took)
    detail |= {"rtt_min_ms": round(min(took) * 1000, 3), "rtt_max_ms": round(max(took) * 1000, 3)}
    if burst.ttl is not None:
        detail["ttl"] = burst.ttl
    if burst.source is not None and from_elsewhere(burst.source, asked):
        detail["source"] = burst.source[0]
    for error in burst.refused.values():
        detail |= error.detail
    verdict, reason = Verdict.GOOD, "echo"
    if lost and Fraction(lost, sent) >= Fraction(options.loss_down):
        verdict, reason = Verdict.BAD, "loss"
    elif (
        lost and options.loss_degraded is not None and Fraction(lost, sent) >= Fraction(options.loss_degraded)
    ):
        verdict, reason = Verdict.DEGRADED, "loss"
    elif options.rtt_degraded is not None and mean_s * 1000 >= options.rtt_degraded:
        verdict, reason = Verdict.DEGRADED, "slow"
    sent_ns = burst.sent_ns[0 if verdict is Verdict.BAD else min(burst.took_s)]
    return Outcome(verdict, sent_ns, reason, mean_s, (("echo", mean_s),), detail)


PROBER = IcmpProber
