"""TLS on any port: does the handshake hold, and how long will the certificates? ``tls://host:port``"""

from __future__ import annotations

from typing import ClassVar

from probes.dial import Dialer, DialOptions, Link, not_refused
from probes.metric import Metric
from probes.outcome import Outcome, Verdict
from probes.prober import Options
from probes.stream import Stream
from probes.target import HostPort, host_and_port
from probes.tls_metrics import TLS_METRICS


class TlsPortOptions(DialOptions):
    """How to connect, whom to trust, and when a certificate ends too soon."""


class TlsProber:
    """Connects, shakes hands, and hangs up; nothing is said to the application behind it."""

    schemes: ClassVar[tuple[str, ...]] = ("tls",)
    options: ClassVar[type[Options]] = TlsPortOptions
    metrics: ClassVar[tuple[Metric, ...]] = TLS_METRICS

    def __init__(self) -> None:
        self._dialer = Dialer()

    @staticmethod
    def parse(text: str) -> HostPort:
        return host_and_port(text, "tls")

    async def probe(self, target: HostPort, options: TlsPortOptions) -> Outcome:
        return await self._dialer.dial(target.host, target.port, options, self._shake_hands)

    async def close(self) -> None:
        await self._dialer.close()

    async def _shake_hands(self, stream: Stream, link: Link) -> Outcome:
        await self._dialer.secure(stream, link)
        await not_refused(stream, link)
        return link.outcome(Verdict.GOOD, "shaken hands")


PROBER = TlsProber
