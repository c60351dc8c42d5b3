"""A connection for one probe, with TLS where it is asked for, and what becomes of the probe where it fails."""

from __future__ import annotations

import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from probes.attention import Deadline, Expired, attended, silence
from probes.blame import failed, not_asked
from probes.expiry import ExpiryOptions, judged_by_expiry
from probes.local import WayOptions
from probes.outcome import Outcome, Verdict
from probes.resolve import Resolver, Sockaddr
from probes.stream import Stream
from probes.tls import Contexts, TlsOptions, Unprepared, handshake_failed, peer_detail
from probes.trace import tell
from probes.units import Duration

_GRACE_S = 0.05
"""How long a peer may think over our certificate, beyond two round trips."""


class DialOptions(WayOptions, TlsOptions, ExpiryOptions):
    """How to connect, and how the connection is judged."""

    rtt_degraded: Duration | None = None
    """Milliseconds of round trip, of SYN to SYN-ACK, from which on an answer counts as degraded."""


@dataclass(slots=True)
class Link:
    """How far the probe has come, and what it saw on its way."""

    host: str
    port: int
    options: DialOptions
    sent_ns: int
    phases: list[tuple[str, float]] = field(default_factory=list)
    detail: dict[str, object] = field(default_factory=dict)
    sockaddr: Sockaddr = ("", 0)
    round_trip_s: float | None = None

    def passed(self, phase: str, since_ns: int) -> None:
        self.phases.append((phase, (time.monotonic_ns() - since_ns) / 1e9))

    @property
    def resolve_s(self) -> float:
        """How long the name took, or is taking."""
        return self.phases[0][1] if self.phases else (time.monotonic_ns() - self.sent_ns) / 1e9

    def outcome(self, verdict: Verdict, reason: str) -> Outcome:
        """What came of a connection that stood."""
        return Outcome(verdict, self.sent_ns, reason, self.round_trip_s, tuple(self.phases), self.detail)


Talk = Callable[[Stream, Link], Awaitable[Outcome]]
"""What is done with a connection. May raise OSError."""


class Dialer:
    """Makes the connections of a prober. Made inside a running loop."""

    def __init__(self) -> None:
        self.resolver = Resolver()
        self._contexts = Contexts(ssl.SSLContext)
        self._streams: set[Stream] = set()
        self._closed = False

    async def dial(self, host: str, port: int, options: DialOptions, talk: Talk) -> Outcome:
        """The outcome of a talk over a connection of its own, or of the failure to have one."""
        link = Link(host, port, options, time.monotonic_ns())
        try:
            async with attended(options.timeout / 1000) as deadline:
                outcome = await self._connected(link, talk)
        except (Expired, OSError) as error:
            outcome = self._failure(error, link, deadline)
        return judged_by_expiry(_judged(outcome, options), options)

    async def secure(self, stream: Stream, link: Link) -> None:
        """Shake hands for TLS. Raises OSError."""
        name = link.options.server_name or link.host.partition("%")[0]
        context = self._contexts.get(link.options)
        tell("TLS handshake", server_name=name)
        began_ns = time.monotonic_ns()
        try:
            tls = await stream.start_tls(context, name)
        except ValueError as error:
            if isinstance(error, ssl.SSLError):
                raise
            raise Unprepared(f"no host name: {name!r:.80}") from error
        link.passed("tls", began_ns)
        link.detail |= peer_detail(tls)
        tell("TLS", **link.detail)

    async def close(self) -> None:
        """Talks under way end as NOT_ASKED."""
        self._closed = True
        for stream in self._streams:
            stream.abandon()
        await self.resolver.close()

    async def _connected(self, link: Link, talk: Talk) -> Outcome:
        options = link.options
        timeout_s = options.timeout / 1000
        resolution = await self.resolver.resolve(link.host, options.reachable, timeout_s=timeout_s)
        if self._closed:
            raise OSError("prober was closed")
        address = resolution.addresses[0]
        link.detail |= resolution.detail
        link.sockaddr = address.sockaddr(link.port)
        link.passed("resolve", link.sent_ns)
        tell("connecting", port=link.port, **link.detail)
        stream = Stream(address, source=options.source_address, dscp=options.dscp)
        self._streams.add(stream)
        try:
            await _connect(stream, link)
            return await talk(stream, link)
        finally:
            self._streams.discard(stream)
            stream.close()

    def _failure(self, error: Expired | OSError, link: Link, deadline: Deadline) -> Outcome:
        """A peer may hang up on us because our own loop was late."""
        tell("failed", error=error)
        if self._closed:
            outcome = not_asked(OSError("prober was closed"), link.sent_ns, link.detail)
        elif isinstance(error, Unprepared):
            outcome = not_asked(error, link.sent_ns, link.detail)
        elif isinstance(error, Expired) or deadline.unattended:
            outcome = silence(deadline, link.sent_ns, link.detail, resolve_s=link.resolve_s)
        elif isinstance(error, ssl.SSLError):
            outcome = handshake_failed(error, link.options, link.sent_ns, link.detail)
        else:
            outcome = failed(error, link.sent_ns, link.sockaddr, link.detail)
        return replace(outcome, phases=tuple(link.phases))


async def _connect(stream: Stream, link: Link) -> None:
    link.sent_ns = began_ns = time.monotonic_ns()
    await stream.connect(link.port)
    link.round_trip_s, lost = stream.handshake
    if link.round_trip_s is None:
        link.passed("connect", began_ns)
        link.sent_ns = time.monotonic_ns()  # good must not reach back to the SYN that was lost
        link.detail["retransmissions"] = lost
    else:
        link.phases.append(("connect", link.round_trip_s))


async def not_refused(stream: Stream, link: Link) -> None:
    """Give the peer the time to say that it does not want us after all. Raises ssl.SSLError.

    In TLS 1.3 our side is ready before the peer has seen our certificate, or that we have none (RFC 8446 §4.4.2.4);
    it then sends tickets or an alert, or nothing.
    """
    if stream.tls is None or stream.tls.version() != "TLSv1.3":
        return
    try:
        async with attended(_GRACE_S + 2 * (link.round_trip_s or 0)):
            await stream.next_record()
    except (Expired, ConnectionError):
        pass


def _judged(outcome: Outcome, options: DialOptions) -> Outcome:
    limit, took_s = options.rtt_degraded, outcome.round_trip_s
    if (
        outcome.verdict is Verdict.GOOD
        and limit is not None
        and took_s is not None
        and took_s * 1000 >= limit
    ):
        return replace(outcome, verdict=Verdict.DEGRADED, reason="slow")
    return outcome
