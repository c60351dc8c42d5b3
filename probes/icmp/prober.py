"""Echo requests through shared sockets, and their answers."""

from __future__ import annotations

import errno
import os
import socket
import time
from dataclasses import dataclass
from typing import ClassVar

from probes.blame import not_asked
from probes.datagram import Exchange, silent
from probes.icmp.burst import Burst, figures, judged
from probes.icmp.options import IcmpOptions
from probes.icmp.packet import request
from probes.icmp.sockets import Lines, NotPermitted, Way
from probes.metric import Metric, durations, milliseconds, number
from probes.outcome import Outcome, Verdict
from probes.prober import Options
from probes.resolve import Family, Resolution, Resolver, Sockaddr, literal
from probes.target import split
from probes.trace import tell
from probes.unreachable import Unreachable

_FAMILIES: dict[str, Family] = {"icmp": "any", "icmp4": "ipv4", "icmp6": "ipv6"}


@dataclass(frozen=True, slots=True)
class IcmpTarget:
    host: str
    family: Family


class IcmpProber:
    """Sends bursts of echo requests, through one socket for each family and way of sending.

    A datagram ICMP socket needs no privilege where ``net.ipv4.ping_group_range`` holds our group (that one
    setting covers IPv6); otherwise a raw socket is tried, for which CAP_NET_RAW is needed.
    """

    schemes: ClassVar[tuple[str, ...]] = tuple(_FAMILIES)
    options: ClassVar[type[Options]] = IcmpOptions
    metrics: ClassVar[tuple[Metric, ...]] = (
        durations(
            "probe_icmp_duration_seconds",
            "Duration of ICMP probe by phase",
            *("resolve", "setup", "echo"),
            echo="rtt",
        ),
        number("probe_icmp_reply_hop_limit", "TTL or hop limit with which the latest reply arrived", "ttl"),
        number("probe_icmp_loss_ratio", "Share of the echo requests that no reply came to", "loss"),
        milliseconds("probe_icmp_rtt_min_seconds", "Shortest round trip of the burst", "rtt_min_ms"),
        milliseconds("probe_icmp_rtt_max_seconds", "Longest round trip of the burst", "rtt_max_ms"),
        milliseconds(
            "probe_icmp_jitter_seconds",
            "Mean difference of consecutive round trips of the burst",
            "jitter_ms",
        ),
        number(
            "probe_icmp_path_mtu_bytes", "Largest packet that a router on the way says it takes", "path_mtu"
        ),
    )

    def __init__(self) -> None:
        self._resolver = Resolver()
        self._lines = Lines()
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
            family, timeout_s = _family(target, options), options.timeout / 1000
            resolution = await self._resolver.resolve(target.host, family, timeout_s=timeout_s)
        except OSError as error:
            return _unasked(error, started_ns, {})
        return await self._ask(resolution, options, started_ns)

    async def close(self) -> None:
        self._lines.close()
        await self._resolver.close()

    async def _ask(self, resolution: Resolution, options: IcmpOptions, started_ns: int) -> Outcome:
        resolved_ns = time.monotonic_ns()
        address, detail = resolution.addresses[0], resolution.detail
        tell("resolved", **detail)
        if options.source_address is not None:
            detail["source_address"] = options.source_address
        way = Way(address.family, options.source_address, options.ttl, options.dscp, options.dont_fragment)
        burst, to = Burst(options.count), address.sockaddr(0)
        deadline_ns = started_ns + options.timeout * 1_000_000
        try:
            exchange = self._lines.of(way).exchange(burst.token)
            try:
                await self._echo(exchange, to, address.family, burst, options, deadline_ns)
            finally:
                exchange.close()
        except OSError as error:
            return _unasked(error, burst.sent_ns[0] if burst.sent_ns else started_ns, detail)
        detail |= figures(burst, to)
        resolve_s = (resolved_ns - started_ns) / 1e9
        if not burst.took_s and not burst.refused:
            return silent(options.timeout, burst.sent_ns[0], detail, resolve_s=resolve_s)
        for refusal in burst.refused.values():
            detail |= refusal.detail
        phases = (("resolve", resolve_s), ("setup", (burst.sent_ns[0] - resolved_ns) / 1e9))
        return _outcome(burst, options, phases, detail)

    async def _echo(
        self,
        exchange: Exchange,
        to: Sockaddr,
        family: socket.AddressFamily,
        burst: Burst,
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
                burst.sent_ns.append(exchange.send(self._request(family, burst, options.size), to))
                tell("sent echo request", number=len(burst.sent_ns), bytes_of_data=options.size)
                next_ns = burst.sent_ns[-1] + options.spacing * 1_000_000
                more = len(burst.sent_ns) < options.count and next_ns <= last_ns
            try:
                answer = await exchange.answer(min(next_ns, deadline_ns) if more else deadline_ns)
            except Unreachable as error:
                tell("ICMP error", reason=error.reason, **error.detail)
                burst.failed(error)
                continue
            if answer is not None and answer.received_ns <= deadline_ns:
                index = burst.answered(answer)
                if index is not None:
                    tell("echo reply", number=index + 1, rtt_s=f"{burst.took_s[index]:.6f}", ttl=answer.ttl)
            elif time.monotonic_ns() >= deadline_ns:
                return

    def _request(self, family: socket.AddressFamily, burst: Burst, size: int) -> bytes:
        self._sequence = (self._sequence + 1) & 0xFFFF
        return request(family, self._identifier, self._sequence, burst.token, len(burst.sent_ns), size)


def _family(target: IcmpTarget, options: IcmpOptions) -> Family:
    """Which addresses of the target's host can be asked. Raises OSError where our own one is of another family."""
    wanted: Family = options.family if target.family == "any" else target.family
    if options.source_address is None:
        return wanted
    ours: Family = "ipv6" if ":" in options.source_address else "ipv4"
    if {wanted, _family_of(target.host)} & {"ipv4", "ipv6"} - {ours}:
        raise OSError("source_address is of the other family")
    return ours


def _family_of(host: str) -> Family:
    """Of a host that is an address; any, where it is a name."""
    return "ipv6" if ":" in host else "ipv4" if _is_ipv4(host) else "any"


def _is_ipv4(host: str) -> bool:
    return ":" not in host and literal(host) is not None


def _unasked(error: OSError, sent_ns: int, detail: dict[str, object]) -> Outcome:
    """Of a probe that this host could not make."""
    if isinstance(error, NotPermitted):
        return Outcome(
            Verdict.NOT_ASKED, sent_ns, "no permission for ICMP", detail={**detail, "hint": str(error)}
        )
    if error.errno == errno.EMSGSIZE:
        return Outcome(Verdict.NOT_ASKED, sent_ns, "too big for this host's own interface", detail=detail)
    return not_asked(error, sent_ns, detail)


def _outcome(
    burst: Burst, options: IcmpOptions, phases: tuple[tuple[str, float], ...], detail: dict[str, object]
) -> Outcome:
    """Of a burst with at least one answer or refusal."""
    if not burst.took_s:
        return next(iter(burst.refused.values())).outcome(burst.sent_ns[0], detail)
    mean_s = sum(burst.took_s.values()) / len(burst.took_s)
    verdict, reason = judged(burst, mean_s, options)
    sent_ns = burst.sent_ns[0 if verdict is Verdict.BAD else min(burst.took_s)]
    return Outcome(verdict, sent_ns, reason, mean_s, (*phases, ("echo", mean_s)), detail)
