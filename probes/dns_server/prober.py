"""One question, over UDP, TCP or TLS, and the judgement of its answer."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import ClassVar

from probes.attention import Deadline
from probes.blame import not_asked
from probes.dial import Dialer
from probes.dns_server.asking import Asking, Reply
from probes.dns_server.judgement import judged
from probes.dns_server.metrics import METRICS
from probes.dns_server.options import DnsOptions, Rules
from probes.dns_server.question import is_truncated, new_question
from probes.dns_server.target import DnsTarget, first_nameserver, parse_target
from probes.dns_server.tcp import ask_over_connection
from probes.dns_server.udp import Datagrams
from probes.metric import Metric
from probes.outcome import Outcome, Verdict
from probes.prober import Options
from probes.trace import tell

_JUDGED_AT_ONCE = 512
"""Bytes of an answer that are read in the loop, as many as UDP has without EDNS (RFC 1035 §2.3.4): longer ones may
be made so that this takes a while."""


class DnsProber:
    """Asks one question of one server.

    Over UDP it is one datagram, which is not repeated; a truncated answer is asked for again over TCP. The round
    trip is that of question and answer, without the connection.
    """

    schemes: ClassVar[tuple[str, ...]] = ("dns",)
    options: ClassVar[type[Options]] = DnsOptions
    metrics: ClassVar[tuple[Metric, ...]] = METRICS

    def __init__(self) -> None:
        self._dialer = Dialer()
        self._datagrams = Datagrams(self._dialer.resolver)

    @staticmethod
    def parse(text: str) -> DnsTarget:
        return parse_target(text)

    async def probe(self, target: DnsTarget, options: DnsOptions) -> Outcome:
        started_ns = time.monotonic_ns()
        try:
            server = target.server or first_nameserver()
        except OSError as error:
            return not_asked(error, started_ns)
        tell("asking", server=server, transport=options.transport, name=target.name, record=options.record)
        asking = Asking(server, target.port, new_question(target.name, options), options)
        watch = Deadline(options.timeout / 1000, _ends_nothing)
        try:
            reply = await self._ask(asking, started_ns)
        finally:
            watch.cancel()
        stalled_s = watch.stalled_s
        if reply.data is None:
            return reply.outcome
        return _timed(await _judged(reply.outcome, reply.data, options), options, stalled_s)

    async def close(self) -> None:
        """Questions under way end as NOT_ASKED."""
        self._datagrams.close()
        await self._dialer.close()

    async def _ask(self, asking: Asking, started_ns: int) -> Reply:
        if asking.options.transport != "udp":
            return await ask_over_connection(self._dialer, asking)
        reply = await self._datagrams.ask(asking)
        if reply.data is None or not is_truncated(reply.data):
            return reply
        tell("truncated")
        whole = await ask_over_connection(self._dialer, _over_tcp(asking, reply.outcome, started_ns))
        return replace(whole, outcome=_after_truncation(whole.outcome, reply.outcome))


def _ends_nothing() -> None:
    """For a deadline that only looks at the lag of the loop."""


def _over_tcp(asking: Asking, truncated: Outcome, started_ns: int) -> Asking:
    """The same question to the same address, in the time that is left."""
    passed_ms = (time.monotonic_ns() - started_ns) // 1_000_000
    left = {"transport": "tcp", "timeout": max(1, asking.options.timeout - passed_ms)}
    server = str(truncated.detail["address"])
    return replace(asking, server=server, options=asking.options.model_copy(update=left))


def _after_truncation(outcome: Outcome, truncated: Outcome) -> Outcome:
    """What came of the question over TCP, with the way there."""
    took = dict(truncated.phases)
    later = tuple(phase for phase in outcome.phases if phase[0] != "resolve")
    phases = (("resolve", took["resolve"]), ("truncated", took["request"]), *later)
    return replace(outcome, phases=phases, detail={**truncated.detail, **outcome.detail, "truncated": True})


async def _judged(outcome: Outcome, data: bytes, options: DnsOptions) -> Outcome:
    """With the worse of the verdicts on the way and on the answer."""
    conditions = options.expect or {options.answer, options.authority, options.additional} != {Rules()}
    if conditions or len(data) > _JUDGED_AT_ONCE:
        found = await asyncio.to_thread(judged, data, options)
    else:
        found = judged(data, options)
    tell("judged", reason=found.reason, **found.detail)
    detail = {**outcome.detail, **found.detail}
    if outcome.verdict > found.verdict:
        return replace(outcome, detail=detail)
    return replace(outcome, verdict=found.verdict, reason=found.reason, detail=detail)


def _timed(outcome: Outcome, options: DnsOptions, stalled_s: float) -> Outcome:
    """Degraded where it took too long. The round trip is the kernel's, the rest would be our own loop's delay."""
    if outcome.verdict is not Verdict.GOOD:
        return outcome
    total_s = None if stalled_s else sum(seconds for _, seconds in outcome.phases)
    if _reaches(outcome.round_trip_s, options.rtt_degraded) or _reaches(total_s, options.latency_degraded):
        return replace(outcome, verdict=Verdict.DEGRADED, reason="slow")
    return outcome


def _reaches(took_s: float | None, limit_ms: int | None) -> bool:
    return took_s is not None and limit_ms is not None and took_s * 1000 >= limit_ms
