"""The SIP prober: OPTIONS over UDP and TCP."""

from __future__ import annotations

import asyncio
import socket
import time
from functools import lru_cache
from typing import Annotated, ClassVar

from pydantic import Field

from probes.attention import Expired, attended, silence
from probes.blame import failed, not_asked
from probes.datagram import Answer, Exchange, Line, Unsent, from_elsewhere, silent
from probes.metric import Metric
from probes.outcome import Outcome, Verdict
from probes.prober import Options
from probes.resolve import Address, Family, Resolution, Resolver, Sockaddr
from probes.sip.codes import Codes, verdict_of
from probes.sip.message import Framer, NotSip, Response, Via, parse_response, retry_after_s
from probes.sip.request import Identity, OptionsTemplate, Outgoing, branch_of
from probes.sip.transaction import Transaction
from probes.sip.uri import SipTarget, parse_target
from probes.stream import Stream
from probes.units import Duration
from probes.unreachable import Unreachable

_UNSPECIFIED = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}  # noqa: S104 (a client's socket)
_SOURCES_KEPT = 16_384
_SOURCE_FRESH_S = 60.0
_LONGEST_TEXT = 160


class SipOptions(Options):
    """What a SIP check can be told."""

    up_codes: Codes | None = None
    """Codes that are good. Without it: see probes.sip.codes; with it, all codes that no list names are bad."""

    degraded_codes: Codes | None = None
    down_codes: Codes | None = None
    rtt_degraded: Duration | None = None
    """Milliseconds of round trip from which on a good answer counts as degraded."""

    from_user: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.!~*'()&=+$,;?/-]{1,64}$")] = "ringback"
    user_agent: Annotated[str, Field(pattern=r"^[!-~](?:[ -~]{0,126}[!-~])?$")] = "Ringback"
    max_forwards: Annotated[int, Field(ge=0, le=255)] = 70
    family: Family = "any"


class SipProber:
    """Asks OPTIONS. Over UDP all probes of a family share one socket; over TCP each has a connection.

    An answer counts when branch, CSeq method and transport are ours, wherever it comes from: proxies answer
    from other addresses. The check's time-out is its own, not Timer F, and holds the name's resolution.
    """

    schemes: ClassVar[tuple[str, ...]] = ("sip", "sips")
    options: ClassVar[type[Options]] = SipOptions
    metrics: ClassVar[tuple[Metric, ...]] = ()

    def __init__(self) -> None:
        self._resolver = Resolver()
        self._lines: dict[socket.AddressFamily, Line] = {}
        self._streams: set[Stream] = set()
        self._sources: dict[str, tuple[float, str]] = {}

    parse = staticmethod(parse_target)

    async def probe(self, target: SipTarget, options: SipOptions) -> Outcome:
        started_ns = time.monotonic_ns()
        try:
            timeout_s = options.timeout / 1000
            resolution = await self._resolver.resolve(target.host, options.family, timeout_s=timeout_s)
            if target.transport == "tcp":
                return await self._over_tcp(target, options, resolution, started_ns)
            return await self._over_udp(target, options, resolution, started_ns)
        except OSError as error:
            return not_asked(error, started_ns)

    async def close(self) -> None:
        for line in self._lines.values():
            line.close()
        for stream in self._streams:
            stream.abandon()
        await self._resolver.close()

    async def _over_udp(
        self, target: SipTarget, options: SipOptions, resolution: Resolution, started_ns: int
    ) -> Outcome:
        address = resolution.addresses[0]
        line = self._line(address.family)
        who = (self._source(address), line.port, options.from_user, options.user_agent)
        request = _template(target, who, options.max_forwards).new()
        to = address.sockaddr(target.port)
        exchange = line.exchange(request.branch)
        asked = Transaction(request.branch.decode(), "OPTIONS", reliable=False)
        resolve_s = (time.monotonic_ns() - started_ns) / 1e9
        try:
            asked.sent(exchange.send(request.data, to))
            deadline_ns = started_ns + options.timeout * 1_000_000
            answer = await _final(exchange, asked, request, to, deadline_ns)
        except Unreachable as error:
            return error.outcome(asked.sent_ns[0], resolution.detail)
        except Unsent as error:
            return not_asked(error, asked.sent_ns[0] if asked.sent_ns else started_ns, resolution.detail)
        finally:
            exchange.close()
        if answer is None:
            silence_so_far = {**resolution.detail, "retransmissions": len(asked.sent_ns) - 1}
            if asked.provisional:
                silence_so_far["provisional"] = asked.provisional
            return silent(options.timeout, asked.sent_ns[0], silence_so_far, resolve_s=resolve_s)
        response, datagram = answer
        detail = resolution.detail
        if from_elsewhere(datagram.source, to):
            detail["source"] = f"{datagram.source[0]}:{datagram.source[1]}"
        return _answered(response, asked, datagram.received_ns, options, detail, (("resolve", resolve_s),))

    async def _over_tcp(
        self, target: SipTarget, options: SipOptions, resolution: Resolution, started_ns: int
    ) -> Outcome:
        address = resolution.addresses[0]
        detail = resolution.detail
        sent_ns = time.monotonic_ns()
        resolve_s = (sent_ns - started_ns) / 1e9
        stream = Stream(address)
        self._streams.add(stream)
        try:
            async with attended(options.timeout / 1000 - resolve_s) as deadline:
                await stream.connect(target.port)
                connect_s = (time.monotonic_ns() - sent_ns) / 1e9
                identity = Identity(*stream.local, options.from_user, options.user_agent)
                request = OptionsTemplate(target, identity, options.max_forwards).new()
                asked = Transaction(request.branch.decode(), "OPTIONS", reliable=True)
                asked.sent(await stream.send(request.data))
                response, received_ns = await _final_in_stream(stream, asked)
        except Expired:
            return silence(deadline, sent_ns, detail, resolve_s=resolve_s)
        except NotSip as error:
            return Outcome(Verdict.BAD, sent_ns, "not SIP", detail={**detail, "error": str(error)})
        except OSError as error:
            return failed(error, sent_ns, address.sockaddr(target.port), detail)
        finally:
            self._streams.discard(stream)
            stream.close()
        phases = (("resolve", resolve_s), ("connect", connect_s))
        return _answered(response, asked, received_ns, options, detail, phases)

    def _line(self, family: socket.AddressFamily) -> Line:
        """The shared socket of a family. Raises OSError where there can be none."""
        line = self._lines.get(family)
        if line is None:
            sock = socket.socket(family, socket.SOCK_DGRAM)
            try:
                sock.bind((_UNSPECIFIED[family], 0))
                line = Line(sock, branch_of, branch_of)
            except OSError:
                sock.close()
                raise
            self._lines[family] = line
        return line

    def _source(self, address: Address) -> str:
        """The local address from which this host reaches another, as Via and Contact must name it."""
        now = asyncio.get_running_loop().time()
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


@lru_cache(maxsize=65_536)
def _template(target: SipTarget, who: tuple[str, int, str, str], max_forwards: int) -> OptionsTemplate:
    return OptionsTemplate(target, Identity(*who), max_forwards)


async def _final(
    exchange: Exchange, asked: Transaction, request: Outgoing, to: Sockaddr, deadline_ns: int
) -> tuple[Response, Answer] | None:
    """The final response, retransmitting by Timer E; None: silence until the deadline."""
    while True:
        again_ns = asked.retransmit_ns
        assert again_ns is not None
        answer = await exchange.answer(min(again_ns, deadline_ns))
        if answer is not None and answer.received_ns <= deadline_ns:
            try:
                response = parse_response(answer.data)
                if asked.accept(response):
                    return response, answer
            except NotSip:
                continue  # forged or broken: as if it had not come
        elif time.monotonic_ns() >= deadline_ns:
            return None
        else:
            asked.sent(exchange.send(request.data, to))


async def _final_in_stream(stream: Stream, asked: Transaction) -> tuple[Response, int]:
    """The final response and when it arrived. Raises NotSip, or ConnectionError when the peer hangs up before."""
    framer = Framer()
    while True:
        data, received_ns = await stream.receive()
        if not data:
            raise ConnectionResetError(104, "hung up")
        for message in framer.feed(data):
            try:
                response = parse_response(message)
                if asked.accept(response):
                    return response, received_ns
            except NotSip:
                continue


def _answered(
    response: Response,
    asked: Transaction,
    received_ns: int,
    options: SipOptions,
    detail: dict[str, object],
    phases: tuple[tuple[str, float], ...],
) -> Outcome:
    verdict = verdict_of(response.status, options.up_codes, options.degraded_codes, options.down_codes)
    round_trip_s = asked.round_trip_s(received_ns)
    reason = str(response.status)
    slow_ms = options.rtt_degraded
    if (
        verdict is Verdict.GOOD
        and slow_ms is not None
        and round_trip_s is not None
        and round_trip_s * 1000 >= slow_ms
    ):
        verdict, reason = Verdict.DEGRADED, "slow"
    sent_ns = asked.sent_ns[0] if verdict is Verdict.BAD else asked.asked_ns(received_ns)
    detail |= _told(response, asked.via)
    if len(asked.sent_ns) > 1:
        detail["retransmissions"] = len(asked.sent_ns) - 1
    answer_s = max(0, received_ns - asked.sent_ns[0]) / 1e9
    return Outcome(verdict, sent_ns, reason, round_trip_s, (*phases, ("answer", answer_s)), detail)


def _told(response: Response, via: Via | None) -> dict[str, object]:
    """What the answer tells of the peer and of the way to it."""
    told: dict[str, object | None] = {
        "status": response.status,
        "phrase": _clipped(response.phrase),
        "server": _clipped(response.get("server") or response.get("user-agent")),
        "received": _clipped(via.received if via else None),
        "rport": via.rport if via else None,
        "retry_after_s": retry_after_s(response),
        "warning": _clipped(response.get("warning")),
    }
    return {name: value for name, value in told.items() if value is not None}


def _clipped(text: str | None) -> str | None:
    """What a peer said, of a length and in characters that fit a record; None for nothing."""
    if not text:
        return None
    text = text[:_LONGEST_TEXT]
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)
