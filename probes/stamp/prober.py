"""Bursts of test packets to a reflector, and their answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from probes.arrival import clock_offset_ns
from probes.blame import not_asked
from probes.datagram import silent
from probes.metric import Metric
from probes.outcome import Outcome, Verdict
from probes.prober import Options
from probes.resolve import Family, Resolution, Resolver, literal
from probes.stamp.burst import Burst
from probes.stamp.clock import Clock, read_clock
from probes.stamp.figures import detail, figures, judged
from probes.stamp.metrics import METRICS
from probes.stamp.options import StampOptions
from probes.stamp.packet import ECHOED
from probes.stamp.sockets import Conversation, Lines, Way
from probes.target import split
from probes.trace import tell
from probes.unreachable import Unreachable

PORT = 862
"""Of test packets (RFC 8762 §4.1)."""


@dataclass(frozen=True, slots=True)
class StampTarget:
    host: str
    port: int


class StampProber:
    """Sends bursts through sockets that probes share: those of another family, source address or code point, and
    those to a reflector that is being asked already, have one of their own."""

    schemes: ClassVar[tuple[str, ...]] = ("stamp",)
    options: ClassVar[type[Options]] = StampOptions
    metrics: ClassVar[tuple[Metric, ...]] = METRICS

    def __init__(self, clock: Callable[[], Clock] = read_clock) -> None:
        """``clock``: what this host knows of its wall clock."""
        self._resolver = Resolver()
        self._lines = Lines()
        self._clock = clock

    @staticmethod
    def parse(text: str) -> StampTarget:
        parts = split(text, "stamp://probe.example.net")
        if parts.path or parts.query or parts.fragment or parts.port == 0:
            raise ValueError(f"expected stamp://HOST or stamp://HOST:PORT and no more, not {text!r}")
        return StampTarget(parts.hostname or "", parts.port or PORT)

    async def probe(self, target: StampTarget, options: StampOptions) -> Outcome:
        started_ns = time.monotonic_ns()
        try:
            family, timeout_s = _family(target, options), options.timeout / 1000
            resolution = await self._resolver.resolve(target.host, family, timeout_s=timeout_s)
        except OSError as error:
            return not_asked(error, started_ns)
        return await self._ask(resolution, target.port, options, started_ns)

    async def close(self) -> None:
        self._lines.close()
        await self._resolver.close()

    async def _ask(
        self, resolution: Resolution, port: int, options: StampOptions, started_ns: int
    ) -> Outcome:
        resolved_ns = time.monotonic_ns()
        address, found = resolution.addresses[0], resolution.detail
        tell("resolved", **found)
        if options.source_address is not None:
            found["source_address"] = options.source_address
        timeout_ns, to = options.timeout * 1_000_000, address.sockaddr(port)
        burst = Burst(
            options,
            to,
            clock_offset_ns(),
            self._clock(),
            halfway_ns=started_ns + timeout_ns // 2,
            deadline_ns=started_ns + timeout_ns,
        )
        try:
            way = Way(address.family, options.source_address, options.dscp)
            with self._lines.conversation(way, to) as conversation:
                await _converse(conversation, burst)
        except OSError as error:
            return not_asked(error, burst.sent_ns[0] if burst.sent_ns else started_ns, found)
        resolve_s = (resolved_ns - started_ns) / 1e9
        phases = (("resolve", resolve_s), ("setup", (burst.sent_ns[0] - resolved_ns) / 1e9))
        return _outcome(burst, phases, found)


async def _converse(conversation: Conversation, burst: Burst) -> None:
    """Send the burst and take its answers, until all are there or the time is over."""
    exchange = conversation.exchange
    while True:
        now_ns = time.monotonic_ns()
        next_ns = burst.next_ns(now_ns)
        if next_ns is not None and next_ns <= now_ns:
            burst.sent_ns.append(conversation.send(burst.packet(time.time_ns())))
            tell("sent test packet", number=len(burst.sent_ns), octets=burst.options.size)
            continue
        if next_ns is None and burst.settled:
            return
        until_ns = burst.deadline_ns if next_ns is None else min(next_ns, burst.deadline_ns)
        try:
            answer = await exchange.answer(until_ns)
        except Unreachable as error:
            tell("ICMP error", reason=error.reason, **error.detail)
            burst.failed(error)
            continue
        if answer is not None and answer.received_ns <= burst.deadline_ns:
            reply = burst.answered(answer.data[ECHOED], answer)
            if reply is not None:
                took_s = (reply.journey.elapsed_ns - reply.journey.dwell_ns) / 1e9
                tell("reflected", number=reply.index + 1, theirs=reply.number, rtt_s=f"{took_s:.6f}")
        elif time.monotonic_ns() >= burst.deadline_ns:
            return


def _family(target: StampTarget, options: StampOptions) -> Family:
    """Which addresses of the target's host can be asked. Raises OSError where our own one is of another family."""
    if options.source_address is None:
        return options.family
    ours: Family = "ipv6" if ":" in options.source_address else "ipv4"
    if {options.family, _family_of(target.host)} & {"ipv4", "ipv6"} - {ours}:
        raise OSError("source_address is of the other family")
    return ours


def _family_of(host: str) -> Family:
    """Of a host that is an address; any, where it is a name."""
    return "ipv6" if ":" in host else "ipv4" if literal(host) is not None else "any"


def _outcome(burst: Burst, phases: tuple[tuple[str, float], ...], found: dict[str, object]) -> Outcome:
    for refusal in burst.refused.values():
        found |= refusal.detail
    if burst.elsewhere is not None:
        found["answered_by"] = f"{burst.elsewhere[0]} port {burst.elsewhere[1]}"
    if not any(index < burst.regular for index in burst.first):
        found |= {"sent": burst.regular, "received": 0, "loss": 1}
        if burst.refused:
            return next(iter(burst.refused.values())).outcome(burst.sent_ns[0], found)
        return silent(burst.options.timeout, burst.sent_ns[0], found, resolve_s=dict(phases)["resolve"])
    seen = figures(burst)
    verdict, reason = judged(seen, burst.options)
    sent_ns = burst.sent_ns[0 if verdict is Verdict.BAD else min(burst.first)]
    mean_s = seen.delays.round_trip.mean_ns / 1e9
    return Outcome(
        verdict, sent_ns, reason, mean_s, (*phases, ("reflect", mean_s)), found | detail(burst, seen)
    )
